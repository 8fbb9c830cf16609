"""From the start page to a connected shop, for somebody who has never seen the site."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, WIDE, Visit, Visitor

LOOKS = [
    pytest.param({"scripts": True, "width": WIDE, "dark": False}, id="scripts"),
    pytest.param({"scripts": True, "width": NARROW, "dark": True}, id="narrow-dark"),
    pytest.param({"scripts": False, "width": WIDE, "dark": True}, id="plain-dark"),
    pytest.param({"scripts": False, "width": NARROW, "dark": False}, id="plain-narrow"),
]


def through_itembase(ann: Visitor) -> None:
    ann.press("Connect the store")
    ann.press("Allow")


@pytest.mark.parametrize("look", LOOKS)
def test_a_new_merchant_connects_a_shop_through_itembase(
    visit: Visit, look: dict[str, bool]
) -> None:
    ann = visit("ann", **look)
    ann.sign_up("eBay", "Ann’s Antiques")
    ann.shoot("check")
    ann.leave("itembase")
    through_itembase(ann)
    ann.sees("“eBay” is connected")
    ann.shoot("connected")
    ann.page.get_by_role("link", name="See this shop").click()
    ann.sees("itembase confirms that your eBay shop is connected")
    ann.sees("Confirmed by itembase")
    ann.shoot("shop")


@pytest.mark.parametrize("look", LOOKS)
def test_a_new_merchant_connects_a_shop_through_sharespine(
    visit: Visit, look: dict[str, bool]
) -> None:
    ann = visit("ann", **look)
    ann.sign_up("another shop system", "Ann’s Antiques")
    tab = ann.leave_beside("Sharespine")
    tab.get_by_role("button", name="Leave without setting up").click()
    ann.sees("Finish the set-up on Sharespine")
    ann.shoot("away")
    ann.press("I have finished")
    ann.sees("is set up, but not confirmed yet")
    ann.shoot("reported")
    ann.page.get_by_role("link", name="See this shop").click()
    ann.sees("You marked the set-up as finished")
    ann.shoot("shop")
    ann.press("Open Sharespine again")
    ann.leave_beside("Sharespine")


def test_one_merchant_has_shops_through_both(visit: Visit) -> None:
    ann = visit("ann")
    ann.sign_up("eBay", "Ann’s Antiques")
    ann.leave("itembase")
    through_itembase(ann)
    ann.page.get_by_role("link", name="Connect another shop").click()
    ann.page.get_by_role("link", name="another shop system").click()
    ann.set_up_at_sharespine()
    ann.sees("is set up, but not confirmed yet")
    ann.open("/shops/")
    main = ann.page.get_by_role("main")
    expect(main.get_by_text("Connected", exact=True)).to_have_count(1)
    expect(main.get_by_text("Set up, not confirmed yet", exact=True)).to_have_count(1)
    ann.shoot("home")


def test_two_shops_of_one_platform_have_two_names(visit: Visit) -> None:
    ann = visit("ann")
    ann.sign_up("eBay", "Ann’s Antiques")
    ann.leave("itembase")
    through_itembase(ann)
    ann.open("/connect/ebay/")
    ann.page.locator("summary", has_text="Name this shop").click()
    ann.sees("Without one, we call it “eBay 2”.")
    ann.leave("itembase")
    ann.press("Connect the store")
    ann.sees("“eBay 2” is connected")


def test_saying_no_is_an_outcome_and_there_is_a_way_on(visit: Visit) -> None:
    ann = visit("ann")
    ann.sign_up("eBay", "Ann’s Antiques")
    ann.leave("itembase")
    ann.press("Cancel")
    ann.sees("Not connected yet: you cancelled at")
    ann.shoot("stopped")
    ann.press("Start again at itembase")
    through_itembase(ann)
    ann.sees("“eBay” is connected")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize(
    "path", ["/", "/connectors/", "/connect/ebay/", "/accounts/login/", "/nowhere/"]
)
def test_public_pages_have_no_faults(visit: Visit, path: str, width: int, dark: bool) -> None:
    ann = visit("ann", width=width, dark=dark)
    ann.open(path)
    ann.shoot("page")
    wide = ann.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width


def test_the_catalogue_is_searched_while_typing(visit: Visit) -> None:
    ann = visit("ann")
    ann.open("/connectors/")
    ann.page.get_by_label("Search").fill("magen")
    expect(ann.page.get_by_role("link", name="eBay")).to_have_count(0)
    expect(ann.page.get_by_role("link", name="Magento").first).to_be_visible()
