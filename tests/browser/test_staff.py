"""Staff in Chromium: they enter what only they know of a merchant's account."""

from __future__ import annotations

from tests.browser.conftest import Visit, Visitor
from tests.support.site import Site, wait_until


def connected_by_word(ann: Visitor) -> None:
    """Connect through a vendor that cannot confirm it yet: the shop relies on what the merchant said."""
    ann.sign_up("Any other shop system", "Ann’s Antiques")
    ann.leave("Sharespine")
    ann.press("Set up my shop")
    ann.open("/shops/")
    ann.page.get_by_role("main").get_by_role("link", name="Any other shop system").click()
    ann.press("I have finished")
    ann.page.get_by_role("link", name="See this shop").click()
    ann.sees("No, it has not told us anything")


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
    erin.page.get_by_role("link", name="Look or enter").click()
    erin.sees("None is on file.")
    erin.page.get_by_label("Password of the user “api”").fill(password := api_password(site))
    erin.shoot("entering")
    erin.press("Save")
    erin.sees("Saved.")
    erin.page.get_by_role("link", name="Look or enter").click()
    erin.sees("One is on file.")
    assert password not in erin.page.content()
    wait_until("Sharespine confirms the shop", lambda: "not told us" not in reloaded(ann))
    ann.sees("Confirmed by Sharespine")


def reloaded(visitor: Visitor) -> str:
    visitor.page.reload()
    return visitor.page.content()
