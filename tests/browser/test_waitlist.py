"""A vendor's outage in Chromium: it is shown, the merchant joins the waitlist, and a mail follows."""

from __future__ import annotations

import time

from playwright.sync_api import expect

from tests.browser.conftest import NARROW, WIDE, Visit, Visitor
from tests.support.site import Site, wait_until

PLATFORM = "another shop system"
AWAY = "Sharespine has had a technical problem since"
FAILURES = 5  # consecutive failures that open the breaker
CODES = 11  # seconds between two codes to one address


def shoot(ann: Visitor, name: str) -> None:
    """The page in two widths, light and dark."""
    for width, scheme in ((WIDE, "dark"), (NARROW, "light"), (NARROW, "dark"), (WIDE, "light")):
        ann.page.set_viewport_size({"width": width, "height": 800})
        ann.page.emulate_media(
            color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce"
        )
        ann.shoot(f"{name}-{width}-{scheme}")


def breaks_down(carl: Visitor) -> None:
    """Every call answers 503 from now on; the retries of Carl, who was connecting, open the breaker."""
    carl.sign_up(PLATFORM, "Carl’s Carpets")
    carl.leave_beside("Sharespine").close()
    carl.site.stage.fault("sharespine", kind="status", status=503, times=None)
    carl.open("/shops/")
    carl.page.get_by_role("main").get_by_role("link", name="My shop").click()
    with carl.page.expect_popup() as popup:
        carl.press("Reopen Sharespine")
    popup.value.close()
    for _ in range(FAILURES - 1):
        carl.sees("Sharespine reports a problem on its side. We keep trying.")
        carl.press("Try again now")
    carl.sees("Sharespine reports a problem on its side. We keep trying.")
    carl.shoot("attempt")
    carl.open("/connectors/")
    carl.sees(AWAY)


def heals(carl: Visitor) -> None:
    """Sharespine works again. The breaker stays open for a while, until one of Carl's retries succeeds."""
    carl.site.stage.clear("sharespine")
    carl.open("/shops/")
    carl.page.get_by_role("main").get_by_role("link", name="My shop").click()
    wait_until("Sharespine is asked again", lambda: _through(carl))


def _through(carl: Visitor) -> bool:
    again = carl.page.get_by_role("button", name="Try again now")
    ready = carl.page.get_by_role("button", name="Continue to Sharespine")
    expect(again.or_(ready)).to_be_visible()
    if again.is_visible():
        with carl.page.expect_navigation():
            again.click()
        carl.page.wait_for_timeout(500)
    return ready.is_visible()


def leaves_it(ann: Visitor) -> None:
    ann.sees(AWAY)
    ann.name_shop("The green shop")
    ann.press("Leave it with us")
    ann.sees(f"We’ll email {ann.email} when Sharespine is back")
    shoot(ann, "left")
    ann.page.get_by_role("link", name="To your shops").click()
    ann.sees("Waiting for Sharespine.")
    shoot(ann, "waiting")


def goes_on(ann: Visitor) -> None:
    expect(ann.page.get_by_label("Name of this shop")).to_have_value("The green shop")
    ann.leave_beside("Sharespine")


def test_left_with_us_a_mail_brings_them_back(visit: Visit, site: Site) -> None:
    carl, ann, bea = visit("carl"), visit("ann"), visit("bea", scripts=False, width=NARROW)
    breaks_down(carl)
    bea.sign_up(PLATFORM, "Bea’s Books")
    signed_up = time.monotonic()
    leaves_it(bea)
    ann.open("/connectors/")
    shoot(ann, "catalogue")
    ann.page.get_by_role("link", name=PLATFORM).click()
    shoot(ann, "platform")
    ann.sign_up(PLATFORM, "Ann’s Antiques")
    shoot(ann, "check")
    leaves_it(ann)
    assert "timezone" in {cookie.get("name") for cookie in ann.page.context.cookies()}
    heals(carl)
    ann.page.goto(site.link(ann.email, "/m/"))
    ann.shoot("back")
    goes_on(ann)
    wait_until("the site mails Bea another code", lambda: time.monotonic() > signed_up + CODES)
    again = visit("bea", whose=bea, scripts=False, width=NARROW)
    again.page.goto(site.link(bea.email, "/m/"))
    again.sign_in()
    goes_on(again)


def test_refused_credentials_are_said_in_plain_words(visit: Visit, site: Site) -> None:
    site.stage.fault("itembase", kind="status", status=401, times=None)
    ann = visit("ann")
    ann.sign_up("eBay", "Ann’s Antiques")
    ann.press("Continue to itembase")
    ann.sees("We’re on it")
    ann.open("/connectors/")
    ann.sees("itembase is not letting us sign in. Our staff know and are working on it.")
    shoot(ann, "catalogue")
    ann.page.get_by_role("link", name="eBay").click()
    shoot(ann, "check")
    ann.press("Leave it with us")
    ann.sees(f"We’ll email {ann.email} when itembase is back")
    shoot(ann, "left")
