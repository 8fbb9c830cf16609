"""Called back in Chromium: the page is closed, and one mail leads back from the demo's page of mails, on
another device, to where it goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, SHOTS, Visit, Visitor
from tests.browser.test_licences import AMAZON, at_integrator
from tests.support.site import Site, wait_until
from tests.vendors.celigo.contract import renew
from vendors import sandbox

# In one of them it is day.
ZONES = ("Asia/Tokyo", "Asia/Karachi", "Europe/London", "America/Chicago", "Pacific/Honolulu")
TENANT = "POST /reseller/tenant"
LICENCE = "POST /v1/connectors/{_id}/licenses"
CODE = re.compile(r"\b\d{6}\b")
TURN, CONNECTED = f"“{AMAZON}”: it is your turn", f"“{AMAZON}” is connected"
STOPPED = f"The connection of “{AMAZON}” has stopped working"
WORKS = f"The connection of “{AMAZON}” works again"
ENDS = f"The connection of “{AMAZON}” ends within 7 days"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demo, but that it gives nobody long to see it on their page."""
    folder = tmp_path_factory.mktemp("site")
    stage = sandbox.start(folder / "sandbox", vendors=["sharespine", "celigo", "itembase"])
    soon = {"NOTICE_AFTER": "1s", "BROKEN_NOTICE_AFTER": "1s"}
    site = Site(folder, stage, extra_env={"EMAIL_URL": "demo:", **soon})
    site.prepare()
    site.start()
    yield site
    site.stop()
    stage.stop()


def mails(ann: Visitor) -> list[str]:
    """The subjects of all mails to her, but for those with a code."""
    return [subject for subject in ann.site.subjects(ann.email) if not CODE.search(subject)]


def called_back(
    visit: Visit,
    ann: Visitor,
    subject: str,
    heading: str,
    *says: str,
    **look: Any,  # as visit has it
) -> Visitor:
    """Another device of hers, where she has opened the mail and pressed its button; what it shows there."""
    phone = visit("phone", whose=ann, width=NARROW, **look)
    phone.open_mail(subject, ann.email)
    phone.page.screenshot(path=SHOTS / f"{phone.title}-mail-{name_of(subject)}.png", full_page=True)
    phone.press_button_of_mail()
    expect(phone.page.get_by_role("heading", level=1)).to_have_text(heading)
    for words in says:
        phone.sees(words)
    assert phone.page.evaluate("document.documentElement.scrollWidth") == NARROW
    phone.shoot("page-" + name_of(subject))
    return phone


def name_of(subject: str) -> str:
    return re.sub(r"\W+", "-", subject).strip("-").lower()


def closed_while_held(site: Site, ann: Visitor, vendor: str, call: str, button: str) -> str:
    """She presses the button, closes the page before the vendor answers, and then it does; her business."""
    site.stage.fault(vendor, call, kind="hold", times=1)
    ann.press(button)
    site.stage.wait_until_held(vendor, call)
    ann.page.wait_for_url("**/attempts/**")
    business = ann.business()
    ann.close()
    site.stage.release(vendor, call)
    return business


def test_ready_to_continue_and_the_way_back(visit: Visit, site: Site) -> None:
    ready, back = "“My shop”: it is your turn at Sharespine", "Finish connecting “My shop”"
    ann = visit("ann")
    ann.sign_up("another shop system", "Ann’s Antiques")
    closed_while_held(site, ann, "sharespine", TENANT, "Continue to Sharespine")
    phone = called_back(visit, ann, ready, "Everything is ready", "My shop")
    expect(phone.page).to_have_title(re.compile(r"^\(1\) Your turn · Everything is ready"))
    phone.leave_beside("Sharespine")
    phone.close()
    laptop = called_back(visit, ann, back, "Finish the set-up on Sharespine", "My shop")
    laptop.press("I have finished")
    laptop.sees("“My shop” is set up")
    assert mails(ann) == [ready, back]


def test_a_shop_from_its_first_step_to_its_end(visit: Visit, site: Site) -> None:
    """At integrator.io, with a colleague who gets what is about the team’s shops."""
    ann, bob = visit("ann"), visit("bob")
    ann.sign_up(AMAZON, "Ann’s Antiques")
    business = closed_while_held(site, ann, "celigo", LICENCE, "Connect")
    is_connected(visit, site, ann, bob, business)
    breaks(visit, site, ann, bob, business)
    heals(visit, site, ann, business)
    ends(visit, site, ann, business)
    assert mails(ann) == [TURN, CONNECTED, STOPPED, WORKS, ENDS]
    assert mails(bob)[1:] == [STOPPED, WORKS, ENDS]  # after the invitation


def is_connected(visit: Visit, site: Site, ann: Visitor, bob: Visitor, business: str) -> None:
    phone = called_back(visit, ann, TURN, "One more step at Celigo integrator.io", AMAZON)
    phone.sees(f"integrator.io has no account for {ann.email}")
    at_integrator(phone, "Create an integrator.io account")
    phone.press("I have done it: check again")
    phone.sees("Your licence is ready")
    at_integrator(phone, "Install")
    phone.close()
    site.database.make_due(business)
    laptop = called_back(visit, ann, CONNECTED, AMAZON, "Connected", "confirms that the app is")
    bob.join("Ann’s Antiques", laptop.invite(bob.email))
    at_integrator(laptop, f"Sign in as {ann.email}", "Uninstall")
    laptop.close()


def breaks(visit: Visit, site: Site, ann: Visitor, bob: Visitor, business: str) -> None:
    """The colleague opens the mail that was forwarded to him."""
    site.database.make_check_due(business)
    called_back(
        visit, ann, STOPPED, AMAZON, "Action needed", "install the app", "Connect this shop again."
    ).close()
    phone = visit("phone", whose=bob, width=NARROW)
    phone.open_mail(STOPPED, ann.email)
    forward = "Forward this email: the link works for everyone in your team at “Ann’s Antiques”."
    expect(phone.page.get_by_text(forward)).to_be_visible()
    phone.press_button_of_mail()
    expect(phone.page.get_by_role("heading", level=1)).to_have_text(AMAZON)
    phone.sees("install the app")
    at_integrator(replace(phone, email=ann.email), f"Sign in as {ann.email}", "Install")
    phone.close()


def heals(visit: Visit, site: Site, ann: Visitor, business: str) -> None:
    site.database.make_check_due(business)
    called_back(visit, ann, WORKS, AMAZON, "Connected").close()


def ends(visit: Visit, site: Site, ann: Visitor, business: str) -> None:
    """Days go by: the last mail came yesterday, and the licence ends in five days."""
    end = expiry(site, business)
    renew(site.stage, days=5)
    site.database.make_check_due(business)
    wait_until("the end is known", lambda: expiry(site, business) != end)
    site.database.a_day_since_the_last_mail()
    site.database.next_minute()
    called_back(visit, ann, ENDS, AMAZON, "Ends").close()


def expiry(site: Site, business: str) -> object:
    return site.database.connection(business)["expires_at"]


def test_staff_have_done_their_part_and_the_vendor_is_back(visit: Visit, site: Site) -> None:
    """itembase refuses our credentials until staff mend them; who has begun, and who comes then."""
    done, back = "“eBay”: it is your turn again", "itembase is back: you can connect eBay now"
    unfinished = "“eBay” is not connected yet"
    ann, bea = visit("ann"), visit("bea")
    site.stage.fault("itembase", kind="status", status=401, times=None)
    ann.sign_up("eBay", "Ann’s Antiques")
    ann.press("Continue to itembase")
    ann.sees("We’re on it")
    ann.sees(f"We’ll email {ann.email} when it’s your turn again")
    ann.close()
    bea.open("/connect/ebay/")
    bea.sign_in()
    bea.sees("itembase is not letting us sign in.")
    bea.press("Leave it with us")
    bea.sees(f"We’ll email {bea.email} when itembase is back")
    bea.close()
    site.stage.clear("itembase")
    site.database.next_minute()
    called_back(visit, ann, done, "Everything is ready", "eBay", scripts=False).close()
    phone = called_back(visit, bea, back, "Connect eBay", "itembase", timezone_id=at_noon())
    business = phone.business()
    phone.leave("itembase")
    phone.close()
    site.database.an_hour_since_the_last_look(business)
    site.database.next_minute()
    called_back(visit, bea, unfinished, "Finish at itembase", "eBay").close()
    assert [mails(ann), mails(bea)] == [[done], [back, unfinished]]


def at_noon() -> str:
    """A time zone where nobody sleeps now."""
    hours = {zone: datetime.now(ZoneInfo(zone)).hour for zone in ZONES}
    return min(ZONES, key=lambda zone: abs(hours[zone] - 13))
