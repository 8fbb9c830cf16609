"""A return in another browser than the one that left, in Chromium, and what people then read of it."""

from __future__ import annotations

import pytest

from tests.browser.conftest import NARROW, SHOTS, WIDE, Visit
from tests.support.pictures import take_picture

LOOKS = [
    pytest.param({"scripts": True, "width": WIDE}, id="scripts"),
    pytest.param({"scripts": False, "width": NARROW, "dark": True}, id="plain-narrow-dark"),
]


@pytest.mark.parametrize("look", LOOKS)
def test_back_in_another_browser_one_press_goes_on(visit: Visit, look: dict[str, bool]) -> None:
    """A browser that has lost the cookie is another browser."""
    ann, eve = visit("ann", **look), visit("eve", **look)
    ann.sign_up("eBay", "Ann’s Antiques")
    ann.leave("itembase")
    ann.page.context.clear_cookies(name="gangway_browser")
    ann.press("Connect the store")
    ann.sees("You went to itembase in another browser, for “eBay” of Ann’s Antiques.")
    assert "state=" not in ann.page.url
    ann.shoot("here")
    ann.press("Continue here")
    ann.press("Allow")
    ann.sees("“eBay” is connected")
    eve.open("/return/itembase/elsewhere/")
    eve.sees("You started this in another browser")
    eve.shoot("stranger")


@pytest.mark.parametrize("look", LOOKS)
def test_owners_people_and_staff_read_that_it_happened(visit: Visit, look: dict[str, bool]) -> None:
    ann, erin = visit("ann", **look), visit("erin", **look)
    ann.sign_up("eBay", "Ann’s Antiques")
    ann.leave("itembase")
    ann.page.context.clear_cookies(name="gangway_browser")
    ann.press("Connect the store")
    ann.page.get_by_role("link", name="Team", exact=True).click()
    ann.sees("back from a partner was opened in another browser.")
    ann.shoot("team")
    ann.page.get_by_role("link", name="Everything that happened").click()
    ann.sees("What happened in the team")
    ann.shoot("team-events")
    ann.open("/accounts/2fa/")
    ann.shoot("security")
    ann.page.get_by_role("link", name="What happened in your account").click()
    ann.sees("Your link back from a partner was opened in another browser.")
    ann.shoot("account-events")
    ann.site.manage("staff", erin.email)
    erin.open("/admin/onboarding/securityevent/")
    erin.sign_in()
    erin.sees("a return in a browser that had not left")
    take_picture(erin.page, SHOTS / f"{erin.title}-log.png")
