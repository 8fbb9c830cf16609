"""itembase's longer flows in Chromium: a shop that exists already, and the activation page."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import NARROW, Visit, Visitor


def another(ann: Visitor) -> None:
    """From the attempt's page to the check page of a second shop."""
    ann.page.get_by_role("link", name="Connect another shop").click()
    ann.page.get_by_role("link", name="eBay").click()


def test_a_shop_that_is_at_itembase_already_is_chosen_in_words(visit: Visit) -> None:
    ann = visit("ann", width=NARROW, dark=True)
    ann.sign_up("eBay", "Ann’s Antiques")
    ann.leave("itembase")
    ann.page.locator("summary", has_text="Connect in another way").click()
    ann.press("Connect two stores")
    ann.press("Allow")
    ann.page.get_by_label("eBay shop first seen").first.check()
    ann.press("Continue")
    ann.sees("is connected")
    another(ann)
    ann.press("Continue to itembase")
    ann.sees("Which eBay shop do you want to connect?")
    ann.shoot("which")
    ann.page.get_by_label("eBay shop first seen").first.check()
    ann.press("Continue")
    ann.press("Connect the store")
    ann.sees("is connected")


def test_a_shop_that_is_not_shared_is_activated_on_the_way(visit: Visit) -> None:
    ann = visit("ann", scripts=False)
    ann.sign_up("eBay", "Ann’s Antiques")
    ann.leave("itembase")
    ann.page.locator("summary", has_text="Connect in another way").click()
    ann.press("Connect, activate later")
    ann.press("Allow")
    ann.press("Cancel")
    ann.sees("One more step at itembase")
    ann.sees("Allow itembase to share your eBay shop with us.")
    ann.shoot("not-shared")
    ann.press("Continue at itembase")
    ann.press("Activate")
    ann.sees("is connected")
    prints_as_evidence(ann)


def prints_as_evidence(ann: Visitor) -> None:
    """The page of the shop on paper: whose it is, every entry with its day, and nothing to press."""
    ann.open("/shops/")
    ann.page.get_by_role("main").locator(".task a").first.click()
    steps = ann.page.locator(".timeline-trip > details li")
    expect(steps.first).to_be_hidden()
    ann.page.emulate_media(media="print")
    ann.sees("Ann’s Antiques (reference")
    for step in steps.all():
        expect(step).to_be_visible()
    expect(ann.page.locator("main :is(button, .button):visible")).to_have_count(0)
    drawn = steps.first.locator("time").evaluate("it => getComputedStyle(it, '::after').content")
    assert re.match(r'"\d+ \w+ \d{4}, \d\d:\d\d \(', drawn), drawn
    ann.shoot("on-paper")
    ann.page.emulate_media(media="screen")
    ann.page.locator("summary", has_text="Show all").click()
    expect(steps.first).to_be_visible()
    ann.shoot("unfolded")
