"""Where somebody is signed in: two browsers, one of which signs the other out; and after signing out."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, SHOTS, WIDE, Visit, Visitor, violations
from tests.support.pictures import take_picture

PAGE = "/accounts/sessions/"
BRAKE = 10_500  # ms: an address gets one code in ten seconds


def second_browser(visit: Visit, ann: Visitor, **how: object) -> Visitor:
    """Somebody who is signed in elsewhere signs in here, too."""
    other = visit("other", **how)
    other.email = ann.email
    other.open("/accounts/login/")
    other.page.wait_for_timeout(BRAKE)
    other.sign_in()
    return other


def signed_up(visit: Visit, **how: object) -> Visitor:
    ann = visit("ann", **how)
    ann.set_up("Ann’s Antiques")
    return ann


@pytest.mark.parametrize(
    ("scripts", "width", "dark"),
    [(True, WIDE, True), (True, NARROW, False), (False, NARROW, True)],
)
def test_one_browser_signs_the_other_out(
    visit: Visit, scripts: bool, width: int, dark: bool
) -> None:
    ann = signed_up(visit, scripts=scripts, width=width, dark=dark)
    other = second_browser(visit, ann, scripts=scripts, width=width, dark=dark)
    ann.open("/accounts/2fa/")
    ann.shoot("security")
    ann.page.get_by_role("link", name="Where you are signed in").click()
    ann.sees("This browser")
    ann.sees("Chrome on Linux")
    ann.shoot("sessions")
    everywhere = "Sign out everywhere else"
    expect(ann.page.get_by_role("button", name=everywhere)).to_be_visible()
    ann.press("Sign out Chrome on Linux" if scripts else everywhere)
    ann.sees("Signed out of one other browser.")
    ann.shoot("ended")
    other.open("/shops/")
    other.sees("You were signed out")
    other.shoot("signed-out")


@pytest.mark.parametrize("scripts", [True, False])
def test_the_back_button_shows_nothing_after_signing_out(visit: Visit, scripts: bool) -> None:
    ann = signed_up(visit, scripts=scripts)
    ann.open("/accounts/email/")
    ann.sees(ann.email)
    ann.open("/accounts/logout/")
    ann.page.get_by_role("main").get_by_role("button", name="Sign out").click()
    expect(ann.page.get_by_role("banner").get_by_text("Sign in")).to_be_visible()
    for _ in range(2):
        ann.page.go_back()
        expect(ann.page.get_by_text(ann.email)).to_have_count(0)
    expect(ann.page.get_by_label("Email address")).to_be_visible()


def test_a_waiting_page_of_an_ended_session_goes_to_the_sign_in_by_itself(visit: Visit) -> None:
    ann = signed_up(visit)
    ann.open("/connect/sharespine/")
    ann.name_shop("The shop at the corner")
    ann.press("Continue to Sharespine")
    ann.page.wait_for_url("**/attempts/**")
    other = second_browser(visit, ann)
    other.open(PAGE)
    other.press("Sign out everywhere else")
    ann.sees("You were signed out")


@pytest.mark.parametrize(("width", "dark"), [(WIDE, False), (NARROW, True)])
def test_staff_end_all_sessions_of_a_person(visit: Visit, width: int, dark: bool) -> None:
    ann = signed_up(visit)
    erin = visit("erin", width=width, dark=dark)
    erin.site.manage("staff", erin.email)
    erin.open("/admin/onboarding/user/")
    erin.sign_in()
    erin.page.get_by_role("link", name=ann.email).click()
    erin.sees("Chrome on Linux")
    take_picture(erin.page, SHOTS / f"{erin.title}.png")
    found = violations(erin.page)
    assert [each for each in found if "help-tooltip" not in each] == []  # of Django's own widget
    erin.press("End all sessions")
    erin.sees("One session has ended.")
    erin.sees("Not signed in anywhere.")
    ann.open("/shops/")
    ann.sees("You were signed out")
