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
from tests.support.pictures import take_picture
from tests.support.site import Site, wait_until
from tests.vendors.celigo.contract import renew
from vendors import sandbox

TENANT = "POST /reseller/tenant"
LICENCE = "POST /v1/connectors/{_id}/licenses"
CODE = re.compile(r"\b\d{6}\b")
INVITED = "You are invited to a team at Gangway"
TURN, CONNECTED = f"“{AMAZON}”: it is your turn", f"“{AMAZON}” is connected"
STOPPED = f"The connection of “{AMAZON}” has stopped working"
WORKS = f"The connection of “{AMAZON}” works again"
ENDS = f"The connection of “{AMAZON}” ends within 7 days"
# At any time it is day in one of them.
ZONES = ("Asia/Tokyo", "Asia/Karachi", "Europe/London", "America/Chicago", "Pacific/Honolulu")


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
    *,
    shop: str,
    says: str,
    **look: Any,  # as visit has it
) -> Visitor:
    """Another device of hers, where she has opened the mail and pressed its button; what it shows there."""
    name = re.sub(r"\W+", "-", subject).strip("-").lower()
    phone = visit("phone", whose=ann, width=NARROW, **look)
    phone.open_mail(subject, ann.email)
    take_picture(phone.page, SHOTS / f"{phone.title}-mail-{name}.png")
    phone.press_button_of_mail()
    expect(phone.page.get_by_role("heading", level=1)).to_have_text(heading)
    phone.sees(shop)
    expect(phone.page.locator(".card--roomy").first).to_contain_text(says)
    assert phone.page.evaluate("document.documentElement.scrollWidth") == NARROW
    phone.shoot(f"page-{name}")
    return phone


def closed_while_held(ann: Visitor, vendor: str, call: str, button: str) -> str:
    """She presses the button and closes the page; the vendor answers after that. Her business."""
    stage = ann.site.stage
    stage.fault(vendor, call, kind="hold", times=1)
    ann.press(button)
    stage.wait_until_held(vendor, call)
    ann.page.wait_for_url("**/attempts/**")
    business = ann.business()
    ann.close()
    stage.release(vendor, call)
    return business


# -- Sharespine: it sends nobody back --------------------------------------------------------------


def test_ready_to_continue_and_the_way_back(visit: Visit) -> None:
    ready, back = "“My shop”: it is your turn at Sharespine", "Finish connecting “My shop”"
    there = "Set up “My shop” in the Sharespine tab."
    ann = visit("ann")
    ann.sign_up("another shop system", "Ann’s Antiques")
    closed_while_held(ann, "sharespine", TENANT, "Continue to Sharespine")
    phone = called_back(
        visit, ann, ready, "Everything is ready", shop="My shop", says="Continue to Sharespine"
    )
    phone.leave_beside("Sharespine")
    phone.close()
    laptop = called_back(
        visit, ann, back, "Finish the set-up on Sharespine", shop="My shop", says=there
    )
    laptop.press("I have finished")
    laptop.sees("“My shop” is set up")
    assert mails(ann) == [ready, back]


def test_a_tab_that_stays_open_says_so(visit: Visit, site: Site) -> None:
    site.stage.fault("sharespine", TENANT, kind="hold", times=1)
    ben = visit("ben")
    ben.sign_up("another shop system", "Ben’s Books")
    ben.press("Continue to Sharespine")
    site.stage.wait_until_held("sharespine", TENANT)
    expect(ben.page).to_have_title(re.compile("^Preparing"))
    site.stage.release("sharespine", TENANT)
    expect(ben.page).to_have_title(re.compile(r"^\(1\) Your turn · Everything is ready"))


# -- Celigo: one shop, from its first step to its end ----------------------------------------------


def test_connected_broke_healed_and_ends(visit: Visit) -> None:
    """With a colleague, who gets what is about the shops of the team."""
    ann, bob = visit("ann"), visit("bob")
    ann.sign_up(AMAZON, "Ann’s Antiques")
    business = closed_while_held(ann, "celigo", LICENCE, "Connect")
    is_connected(visit, ann, bob, business)
    breaks(visit, ann, bob, business)
    heals(visit, ann, business)
    ends(visit, ann, business)
    wait_until("Bob has his", lambda: len(mails(bob)) == 4)
    assert mails(ann) == [TURN, CONNECTED, STOPPED, WORKS, ENDS]
    assert mails(bob) == [INVITED, STOPPED, WORKS, ENDS]


def is_connected(visit: Visit, ann: Visitor, bob: Visitor, business: str) -> None:
    """She has no account at integrator.io; on the phone she makes one, and installs the app."""
    says = f"integrator.io has no account for {ann.email}"
    phone = called_back(
        visit, ann, TURN, "One more step at Celigo integrator.io", shop=AMAZON, says=says
    )
    at_integrator(phone, "Create an integrator.io account")
    phone.press("I have done it: check again")
    phone.sees("Your licence is ready")
    at_integrator(phone, "Install")
    phone.close()
    ann.site.database.make_due(business)
    laptop = called_back(visit, ann, CONNECTED, AMAZON, shop=AMAZON, says="Connected")
    bob.join("Ann’s Antiques", laptop.invite(bob.email))
    at_integrator(laptop, f"Sign in as {ann.email}", "Uninstall")
    laptop.close()


def breaks(visit: Visit, ann: Visitor, bob: Visitor, business: str) -> None:
    """She forwards the mail to her colleague, who repairs it."""
    ann.site.database.make_check_due(business)
    phone = called_back(visit, ann, STOPPED, AMAZON, shop=AMAZON, says="Action needed")
    phone.sees("Connect this shop again.")
    there = phone.page.get_by_role("link", name="Open Celigo integrator.io")
    expect(there).to_have_class("button")  # the one filled button of the page
    expect(phone.page.get_by_role("button", name="Reconnect")).to_have_class("button--quiet")
    phone.close()
    his = visit("his", whose=bob, width=NARROW)
    his.open_mail(STOPPED, ann.email)
    forward = "Forward this email: the link works for everyone in your team at “Ann’s Antiques”."
    expect(his.page.get_by_text(forward)).to_be_visible()
    his.press_button_of_mail()
    expect(his.page.get_by_role("heading", level=1)).to_have_text(AMAZON)
    his.sees("Sign in at integrator.io")
    at_integrator(replace(his, email=ann.email), f"Sign in as {ann.email}", "Install")
    his.close()


def heals(visit: Visit, ann: Visitor, business: str) -> None:
    ann.site.database.make_check_due(business)
    called_back(visit, ann, WORKS, AMAZON, shop=AMAZON, says="Connected").close()


def ends(visit: Visit, ann: Visitor, business: str) -> None:
    """Days go by: the last mail came yesterday, and the licence ends in five days."""
    database, before = ann.site.database, expiry(ann.site, business)
    renew(ann.site.stage, days=5)
    database.make_check_due(business)
    wait_until("the end is known", lambda: expiry(ann.site, business) != before)
    database.a_day_since_the_last_mail()
    database.next_minute()
    called_back(visit, ann, ENDS, AMAZON, shop=AMAZON, says="4 days left").close()


def expiry(site: Site, business: str) -> object:
    return site.database.connection(business)["expires_at"]


# -- itembase: it refuses our credentials until staff mend them ------------------------------------


def test_staff_have_done_their_part_and_the_vendor_is_back(visit: Visit, site: Site) -> None:
    """Ann has begun when staff have to act; Bea comes meanwhile, and later leaves it unfinished."""
    done, back = "“eBay”: it is your turn again", "itembase is back: you can connect eBay now"
    unfinished, button = "“eBay” is not connected yet", "Continue to itembase"
    ann, bea = visit("ann"), visit("bea")
    site.stage.fault("itembase", kind="status", status=401, times=None)
    waits_for_staff(ann)
    leaves_it_with_us(bea)
    site.stage.clear("itembase")
    site.database.next_minute()
    # Without scripts the page does not go on by itself.
    called_back(
        visit, ann, done, "Everything is ready", shop="eBay", says=button, scripts=False
    ).close()
    phone = called_back(
        visit, bea, back, "Connect eBay", shop="eBay", says=button, timezone_id=by_day()
    )
    stops_half_way(phone)
    says = "When you are done, itembase sends you back here."
    called_back(visit, bea, unfinished, "Finish at itembase", shop="eBay", says=says)
    assert [mails(ann), mails(bea)] == [[done], [back, unfinished]]


def waits_for_staff(ann: Visitor) -> None:
    ann.sign_up("eBay", "Ann’s Antiques")
    ann.press("Continue to itembase")
    ann.sees("We’re on it")
    ann.sees(f"We’ll email {ann.email} when it’s your turn again")
    ann.close()


def leaves_it_with_us(bea: Visitor) -> None:
    bea.open("/connect/ebay/")
    bea.sign_in()
    bea.sees("itembase is not letting us sign in.")
    bea.press("Leave it with us")
    bea.sees(f"We’ll email {bea.email} when itembase is back")
    bea.close()


def stops_half_way(bea: Visitor) -> None:
    """She goes to itembase, closes its page, and an hour goes by."""
    business = bea.business()
    bea.leave("itembase")
    bea.close()
    bea.site.database.an_hour_since_the_last_look(business)
    bea.site.database.next_minute()


def by_day() -> str:
    """A time zone where it is day: nobody is reminded at night."""
    hours = {zone: datetime.now(ZoneInfo(zone)).hour for zone in ZONES}
    return min(ZONES, key=lambda zone: abs(hours[zone] - 13))
