"""Vendors without a redirect: a licence at integrator.io, a key and a secret from Capillary."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, WIDE, Visit, Visitor
from tests.support.site import Site, wait_until

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
        email = there.get_by_label("Email address")
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
    ann.sees("integrator.io has no account for")
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
    ann.press("Show the key and secret")
    secrets = {row["secret"] for row in site.stage.state("capillary")["clients"]}
    shown = ann.page.get_by_role("main").inner_text()
    secret = next(secret for secret in secrets if secret in shown)
    ann.shoot("shown")
    ann.press("I have saved them")
    expect(ann.page.get_by_role("main")).not_to_contain_text(secret)
    expect(ann.page.get_by_role("button", name="Show the key and secret")).to_have_count(0)
    assert secret not in site.logs()


def confirm_another(ann: Visitor, email: str) -> None:
    """On the page of one's own addresses; the code comes by mail."""
    ann.page.get_by_label("Email address").fill(email)
    ann.press("Add it")
    wait_until("the code", lambda: ann.site.mails(email))
    found = re.search(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b", ann.site.mails(email)[-1])
    assert found
    ann.page.get_by_label("Code").fill(found[0])
    ann.press("Confirm")


@pytest.mark.parametrize("look", LOOKS)
def test_another_address_of_ones_own_gets_the_only_licence(
    visit: Visit, site: Site, look: dict[str, bool]
) -> None:
    ann = visit("ann", **look)
    there = f"owner-{ann.email}"
    ann.sign_up(AMAZON, "Ann’s Antiques")
    ann.press("Connect")
    ann.sees("Do you use another address at Celigo integrator.io?")
    ann.page.get_by_role("link", name="Add it in your settings").click()
    ann.page.get_by_role("link", name="Back to your shop").wait_for()
    ann.shoot("settings")
    confirm_another(ann, there)
    ann.sees("integrator.io has no account for")
    expect(ann.page.get_by_label(there)).to_be_checked()
    ann.shoot("chosen")
    at_integrator(replace(ann, email=there), "Create an integrator.io account")
    ann.press("I have done it: continue")
    ann.sees("Your licence is ready")
    licences = site.stage.state("celigo")["licenses"]
    assert [row["email"] for row in licences if ann.title.lower() in row["email"]] == [there]


@pytest.fixture
def second_profile(site: Site, staff_profile: None) -> str:
    """Another profile beside the first; its name."""
    name, said = "Reading orders only", {"scope_3": "READ", "expiry": "300"}
    given = {"name": name, "vendor_name": name, "options": said, "staff_made": True}
    code = (
        "from onboarding.models import Connector;"
        "Connector.objects.update_or_create(slug='orders', defaults=dict("
        f"vendor='capillary', key='api', platform='orders', **{given!r}))"
    )
    site.manage("shell", "-c", code)
    return name


@pytest.mark.parametrize("look", LOOKS)
def test_a_key_gets_another_profile_and_stays_the_same(
    visit: Visit, site: Site, second_profile: str, look: dict[str, bool]
) -> None:
    ann = visit("ann", **look)
    ann.sign_up("Capillary API access", business := f"Anna {ann.title[-6:]}")
    ann.press("Connect")
    ann.sees("is connected")
    ann.page.get_by_role("link", name="See this shop").click()
    expect(ann.page.get_by_role("link", name="delete the old one")).to_have_count(0)
    before = client_of(site, business)
    ann.page.get_by_role("link", name="Update your key’s permissions").click()
    expect(ann.page.get_by_label("(current)")).to_be_checked()
    ann.page.get_by_label(second_profile).check()
    ann.shoot("profiles")
    ann.press("Update your key’s permissions")
    ann.sees("Capillary updated the permissions of your key.")
    ann.shoot("changed")
    now = client_of(site, business)
    assert now["scopes"] == [{"entityId": 3, "permission": "READ", "resources": []}]
    assert (now["id"], now["secret"]) == (before["id"], before["secret"])
    ann.page.get_by_role("link", name="About this shop").or_(
        ann.page.get_by_role("link", name="See this shop")
    ).first.click()
    ann.sees(f"This shop now uses “{second_profile}”.")
    ann.shoot("shop")


def client_of(site: Site, business: str) -> dict[str, Any]:
    rows = site.stage.state("capillary")["clients"]
    (client,) = (row for row in rows if row["name"].startswith(business))
    return client
