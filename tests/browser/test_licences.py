"""Shops without a redirect: a licence at integrator.io, a key and a secret from Capillary."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, WIDE, Visit, Visitor
from tests.site import Site

LOOKS = [
    pytest.param({"scripts": True, "width": NARROW, "dark": False}, id="narrow"),
    pytest.param({"scripts": False, "width": WIDE, "dark": True}, id="plain-dark"),
]
AMAZON = "Amazon - Salesforce Connector"


@pytest.fixture
def staff_profile(site: Site) -> None:
    """Staff have said what a client at Capillary may do, and the catalogue shows it."""
    said = {"scope_1": "READ", "expiry": "600"}
    code = (
        "from onboarding.models import Connector;"
        f"Connector.objects.filter(vendor='capillary').update(options={said!r}, ready=True)"
    )
    site.manage("shell", "-c", code)


def at_integrator(ann: Visitor, *buttons: str) -> None:
    """In another window, as somebody with the same address."""
    there = ann.page.context.new_page()
    there.goto(f"{ann.site.stage.url}/celigo")
    for button in buttons:
        email = there.get_by_label("E-mail address")
        if email.count():
            email.fill(ann.email)
        there.get_by_role("button", name=button, exact=True).click()
    there.wait_for_load_state()  # it stays open: Chromium may hang when it closes a page that loads


@pytest.mark.parametrize("look", LOOKS)
def test_a_licence_is_issued_and_the_app_installed(visit: Visit, look: dict[str, bool]) -> None:
    ann = visit("ann", **look)
    ann.sign_up(AMAZON, "Ann’s Antiques")
    ann.shoot("check")
    ann.press("Connect")
    ann.sees("integrator.io has no account with the address")
    ann.shoot("no-account")
    at_integrator(ann, "Create an integrator.io account")
    ann.press("I have done it: check again")
    ann.sees("Your licence is ready")
    ann.shoot("install")
    at_integrator(ann, "Install")
    ann.press("I have done it: check again")
    ann.sees("is connected")
    ann.page.get_by_role("link", name="See this shop").click()
    ann.sees("Ends")
    ann.shoot("shop")


@pytest.mark.parametrize("look", LOOKS)
def test_a_key_and_a_secret_are_shown_once(
    visit: Visit, site: Site, staff_profile: None, look: dict[str, bool]
) -> None:
    ann = visit("ann", **look)
    ann.sign_up("Capillary", f"Ann {ann.title[-6:]}")  # names of clients tell them apart
    ann.press("Connect")
    ann.sees("is connected")
    ann.page.get_by_role("link", name="See this shop").click()
    ann.press("Show them")
    secrets = {row["secret"] for row in site.stage.state("capillary")["clients"]}
    shown = ann.page.get_by_role("main").inner_text()
    secret = next(secret for secret in secrets if secret in shown)
    ann.shoot("shown")
    ann.press("I have kept them")
    expect(ann.page.get_by_role("main")).not_to_contain_text(secret)
    expect(ann.page.get_by_role("button", name="Show them")).to_have_count(0)
    assert secret not in site.logs()
