"""Staff in Chromium: they enter what only they know of a merchant's account."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import NARROW, Visit, Visitor
from tests.support.site import Site, wait_until


def connected_by_word(ann: Visitor) -> None:
    """Connect through a vendor that cannot confirm it yet: the shop relies on what the merchant said."""
    ann.sign_up("another shop system", "Ann’s Antiques")
    ann.set_up_at_sharespine()
    ann.page.get_by_role("link", name="See this shop").click()
    ann.sees("Set up, not confirmed yet")


def api_password(site: Site) -> str:
    [row] = [row for row in site.stage.state("sharespine")["users"] if row["login"] == "api"]
    return str(row["password"])


def test_with_the_password_that_staff_enter_the_vendor_confirms_the_shop(
    visit: Visit, site: Site
) -> None:
    ann, erin = visit("ann"), visit("erin")
    connected_by_word(ann)
    site.manage("staff", erin.email)
    erin.open("/admin/onboarding/account/")
    erin.sign_in()
    erin.page.get_by_role("link", name="Ann’s Antiques").click()
    erin.shoot("account")
    erin.page.get_by_role("link", name="View or enter").click()
    erin.sees("None is saved.")
    erin.page.get_by_label("Password of the user “api”").fill(password := api_password(site))
    erin.shoot("entering")
    erin.press("Save")
    erin.sees("Saved.")
    erin.page.get_by_role("link", name="View or enter").click()
    erin.sees("One is saved.")
    assert password not in erin.page.content()
    confirmed = "Sharespine confirms the connection."
    expect(ann.page.get_by_role("main")).to_contain_text(confirmed, timeout=60_000)
    wait_until("ann hears of it", lambda: any("is connected" in m for m in site.mails(ann.email)))


def test_a_shop_is_connected_once_staff_confirm_it(visit: Visit, site: Site) -> None:
    ann, erin = visit("ann"), visit("erin", width=NARROW)
    connected_by_word(ann)
    site.manage("staff", erin.email)
    erin.open("/admin/onboarding/connection/?status__exact=reported")
    erin.sign_in()
    erin.page.get_by_role("link", name="My shop").first.click()
    erin.shoot("to-confirm")
    erin.press("It is connected: confirm it")
    erin.sees("Confirmed. The merchant gets an email.")
    expect(ann.page.get_by_role("main")).to_contain_text("Confirmed by our staff", timeout=60_000)
    ann.shoot("confirmed")
