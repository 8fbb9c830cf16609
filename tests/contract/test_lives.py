"""What lives at each vendor after a shop's whole life: one thing while it is connected, else none.

The same steps for every vendor. Nothing of ours is believed: a vendor's `live` looks into its sandbox.
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
from tests.contract.row import contracts
from tests.contract.stage import (
    browser,
    connected_by_first_row,
    demand,
    go_on,
    live,
    newest,
    offered,
    stage,
    travel,
)
from tests.contract.test_contract import test_every_vendor_in_every_case as play
from tests.support.merchant import Browser
from vendors import sandbox
from vendors.contract import Holder, Memos, Order
from vendors.itembase.flow import Call, Itembase

__all__ = ["browser", "stage"]  # fixtures

CONTRACTS = contracts()
EVERY_VENDOR = pytest.mark.parametrize("vendor", [vendor.slug for vendor in vendors.ALL])


@pytest.fixture(autouse=True)
def _agreed(stage: sandbox.Running, settings: Settings) -> None:
    """With each vendor everything is agreed that it needs to end what it has made."""
    more: dict[str, str] = {}
    for contract in CONTRACTS.values():
        more |= contract.settings
        if contract.permit:
            contract.permit(stage)
    settings.VENDORS = offered(stage, more)


def connected(vendor: str, browser: Browser, stage: sandbox.Running) -> Connection:
    shop = connected_by_first_row(vendor, browser, stage)
    if shop.status != "connected":
        shop = go_on(stage, browser, shop, CONTRACTS[vendor].rows[0])
    one_lives(vendor, browser, stage, shop)
    return shop


def one_lives(vendor: str, browser: Browser, stage: sandbox.Running, shop: Connection) -> None:
    there = live(stage, vendor)
    demand(browser, shop, "", ("status", shop.status, "connected"), ("alive", len(there), 1))


def press(browser: Browser, shop: Connection, button: str, vendor: str) -> Connection:
    """A button of the shop's page, and on through the vendor's pages."""
    link = browser.press(f"{shop.get_absolute_url()}{button}/")
    travel(browser, link, then=None, **CONTRACTS[vendor].sign_in())
    shop.refresh_from_db()
    return shop


def check(shop: Connection) -> None:
    """The vendor is asked about the shop, as the sweep does when it is due."""
    Connection.objects.update(due_at=timezone.now())
    journey.check(shop.pk)
    shop.refresh_from_db()


@EVERY_VENDOR
def test_reconnecting_makes_no_second(
    vendor: str, browser: Browser, stage: sandbox.Running
) -> None:
    shop = connected(vendor, browser, stage)
    one_lives(vendor, browser, stage, press(browser, shop, "reconnect", vendor))


@EVERY_VENDOR
def test_connecting_again_after_a_disconnect_makes_no_second(
    vendor: str, browser: Browser, stage: sandbox.Running
) -> None:
    shop = press(browser, connected(vendor, browser, stage), "disconnect", vendor)
    left = 1 if CONTRACTS[vendor].stays else 0
    there = live(stage, vendor)
    demand(browser, shop, "", ("status", shop.status, "disconnected"), ("alive", len(there), left))
    one_lives(vendor, browser, stage, press(browser, shop, "reconnect", vendor))


@EVERY_VENDOR
def test_an_ok_with_nothing_there_makes_no_second(
    vendor: str, browser: Browser, stage: sandbox.Running
) -> None:
    play(vendor, CONTRACTS[vendor].nothing, browser, stage)
    one_lives(vendor, browser, stage, newest())


@EVERY_VENDOR
def test_what_was_revoked_is_found_and_comes_back_once(
    vendor: str, browser: Browser, stage: sandbox.Running
) -> None:
    revoked, shop = CONTRACTS[vendor].revoked, connected(vendor, browser, stage)
    if revoked.before:
        revoked.before(stage)
        check(shop)
        one_lives(vendor, browser, stage, shop)
    revoked.deed(stage)
    check(shop)
    demand(browser, shop, revoked.says, ("status", shop.status, revoked.status))
    if revoked.heal:
        revoked.heal(stage)
    one_lives(vendor, browser, stage, press(browser, shop, "reconnect", vendor))


# -- that it bites ---------------------------------------------------------------------------------


@pytest.fixture
def doubling(monkeypatch: pytest.MonkeyPatch) -> str:
    """A flow that takes everybody for a merchant who adds a shop, also who has this one already."""
    call = Itembase._call

    def careless(vendor: Itembase, order: Order) -> Call:
        def held(id: str) -> Holder:
            return "sibling" if order.holder(id) == "self" else order.holder(id)

        afresh = replace(order, shop_id="", connection_key="", live=Memos(), holder=held)
        return call(vendor, order if order.purpose == "check" else afresh)

    monkeypatch.setattr(Itembase, "_call", careless)
    return Itembase.slug


@pytest.mark.parametrize(
    "row",
    [
        test_reconnecting_makes_no_second,
        test_connecting_again_after_a_disconnect_makes_no_second,
        test_what_was_revoked_is_found_and_comes_back_once,
    ],
    ids=lambda row: row.__name__.removeprefix("test_"),
)
def test_a_second_shop_turns_it_red(
    row: Callable[[str, Browser, sandbox.Running], None],
    doubling: str,
    browser: Browser,
    stage: sandbox.Running,
) -> None:
    with pytest.raises(AssertionError, match="alive: 2, and not 1"):
        row(doubling, browser, stage)


def test_a_vendor_of_which_nothing_lives_turns_it_red(
    browser: Browser, stage: sandbox.Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(vars(CONTRACTS["capillary"]), "live", lambda state: [])
    with pytest.raises(AssertionError, match="alive: 0, and not 1"):
        test_reconnecting_makes_no_second("capillary", browser, stage)


def test_a_red_row_tells_the_call_the_note_and_the_page_once(
    browser: Browser, stage: sandbox.Running
) -> None:
    shop = connected("capillary", browser, stage)
    with pytest.raises(AssertionError) as told:
        demand(browser, shop, "Not there.", ("made", 1, 2))
    made, says, call, note, page = str(told.value).splitlines()
    assert (made, says) == ("made: 1, and not 2", "the page does not say 'Not there.'")
    assert call == "call: connect, start; answer: connected"
    assert note.startswith("note: Capillary accepted your key.")
    assert page.startswith("page: ")
    assert page.count("Capillary accepted your key.") >= 1
    assert "<" not in page
