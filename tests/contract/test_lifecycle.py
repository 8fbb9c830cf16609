"""The lifecycle of a shop: one thing is in use at the vendor while it is connected, otherwise none.

The steps are the same for every vendor. Our rows are not trusted: a vendor's `live` reads its sandbox.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

import vendors
from onboarding import journey
from onboarding.models import Connection
from tests.contract.fixtures import (
    browser,
    connect_by_first_row,
    continue_attempt,
    expect,
    live_ids,
    newest_connection,
    offered,
    stage,
    travel,
)
from tests.contract.row import contracts
from tests.contract.test_contract import test_every_vendor_in_every_case as run_row
from tests.support.merchant import Browser
from vendors import sandbox
from vendors.contract import Holder, Memos, Order
from vendors.itembase.flow import Call, Itembase

__all__ = ["browser", "stage"]  # fixtures

CONTRACTS = contracts()
EVERY_VENDOR = pytest.mark.parametrize("vendor", [vendor.slug for vendor in vendors.ALL])


@pytest.fixture(autouse=True)
def _agreed(stage: sandbox.Running, settings: Settings) -> None:
    """Every vendor permits that a disconnect ends the shop there."""
    more: dict[str, str] = {}
    for contract in CONTRACTS.values():
        more |= contract.settings
        if contract.permit:
            contract.permit(stage)
    settings.VENDORS = offered(stage, more)


def connected(vendor: str, browser: Browser, stage: sandbox.Running) -> Connection:
    connection = connect_by_first_row(vendor, browser, stage)
    if not connection.is_set_up:
        connection = continue_attempt(stage, browser, connection, CONTRACTS[vendor].rows[0])
    expect_one_live(vendor, browser, stage, connection)
    return connection


def expect_one_live(
    vendor: str, browser: Browser, stage: sandbox.Running, connection: Connection
) -> None:
    there = live_ids(stage, vendor)
    expect(
        browser,
        connection,
        "",
        ("is set up", connection.is_set_up, True),
        ("alive", len(there), 1),
    )


def press(browser: Browser, connection: Connection, button: str, vendor: str) -> Connection:
    """Press a button of the shop's page, and go through the vendor's pages."""
    link = browser.press(f"{connection.get_absolute_url()}{button}/")
    travel(browser, link, then=None, **CONTRACTS[vendor].sign_in())
    connection.refresh_from_db()
    return connection


def check(connection: Connection) -> None:
    """Check the shop, as the sweep does when it is due."""
    Connection.objects.update(due_at=timezone.now())
    journey.check(connection.pk)
    connection.refresh_from_db()


@EVERY_VENDOR
def test_reconnecting_creates_no_second(
    vendor: str, browser: Browser, stage: sandbox.Running
) -> None:
    connection = connected(vendor, browser, stage)
    expect_one_live(vendor, browser, stage, press(browser, connection, "reconnect", vendor))


@EVERY_VENDOR
def test_connecting_again_after_a_disconnect_creates_no_second(
    vendor: str, browser: Browser, stage: sandbox.Running
) -> None:
    connection = press(browser, connected(vendor, browser, stage), "disconnect", vendor)
    left = 1 if CONTRACTS[vendor].stays else 0
    there = live_ids(stage, vendor)
    expect(
        browser,
        connection,
        "",
        ("status", connection.status, "disconnected"),
        ("alive", len(there), left),
    )
    expect_one_live(vendor, browser, stage, press(browser, connection, "reconnect", vendor))


@EVERY_VENDOR
def test_an_ok_with_an_empty_result_creates_no_second(
    vendor: str, browser: Browser, stage: sandbox.Running
) -> None:
    run_row(vendor, CONTRACTS[vendor].nothing, browser, stage)
    expect_one_live(vendor, browser, stage, newest_connection())


@EVERY_VENDOR
def test_revoked_access_is_found_and_restored_once(
    vendor: str, browser: Browser, stage: sandbox.Running
) -> None:
    revoked, connection = CONTRACTS[vendor].revoked, connected(vendor, browser, stage)
    if revoked.before:
        revoked.before(stage)
        check(connection)
        expect_one_live(vendor, browser, stage, connection)
    revoked.revoke(stage)
    check(connection)
    expect(browser, connection, revoked.says, ("status", connection.status, revoked.status))
    if revoked.repair:
        revoked.repair(stage)
    expect_one_live(vendor, browser, stage, press(browser, connection, "reconnect", vendor))


# -- proof that a regression fails -----------------------------------------------------------------


@pytest.fixture
def doubling(monkeypatch: pytest.MonkeyPatch) -> str:
    """A broken flow that treats every merchant as one who adds a shop, even one who reconnects."""
    call = Itembase._call

    def careless(vendor: Itembase, order: Order) -> Call:
        def held(id: str) -> Holder:
            return "sibling" if order.holder(id) == "self" else order.holder(id)

        as_new = replace(order, shop_id="", connection_key="", live=Memos(), holder=held)
        return call(vendor, order if order.purpose == "check" else as_new)

    monkeypatch.setattr(Itembase, "_call", careless)
    return Itembase.slug


@pytest.mark.parametrize(
    "row",
    [
        test_reconnecting_creates_no_second,
        test_connecting_again_after_a_disconnect_creates_no_second,
        test_revoked_access_is_found_and_restored_once,
    ],
    ids=lambda row: row.__name__.removeprefix("test_"),
)
def test_a_second_shop_fails_the_row(
    row: Callable[[str, Browser, sandbox.Running], None],
    doubling: str,
    browser: Browser,
    stage: sandbox.Running,
) -> None:
    with pytest.raises(AssertionError, match="alive: 2, and not 1"):
        row(doubling, browser, stage)


def test_a_vendor_without_anything_live_fails_the_row(
    browser: Browser, stage: sandbox.Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(vars(CONTRACTS["capillary"]), "live", lambda state: [])
    with pytest.raises(AssertionError, match="alive: 0, and not 1"):
        test_reconnecting_creates_no_second("capillary", browser, stage)


def test_a_failed_row_reports_the_call_the_note_and_the_page_once(
    browser: Browser, stage: sandbox.Running
) -> None:
    connection = connected("capillary", browser, stage)
    with pytest.raises(AssertionError) as raised:
        expect(browser, connection, "Not there.", ("made", 1, 2))
    made, says, call, note, page = str(raised.value).splitlines()
    assert (made, says) == ("made: 1, and not 2", "the page does not say 'Not there.'")
    assert call == "call: connect, start; answer: connected"
    assert note.startswith("note: Your key works.")
    assert page.startswith("page: ")
    assert page.count("Your key works.") >= 1
    assert "<" not in page
