"""Killed processes: nothing is lost and nothing is created twice, as seen in a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SHOTS, Visit, Visitor
from tests.support.pictures import take_picture
from tests.support.site import Site, wait_until

TENANT = "POST /reseller/tenant"
USER = "POST /reseller/tenant/{codeName}/user"
STAFF = "staff@example.com"
ONE = {"tenants": 1, "users": 2, "connections": 1}


@pytest.fixture(autouse=True)
def clean(site: Site) -> Iterator[None]:
    site.stage.reset()
    yield
    site.stage.clear()


def made(site: Site) -> dict[str, int]:
    counted = site.stage.counts("sharespine")["made"]
    return {kind: counted.get(kind, 0) for kind in ONE}


def finish(ann: Visitor) -> None:
    """From "everything is ready" to a shop that is set up."""
    ann.set_up_at_sharespine()
    ann.sees("is set up, but not confirmed yet")


def test_killed_between_two_creations_it_goes_on_alone(visit: Visit, site: Site) -> None:
    wait = {"Retry-After": "1"}
    site.stage.fault("sharespine", USER, kind="status", status=429, headers=wait, times=1)
    ann = visit("ann")
    ann.sign_up("another shop system", "Ann’s Antiques")
    ann.press("Continue to Sharespine")
    ann.sees("Sharespine asks us to wait until today")
    site.kill("web", "worker")
    assert made(site) == {"tenants": 1, "users": 0, "connections": 0}
    site.start()
    wait_until("the rest is made without anybody", lambda: made(site) == ONE)
    ann.page.reload()
    finish(ann)
    assert made(site) == ONE


def test_killed_during_a_creation_staff_decide(visit: Visit, site: Site) -> None:
    site.stage.fault("sharespine", TENANT, kind="hold", when="after")
    ann = visit("ann")
    ann.sign_up("another shop system", "Ann’s Antiques")
    ann.press("Continue to Sharespine")
    site.stage.wait_until_held("sharespine", TENANT)
    site.kill("web", "worker")
    site.stage.clear()
    site.database.expire_leases()
    before = len(site.mails(STAFF))
    site.start()
    ann.page.goto(ann.page.url)
    ann.sees("We’re on it")
    ann.shoot("on-it")
    wait_until("staff are told", lambda: len(site.mails(STAFF)) > before)

    decide(visit, site)
    expect(ann.page.get_by_role("button", name="Continue to Sharespine")).to_be_visible()
    finish(ann)
    assert made(site) == ONE


def decide(visit: Visit, site: Site) -> None:
    """Staff look at Sharespine, find the tenant, and enter its code name in the admin."""
    site.manage("staff", STAFF)
    tenant = site.stage.state("sharespine")["tenants"][0]["id"]
    staff = visit("staff", dark=True)
    staff.email = STAFF
    staff.open("/admin/")
    staff.sign_in()
    staff.page.get_by_role("link", name="Accounts").first.click()
    staff.page.get_by_role("link", name="Ann’s Antiques").first.click()
    staff.page.get_by_label("It exists, and its ID is").fill(tenant)
    take_picture(staff.page, SHOTS / "staff-decide.png")
    staff.press("It exists: continue with this ID")
