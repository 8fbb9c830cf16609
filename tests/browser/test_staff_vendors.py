"""Staff in Chromium: a profile of scopes, a renewal, and what vendors have of ours."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Visit, Visitor
from tests.browser.test_licences import AMAZON, at_integrator
from tests.site import Site


def at_the_desk(erin: Visitor, path: str) -> Visitor:
    erin.site.manage("staff", erin.email)
    erin.open(path)
    erin.sign_in()
    return erin


def test_staff_say_what_a_client_may_do_and_see_whose_it_is(visit: Visit, site: Site) -> None:
    ann, erin = visit("ann"), visit("erin")
    at_the_desk(erin, "/admin/onboarding/connector/")
    erin.page.get_by_role("link", name="Capillary API access").click()
    erin.page.get_by_role("link", name="Look or set").click()
    scope = erin.page.get_by_role("group", name="Scope “Transaction”")
    scope.get_by_label("Read", exact=True).check()
    erin.page.get_by_label("How long a token lasts, in seconds").fill("0")
    erin.press("Save")
    erin.sees("Enter a whole number of seconds")
    erin.page.get_by_label("How long a token lasts, in seconds").fill("600")
    erin.press("Save")
    erin.sees("It is set up")
    ann.sign_up("Capillary", business := f"Ann {ann.title[-6:]}")
    ann.press("Connect")
    ann.sees("is connected")
    erin.open("/admin/onboarding/connector/vendor/capillary/")
    erin.shoot("vendor")
    erin.page.get_by_role("link", name="Show all API clients").click()
    erin.page.locator("#content-main button[type=submit]").click()
    erin.sees(business)
    erin.shoot("clients")
    erin.open("/admin/onboarding/connector/vendor/capillary/")
    erin.press("Compare now")
    erin.sees("On both sides")


def test_staff_renew_a_licence(visit: Visit) -> None:
    ann, erin = visit("ann"), visit("erin")
    ann.sign_up(AMAZON, business := f"Ann {ann.title[-6:]}")
    ann.press("Connect")
    at_integrator(ann, "Create an integrator.io account")
    ann.press("I have done it: check again")
    ann.sees("Your licence is ready")
    at_integrator(ann, "Install")
    ann.press("I have done it: check again")
    ann.sees("is connected")
    ann.page.get_by_role("link", name="See this shop").click()
    at_the_desk(erin, f"/admin/onboarding/connection/?q={business}")
    erin.page.locator("#result_list").get_by_role("link").first.click()
    erin.page.get_by_role("link", name="Renew the licence").click()
    erin.page.get_by_label("Until when").fill("2020-01-31")
    erin.page.locator("#content-main button[type=submit]").first.click()
    expect(erin.page.get_by_label("Until when")).to_have_attribute("aria-invalid", "true")
    erin.shoot("past")
    erin.page.get_by_label("Until when").fill("2031-01-31")
    erin.page.locator("#content-main button[type=submit]").first.click()
    erin.sees("2031")
    ann.page.reload()
    ann.sees("2031")
