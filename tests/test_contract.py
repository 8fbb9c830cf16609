"""Every vendor × every case, over real HTTP: where it ends, what is said, what was made there.

A row is played twice over: first the case, then the vendor works again and the merchant goes on. In
the end every shop is connected, and nothing was made twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

import vendors
from onboarding import journey, periodic
from onboarding.models import Account, Connection, Connector
from tests.merchant import Browser, settled, time_passes
from tests.people import People
from vendors import sandbox
from vendors.api import Api
from vendors.itembase import calls
from vendors.sandbox.stage import PLAYS
from vendors.sharespine import client

CASES = {"approve", "decline", "expired", "slow", "dead", "garbled", "lost"}


@dataclass(frozen=True, kw_only=True)
class Row:
    """`press`: the buttons at the vendor; `play`: the case on this route, from the start on.

    Then the merchant's shop has `status`, its page says `says`, and the vendor has made `made`.
    `after` is what the vendor has made in the end.
    """

    press: tuple[str, ...] = ()
    play: tuple[str, str] | None = None
    status: str = "connected"
    says: str
    made: dict[str, int]
    after: dict[str, int]

    @property
    def case(self) -> str:
        return (
            self.play[0]
            if self.play
            else next((p for p in self.press if p != "approve"), "approve")
        )


STORE = {"connections": 1, "users": 1}
ONE, TWO = {"tokens": 1, **STORE}, {"tokens": 2, **STORE}
LINK = {"tokens": 1}
VALID = "itembase lists your eBay shop as valid"
SILENT = "is not answering"
STAFF = "Our staff know"
TOKENS = "POST /selfservice/v1/tokens"
STOPPED = "You stopped at itembase"
TO_DO = "action_needed"

ITEMBASE = [
    Row(says=VALID, made=ONE, after=ONE),
    Row(press=("decline",), status=TO_DO, says=STOPPED, made=LINK, after=TWO),
    Row(press=("approve", "decline"), status=TO_DO, says=STOPPED, made=ONE, after=ONE),
    Row(press=("expired",), status=TO_DO, says="no longer valid", made=LINK, after=TWO),
    Row(press=("approve", "expired"), status="in_progress", says="Continue to itembase", made=ONE, after=ONE),
    Row(press=("slow",), says=VALID, made=ONE, after=ONE),
    Row(press=("dead",), status="checking", says=SILENT, made=ONE, after=ONE),
    Row(press=("garbled",), status="on_it", says=STAFF, made=ONE, after=ONE),
    Row(press=("lost",), status="checking", says=SILENT, made=ONE, after=ONE),
    Row(play=("slow", TOKENS), says=VALID, made=ONE, after=ONE),
    Row(play=("dead", TOKENS), status="in_progress", says=SILENT, made={}, after=ONE),
    Row(play=("garbled", TOKENS), status="on_it", says=STAFF, made=LINK, after=TWO),
    Row(play=("lost", TOKENS), status="in_progress", says=SILENT, made=LINK, after=TWO),
]  # fmt: skip

ROOM = {"tenants": 1, "users": 2, "connections": 1}
WORD = "You told us that the set-up is finished"
TENANT, USER = "POST /reseller/tenant", "POST /reseller/tenant/{codeName}/user"
API = "POST /reseller/tenant/{codeName}/connection"
LOGIN = "POST /reseller/tenant/{codeName}/login/{login}"
T, TU = {"tenants": 1}, {"tenants": 1, "users": 1}
TUU = {"tenants": 1, "users": 2}

SHARESPINE = [
    Row(says=WORD, made=ROOM, after=ROOM),
    Row(press=("decline",), says=WORD, made=ROOM, after=ROOM),
    Row(press=("expired",), says=WORD, made=ROOM, after=ROOM),
    Row(press=("slow",), says=WORD, made=ROOM, after=ROOM),
    Row(press=("dead",), says=WORD, made=ROOM, after=ROOM),
    Row(press=("garbled",), says=WORD, made=ROOM, after=ROOM),
    Row(press=("lost",), says=WORD, made=ROOM, after=ROOM),
    Row(play=("slow", "*"), says=WORD, made=ROOM, after=ROOM),
    *(
        Row(play=(case, route), status="on_it", says=STAFF, made=made, after=ROOM)
        for route, before, done in [
            (TENANT, {}, T), (USER, T, TU), (API, TUU, ROOM),
        ]
        for case, made in [("dead", before), ("garbled", done), ("lost", done)]
    ),
    Row(play=("dead", LOGIN), status="in_progress", says=SILENT, made=ROOM, after=ROOM),
    Row(play=("garbled", LOGIN), status="on_it", says=STAFF, made=ROOM, after=ROOM),
    Row(play=("lost", LOGIN), status="in_progress", says=SILENT, made=ROOM, after=ROOM),
]  # fmt: skip

TABLE = {"itembase": ITEMBASE, "sharespine": SHARESPINE}
CONNECTORS = {"itembase": "itembase-ebay", "sharespine": "sharespine-shop"}
ROWS = [
    pytest.param(vendor, row, id=f"{vendor}-{number}-{row.case}")
    for vendor, rows in TABLE.items()
    for number, row in enumerate(rows)
]


@pytest.fixture
def stage(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[sandbox.Running]:
    """The sandboxes on a free port, and the site pointed at them by its settings alone."""
    monkeypatch.setitem(PLAYS["slow"], "seconds", 0.1)
    running = sandbox.start(tmp_path)
    settings.VENDORS = vendors.load(sandbox.environ(running.url))
    for vendor in settings.VENDORS.offered.values():
        periodic.refresh_catalogue(vendor)
    yield running
    settled()
    running.stop()


@pytest.fixture
def browser(people: People) -> Browser:
    return Browser(people.alice, people.acme)


def page(shop: Connection) -> str:
    """The page that a merchant looks at: of the attempt that is open, else of the shop."""
    open_attempt = shop.attempts.filter(ended=None).first()
    return (open_attempt or shop).get_absolute_url()


def travel(browser: Browser, link: str, *press: str) -> Connection:
    """Through the vendor's pages, and to "I have finished" where nobody is sent back."""
    settled()
    browser.travel(link, *press)
    shop = Connection.objects.get()
    attempt = shop.attempts.latest("created")
    if journey.went_without_return(attempt):
        browser.press(attempt.get_absolute_url() + "finish/")
        settled()
    return Connection.objects.get()


def made(stage: sandbox.Running, vendor: str, kinds: dict[str, int]) -> dict[str, int]:
    counted = stage.counts(vendor)["made"]
    return {kind: counted[kind] for kind in kinds if counted.get(kind)}


def resolve(stage: sandbox.Running, account: Account) -> None:
    """Staff look at the vendor: what is unsure exists there, or it does not."""
    kind = {"tenant": "tenants", "connection": "connections"}.get(account.unsure, "users")
    rows = stage.state(account.vendor).get(kind, [])
    wanted = "api" if account.unsure == "api_user" else ""
    found = [row for row in rows if not wanted or row["login"] == wanted]
    journey.resolve(account.pk, str(found[-1][_id(kind)]) if found else None)


def _id(kind: str) -> str:
    return "login" if kind == "users" else "id"


@pytest.mark.parametrize(("vendor", "row"), ROWS)
def test_every_vendor_in_every_case(
    vendor: str, row: Row, browser: Browser, stage: sandbox.Running
) -> None:
    if row.play:
        stage.play(vendor, *row.play)
    connector = Connector.objects.get(slug=CONNECTORS[vendor])
    shop = travel(browser, browser.connect(connector, "My shop"), *row.press)
    assert shop.status == row.status
    assert row.says in browser.page(page(shop))
    assert made(stage, vendor, row.after) == row.made

    stage.clear()
    shop = mend(stage, browser, shop)
    assert shop.status == "connected"
    assert made(stage, vendor, row.after) == row.after


def mend(stage: sandbox.Running, browser: Browser, shop: Connection) -> Connection:
    """The vendor works again, staff do their part, and the merchant goes on."""
    account = Account.objects.get(pk=shop.account_id)
    if account.unsure:
        resolve(stage, account)
    time_passes()
    attempt = shop.attempts.filter(ended=None).first()
    if attempt is None:
        return Connection.objects.get()
    return travel(browser, browser.press(attempt.get_absolute_url() + "continue/"))


@pytest.mark.parametrize("vendor", [vendor.slug for vendor in vendors.ALL])
def test_no_vendor_and_no_case_is_forgotten(vendor: str) -> None:
    assert {row.case for row in TABLE[vendor]} == CASES


def break_itembase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "process_url", lambda uri, redirect_uri: uri)


def break_sharespine(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_reseller(**given: Any) -> Api:
        return Api(**{**given, "headers": {"User-Agent": given["headers"]["User-Agent"]}})

    monkeypatch.setattr(client, "Api", without_reseller)


@pytest.mark.parametrize(
    ("vendor", "damage"), [("itembase", break_itembase), ("sharespine", break_sharespine)]
)
def test_one_broken_client_line_turns_it_red(
    vendor: str,
    damage: Callable[[pytest.MonkeyPatch], None],
    browser: Browser,
    stage: sandbox.Running,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    damage(monkeypatch)
    with pytest.raises(AssertionError):
        test_every_vendor_in_every_case(vendor, TABLE[vendor][0], browser, stage)
