"""Every vendor × every case, over real HTTP: where it ends, what is said, what was made there.

A row is played twice over: first the case, then the vendor works again and the merchant goes on. In
the end every shop is connected, and nothing was made twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

import vendors
from onboarding import journey
from onboarding.catalogue import refresh
from onboarding.models import Account, Attempt, Connection, Connector
from onboarding.models.status import shown
from onboarding.questions import ANSWER
from tests.contract.row import CASES, Row
from tests.support.merchant import Browser, settled, time_passes
from tests.support.people import People
from tests.vendors.capillary.contract import (
    CAPILLARY,
    CAPILLARY_CASES,
    break_capillary,
    profile,
    valid,
)
from tests.vendors.celigo.contract import CELIGO, CELIGO_CASES, PRESET, break_celigo
from tests.vendors.itembase.contract import ITEMBASE, ITEMBASE_CASES, break_itembase
from tests.vendors.sharespine.contract import SHARESPINE, break_sharespine
from vendors import sandbox
from vendors.sandbox.faults import PLAYS

TABLE = {
    "itembase": ITEMBASE,
    "sharespine": SHARESPINE,
    "celigo": CELIGO,
    "capillary": CAPILLARY,
}
SPECIAL = {
    "itembase": ITEMBASE_CASES,
    "celigo": CELIGO_CASES,
    "capillary": CAPILLARY_CASES,
}
DAMAGE = {
    "itembase": break_itembase,
    "sharespine": break_sharespine,
    "celigo": break_celigo,
    "capillary": break_capillary,
}
CONNECTORS = {
    "itembase": "itembase-ebay",
    "sharespine": "sharespine-shop",
    "celigo": f"celigo-{PRESET}",
    "capillary": "capillary-api",
}
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
    slugs = [vendor.slug for vendor in vendors.ALL]
    running = sandbox.start(tmp_path, vendors=slugs)
    settings.VENDORS = vendors.load(sandbox.environ(running.url, *slugs))
    for vendor in settings.VENDORS.offered.values():
        refresh.refresh_catalogue(vendor)
    profile()
    yield running
    settled()
    running.stop()


@pytest.fixture
def browser(people: People) -> Browser:
    """Charlie, who has no colleagues: nobody asks whose address it shall be."""
    return Browser(people.charlie, people.other)


def page(shop: Connection) -> str:
    """The page that a merchant looks at: of the attempt that is open, else of the shop."""
    open_attempt = shop.attempts.filter(ended=None).first()
    return (open_attempt or shop).get_absolute_url()


def newest() -> Connection:
    return Connection.objects.latest("created")


def travel(
    browser: Browser, link: str, *press: str, then: Callable[[], None] | None = None, **form: str
) -> Connection:
    """Through the vendor's pages, and to "I have finished" where nobody is sent back."""
    settled()
    browser.travel(link, *press, **form)
    if then:
        then()
    shop = newest()
    attempt = shop.attempts.latest("created")
    if journey.is_away_without_return(attempt):
        browser.press(attempt.get_absolute_url() + "finish/")
        settled()
    return newest()


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
    if row.scene:
        row.scene(stage, browser)
    if row.play:
        stage.play(vendor, *row.play)
    connector = Connector.objects.get(slug=CONNECTORS[vendor])
    who = {"email": row.email} if row.email else {}
    link, staff = browser.connect(connector, "My shop"), row.staff
    then = (lambda: staff(stage)) if staff else None
    shop = travel(browser, link, *row.press, then=then, **who)
    assert shop.status == row.status
    assert row.says in browser.page(page(shop))
    assert made(stage, vendor, row.after) == row.made

    stage.clear()
    shop = mend(stage, browser, shop, row)
    assert shop.status == "connected"
    assert made(stage, vendor, row.after) == row.after
    if vendor == "capillary" and row.case != "full":
        assert valid(stage) == 1


def mend(stage: sandbox.Running, browser: Browser, shop: Connection, row: Row) -> Connection:
    """The vendor works again, staff do their part, and the merchant goes on."""
    account = Account.objects.get(pk=shop.account_id)
    if account.unsure:
        resolve(stage, account)
    if row.heal:
        row.heal(stage)
    time_passes()
    attempt = shop.attempts.filter(ended=None).first()
    if attempt is None:
        return newest()
    page = attempt.get_absolute_url()
    if attempt.questions:
        return travel(browser, browser.press(f"{page}answer/", **answers(attempt, row.choose)))
    return travel(browser, browser.press(f"{page}continue/"))


def answers(attempt: Attempt, choose: str) -> dict[str, str]:
    """The choice whose label says `choose`, for every question."""
    found = {}
    for question in attempt.questions:
        labels = {shown(label): value for value, label in question["choices"]}
        found[ANSWER + question["key"]] = next(labels[label] for label in labels if choose in label)
    return found


@pytest.mark.parametrize("vendor", [vendor.slug for vendor in vendors.ALL])
def test_no_vendor_and_no_case_is_forgotten(vendor: str) -> None:
    assert {row.case for row in TABLE[vendor]} == SPECIAL.get(vendor, CASES)


@pytest.mark.parametrize("vendor", [vendor.slug for vendor in vendors.ALL])
def test_one_broken_client_line_turns_it_red(
    vendor: str, browser: Browser, stage: sandbox.Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    DAMAGE[vendor](monkeypatch)
    with pytest.raises(AssertionError):
        test_every_vendor_in_every_case(vendor, TABLE[vendor][0], browser, stage)
