"""A merchant goes back after Continue, and later removes a shop that was never connected."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit, Visitor
from tests.browser.test_connecting import LOOKS


def back_from_the_vendor(visit: Visit, look: dict[str, bool]) -> Visitor:
    """Ann has pressed Continue, looked at itembase's page, and chosen eBay in the catalogue again."""
    ann = visit("ann", **look)
    ann.sign_up("eBay", "Ann’s Antiques")
    ann.leave("itembase")
    ann.open("/connect/ebay/")
    return ann


@pytest.mark.parametrize("look", LOOKS)
def test_back_and_continue_is_one_shop(visit: Visit, look: dict[str, bool]) -> None:
    ann = back_from_the_vendor(visit, look)
    ann.sees("You started connecting “eBay” today ")
    ann.shoot("begun")
    ann.press("Continue “eBay”")
    expect(ann.page.get_by_text("An imitation of")).to_be_visible()
    ann.open("/shops/")
    expect(ann.page.get_by_role("main").get_by_role("listitem")).to_have_count(1)


@pytest.mark.parametrize("look", LOOKS[:2])
def test_a_shop_that_was_never_connected_is_removed(visit: Visit, look: dict[str, bool]) -> None:
    ann = back_from_the_vendor(visit, look)
    ann.page.get_by_role("link", name="Remove it").click()
    ann.sees("Remove “eBay” from your list?")
    ann.shoot("remove")
    ann.press("Remove this shop")
    ann.sees("No shop yet")
    ann.shoot("removed")


def test_a_second_shop_is_begun_on_purpose(visit: Visit) -> None:
    ann = back_from_the_vendor(visit, {})
    ann.press("Connect another eBay shop")
    expect(ann.page.get_by_text("An imitation of")).to_be_visible()
    ann.open("/shops/")
    ann.sees("eBay 2")
    ann.shoot("two")
