"""Staff in Chromium: a profile of scopes, a renewal, and the inventory of a vendor."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, WIDE, Visit, Visitor
from tests.browser.test_licences import AMAZON, at_integrator
from tests.support.site import Site, wait_until
from tests.vendors.celigo import caller

STAFF_LOOKS = [
    pytest.param({"width": WIDE, "dark": True}, id="wide-dark"),
    pytest.param({"width": NARROW, "dark": False}, id="narrow"),
]


def open_admin(erin: Visitor, path: str) -> Visitor:
    erin.site.manage("staff", erin.email)
    erin.open(path)
    erin.sign_in()
    return erin


def test_staff_say_what_a_client_may_do_and_see_whose_it_is(visit: Visit, site: Site) -> None:
    ann, erin = visit("ann"), visit("erin")
    open_admin(erin, "/admin/onboarding/connector/")
    erin.page.get_by_role("link", name="Capillary API access").click()
    erin.page.get_by_role("link", name="View or change").click()
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
    open_admin(erin, f"/admin/onboarding/connection/?q={business}")
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


def installed(site: Site, email: str) -> str:
    """Somebody has the Shopify app there; the id of their installation."""
    with caller.sign_up(site.stage, email) as browser:
        body = {**caller.BODY, "email": email}
        licence = caller.call(site.stage, "POST", caller.LICENSES, body).json()
        caller.press(site.stage, browser, "approve", license=licence["_id"])
    return next(row["id"] for row in base(site) if row["email"] == email)


def base(site: Site) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = site.stage.state("celigo")["integrations"]
    return rows


def versions(site: Site) -> dict[str, str]:
    return {row["id"]: row["version"] for row in base(site)}


def pushed(site: Site) -> list[list[str]]:
    return [row["integrations"] for row in site.stage.state("celigo").get("pushes", [])]


def send(erin: Visitor) -> None:
    erin.page.locator("#content-main button[type=submit]").first.click()


def open_connector(erin: Visitor, name: str) -> None:
    """Once the worker has put it into the catalogue."""
    link = erin.page.get_by_role("link", name=name)

    def listed() -> bool:
        erin.open("/admin/onboarding/connector/vendor/celigo/")
        return link.count() > 0

    wait_until(f"{name} is in the catalogue", listed)
    link.click()


@pytest.mark.parametrize("look", STAFF_LOOKS)
def test_staff_push_an_update_to_the_installations_they_chose(
    visit: Visit, site: Site, look: dict[str, bool]
) -> None:
    erin = visit("erin", **look)
    one, two = (installed(site, f"{name}-{erin.email}") for name in ("ann", "bob"))
    before, sent = versions(site), pushed(site)
    open_admin(erin, "/admin/onboarding/connector/vendor/celigo/")
    open_connector(erin, "Shopify - NetSuite Connector")
    erin.page.get_by_role("link", name="Who has installed it").click()
    send(erin)
    erin.sees(one)
    erin.shoot("base")
    erin.press("Push the update")
    erin.sees("Nothing was chosen, so nothing was sent.")
    erin.page.get_by_role("link", name="Who has installed it").click()
    send(erin)
    erin.page.get_by_label(f"Choose {two}").check()
    erin.press("Push the update")
    erin.sees("1 chosen")
    assert pushed(site) == sent
    erin.shoot("confirm")
    erin.press("Push the update: 1 chosen")
    erin.sees("The update was pushed. Installations: 1.")
    erin.shoot("pushed")
    assert pushed(site) == [*sent, [two]]
    assert {id for id, version in versions(site).items() if version != before[id]} == {two}


def connectors(site: Site, name: str) -> list[dict[str, Any]]:
    rows = site.stage.state("celigo")["connectors"]
    return [row for row in rows if row["name"] == name]


def test_staff_make_change_and_delete_a_connector(visit: Visit, site: Site) -> None:
    erin = visit("erin", width=NARROW, dark=True)
    name = f"WooCommerce {erin.title[-6:]}"
    open_admin(erin, "/admin/onboarding/connector/vendor/celigo/")
    erin.page.get_by_role("link", name="Create a connector").click()
    erin.page.get_by_label("Other fields, as JSON").fill("no JSON")
    erin.page.get_by_label("Name", exact=True).fill(name)
    send(erin)
    erin.sees("This is no JSON object")
    erin.shoot("no-json")
    assert not connectors(site, name)
    erin.page.get_by_label("Other fields, as JSON").fill('{"applications": ["woocommerce"]}')
    erin.page.get_by_label("Yes").check()
    send(erin)
    erin.sees("was created")
    erin.shoot("made")
    (made,) = connectors(site, name)
    assert (made["published"], made["fields"]["applications"]) == (True, ["woocommerce"])
    open_connector(erin, name)
    erin.page.get_by_role("link", name="Change the connector").click()
    erin.page.get_by_label("Description").fill("For small shops.")
    send(erin)
    erin.sees("The connector was changed.")
    (changed,) = connectors(site, name)
    assert changed["fields"] == {**made["fields"], "description": "For small shops."}
    erin.page.get_by_role("link", name="Delete the connector").click()
    erin.page.get_by_label("Id of the connector").fill(made["id"][:-1])
    send(erin)
    erin.sees("Nothing was deleted.")
    erin.shoot("another-id")
    assert not connectors(site, name)[0]["deleted"]
    erin.page.get_by_label("Id of the connector").fill(made["id"])
    send(erin)
    erin.sees("The connector was deleted.")
    assert connectors(site, name)[0]["deleted"]
