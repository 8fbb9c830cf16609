"""Closing an account and a business in Chromium, with the vendors’ sandboxes, until all is erased."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, WIDE, Visit, Visitor
from tests.support.site import Site, wait_until

LOOKS = [
    pytest.param({"scripts": True, "width": WIDE}, id="scripts"),
    pytest.param({"scripts": False, "width": NARROW, "dark": True}, id="plain-narrow-dark"),
]


def connect(ann: Visitor) -> None:
    """A shop through itembase, and one through Sharespine."""
    ann.sign_up("eBay", "Ann’s Antiques")
    ann.leave("itembase")
    ann.press("Connect the store")
    ann.press("Allow")
    ann.page.get_by_role("link", name="Connect another shop").click()
    ann.page.get_by_role("link", name="another shop system").click()
    ann.set_up_at_sharespine()
    ann.sees("is set up, but not confirmed yet")


def join(ann: Visitor, bob: Visitor) -> None:
    ann.page.get_by_role("link", name="Team", exact=True).click()
    ann.page.get_by_role("link", name="Invite somebody").click()
    ann.page.get_by_label("Email address").fill(bob.email)
    ann.press("Send the invitation")
    bob.join("Ann’s Antiques")


def mailed(person: Visitor, words: str) -> None:
    wait_until(words, lambda: any(words in each for each in person.site.mails(person.email)))


@pytest.mark.parametrize("look", LOOKS)
def test_the_only_owner_closes_their_account_and_hands_over(
    visit: Visit, look: dict[str, bool], tmp_path: Path
) -> None:
    ann, bob = visit("ann", **look), visit("bob", **look)
    connect(ann)
    join(ann, bob)
    ann.open("/accounts/2fa/")
    ann.shoot("account")
    ann.page.get_by_role("link", name="Download what we hold about you").click()
    ann.shoot("data")
    with ann.page.expect_download() as download:
        ann.press("Download the file")
    document = json.loads(Path(download.value.path()).read_text())
    assert document["profile"]["email"] == ann.email
    ann.page.get_by_role("link", name="Close your account").click()
    ann.sees("Who takes over “Ann’s Antiques”?")
    ann.shoot("closing")
    ann.press("Close my account")
    ann.sees("Choose who takes over “Ann’s Antiques”.")
    ann.shoot("not-chosen")
    ann.page.get_by_label(bob.email).check()
    ann.press("Close my account")
    ann.sees("Your account is closed")
    ann.shoot("receipt")
    mailed(ann, "This is our last email to this address")
    mailed(bob, "chose you to take over")
    bob.page.get_by_role("link", name="Team", exact=True).click()
    bob.sees("You are the only owner")
    assert ann.email not in bob.page.content()
    bob.open("/shops/")
    expect(bob.page.get_by_role("main").get_by_text("Connected", exact=True)).to_have_count(1)


@pytest.mark.parametrize("look", LOOKS)
def test_a_business_is_closed_and_erased(visit: Visit, site: Site, look: dict[str, bool]) -> None:
    ann, erin = visit("ann", **look), visit("erin", **look)
    connect(ann)
    ann.page.get_by_role("link", name="Team", exact=True).click()
    ann.shoot("team")
    ann.page.get_by_role("link", name="Close Ann’s Antiques").click()
    ann.sees("We disconnect its 2 shops, and no data flows.")
    ann.page.get_by_label("Type the name of the business").fill("Ann")
    ann.press("Close the business")
    ann.sees("This is a different name.")
    ann.shoot("wrong-name")
    ann.page.get_by_label("Type the name of the business").fill("Ann’s Antiques")
    ann.press("Close the business")
    ann.sees("The business is being closed")
    ann.shoot("begun")
    site.manage("staff", erin.email)
    erin.open("/admin/onboarding/merchant/?closing=1")
    erin.sign_in()
    do_all_tasks(erin)
    wait_until("it is erased", lambda: "The business is closed" in reloaded(ann))
    ann.shoot("receipt")
    mailed(ann, "was closed and erased on")
    erin.open("/admin/onboarding/merchant/?closing=2")
    erin.sees("a closed business")
    assert "Antiques" not in erin.page.content()


def reloaded(ann: Visitor) -> str:
    ann.page.reload()
    return ann.page.content()


def do_all_tasks(erin: Visitor) -> None:
    """Staff do what the vendors have to be asked, and what single shops still need."""

    def one() -> bool:
        for path in ("erasuretask/?open=1", "connection/?task=1"):
            erin.open(f"/admin/onboarding/{path}")
            rows = erin.page.locator("#result_list tbody th a")
            if rows.count():
                rows.first.click()
                erin.shoot(f"task-{path.partition('/')[0]}")
                erin.press("It is done")
                return False
        erin.open("/admin/onboarding/merchant/?closing=1")
        return erin.page.locator("#result_list tbody tr").count() == 0

    wait_until("no task is open", one)
