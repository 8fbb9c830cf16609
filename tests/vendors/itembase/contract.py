"""The rows of the contract test for itembase."""

from __future__ import annotations

import pytest
import requests

from onboarding.models import Account, Connection, Connector
from onboarding.models.memo import readable
from tests.contract.row import CASES, SILENT, STAFF, TO_DO, Contract, Revoked, Row, State
from tests.support.merchant import Browser, wait_until_idle
from vendors.itembase import flow
from vendors.sandbox import Running

# -- what happens at itembase without us ---------------------------------------------------------


def at_the_desk(stage: Running, **form: str) -> None:
    user = stage.state("itembase")["users"][0]["id"]
    url = f"{stage.url}/itembase/accounts/stores"
    requests.post(url, data={"user": user, **form}, timeout=5).raise_for_status()


def first_shop(stage: Running, browser: Browser) -> None:
    connector = Connector.objects.get(slug="itembase-ebay")
    browser.travel(browser.connect(connector, "My first shop"))
    wait_until_idle()
    assert Connection.objects.get().status == "connected"
    an_hour_later(stage)


def an_hour_later(stage: Running) -> None:
    """The sign-in is not young any more."""
    account = Account.objects.get()
    account.memo = (memo := readable(account.memo)) | {"at": memo["at"] - 3600}
    account.save()


def older_store(stage: Running, browser: Browser) -> None:
    first_shop(stage, browser)
    at_the_desk(stage, do="add", component="6", store="An older store")


def signed_out(stage: Running, browser: Browser) -> None:
    first_shop(stage, browser)
    at_the_desk(stage, do="revoke")


def expired_access(stage: Running, browser: Browser) -> None:
    first_shop(stage, browser)
    at_the_desk(stage, do="expire")


def lost_renewal(stage: Running, browser: Browser) -> None:
    first_shop(stage, browser)
    at_the_desk(stage, do="lose")


def valid(stage: Running) -> None:
    stage.change("itembase", "connections", {}, status="connection.valid")


def end_all_sign_ins(stage: Running) -> None:
    at_the_desk(stage, do="revoke")


def lists_nothing(stage: Running, browser: Browser) -> None:
    """200 and an empty list, whatever was added."""
    stage.fault("itembase", INSTANCES, kind="status", status=200, body="[]", times=None)


def live(state: State) -> list[str]:
    """Stores that the merchants have not removed there: nobody else can."""
    return [str(row["id"]) for row in state.get("connections", []) if not row.get("removed")]


def damage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "process_url", lambda uri, redirect_uri: uri)


# -- the rows ------------------------------------------------------------------------------------

STORE = {"connections": 1, "users": 1}
ONE, TWO = {"tokens": 1, **STORE}, {"tokens": 2, **STORE}
SHARED = {**ONE, "activations": 1, "solutions": 1}
UNSHARED = {**ONE, "activations": 1}
PAIR = {"tokens": 1, "connections": 2, "users": 1}
SECOND = {"tokens": 2, "connections": 2, "users": 1, "grants": 1}
FIRST = {"tokens": 1, "connections": 1, "users": 1, "grants": 1}
LINK = {"tokens": 1}
VALID = "itembase confirms that your eBay shop is connected"
TOKENS = "POST /selfservice/v1/tokens"
STOPPED = "You cancelled at itembase"
WHICH = "Which eBay shop do you want to connect?"
GO_ON = "Continue to itembase"
OTHER = "You used a different itembase account"
ADD = "Add a new eBay shop"

MORE = {
    "unactivated", "several", "pending", "attention",
    "first_shop", "older_store", "signed_out", "expired_access", "lost_renewal",
}  # fmt: skip
INSTANCES = "GET /api/v1/users/{user}/instances"

ROWS = [
    Row(says=VALID, made=ONE, after=ONE),
    Row(press=("decline",), status=TO_DO, says=STOPPED, made=LINK, after=TWO),
    Row(press=("approve", "decline"), status=TO_DO, says=STOPPED, made=ONE, after=ONE),
    Row(press=("expired",), status=TO_DO, says="Your link has expired", made=LINK, after=TWO),
    Row(press=("approve", "expired"), status="in_progress", says=GO_ON, made=ONE, after=ONE),
    Row(press=("slow",), says=VALID, made=ONE, after=ONE),
    Row(press=("dead",), status="checking", says=SILENT, made=ONE, after=ONE),
    Row(press=("garbled",), status="on_it", says=STAFF, made=ONE, after=ONE),
    Row(press=("lost",), status="checking", says=SILENT, made=ONE, after=ONE),
    Row(press=("approve", "slow"), says=VALID, made=ONE, after=ONE),
    Row(press=("approve", "dead"), status="checking", says=SILENT, made=ONE, after=ONE),
    Row(press=("approve", "garbled"), status="on_it", says=STAFF, made=ONE, after=ONE),
    Row(press=("approve", "lost"), status="checking", says=SILENT, made=ONE, after=ONE),
    Row(fault=("slow", TOKENS), says=VALID, made=ONE, after=ONE),
    Row(fault=("dead", TOKENS), status="in_progress", says=SILENT, made={}, after=ONE),
    Row(fault=("garbled", TOKENS), status="on_it", says=STAFF, made=LINK, after=TWO),
    Row(fault=("lost", TOKENS), status="in_progress", says=SILENT, made=LINK, after=TWO),
    # how the store is connected
    Row(press=("unactivated",), says=VALID, made=SHARED, after=SHARED),
    Row(
        press=("unactivated", "approve", "decline"), status=TO_DO,
        says="Allow itembase to share your eBay shop with us.",
        made=UNSHARED, after={**SHARED, "activations": 2},
    ),
    Row(press=("several",), status=TO_DO, says=WHICH, made=PAIR, after=PAIR, live=2),
    Row(press=("pending",), status="checking", says="still checking", made=ONE, repair=valid, after=ONE),
    Row(press=("attention",), status=TO_DO, says="a problem", made=ONE, repair=valid, after=ONE),
    # another shop of a merchant who has one
    Row(setup=first_shop, says=VALID, made=SECOND, after=SECOND, live=2),
    Row(
        setup=older_store, status=TO_DO, says=WHICH, made={**SECOND, "tokens": 1}, after=SECOND, live=2,
    ),
    Row(
        setup=older_store, status=TO_DO, says=WHICH, made={**SECOND, "tokens": 1}, choose=ADD,
        after={**SECOND, "connections": 3}, live=3,
    ),
    Row(
        setup=signed_out, says=VALID, made={**SECOND, "grants": 2}, after={**SECOND, "grants": 2}, live=2,
    ),
    Row(
        setup=signed_out, email="eve@shop.example", status=TO_DO, says=OTHER,
        made={**FIRST, "users": 2, "grants": 2}, after={**SECOND, "users": 2, "grants": 3}, live=2,
    ),
    Row(
        setup=expired_access, says=VALID, made={**SECOND, "grants": 2}, after={**SECOND, "grants": 2},
        live=2,
    ),
    Row(
        setup=lost_renewal, status="in_progress", says=SILENT, made={**FIRST, "grants": 2},
        after={**SECOND, "grants": 3}, live=2,
    ),
]  # fmt: skip

STAYS = "no call ends a store at itembase: it is the merchant's, who may remove it there"
CONTRACT = Contract(
    connector="itembase-ebay",
    rows=ROWS,
    cases=CASES | MORE,
    damage=damage,
    live=live,
    nothing=Row(
        name="nothing", setup=lists_nothing, status="checking", says="does not list your new eBay shop",
        made=ONE, after=ONE,
    ),
    revoked=Revoked(
        before=an_hour_later, revoke=end_all_sign_ins, status=TO_DO, says="Sign in at itembase again",
    ),
    once=("users", "connections", "solutions"),
    confided={"tokens": ("id",), "codes": ("id",), "grants": ("id", "refresh_token")},
    wrong={"client_secret": "wr0ng"},
    stays=STAYS,
)  # fmt: skip
