"""Invitations in Chromium: sent by mail, accepted in another browser by a new user."""

from __future__ import annotations

import pytest

from tests.browser.conftest import NARROW, WIDE, Visit, Visitor

LOOKS = [
    pytest.param({"scripts": True, "width": WIDE}, id="scripts"),
    pytest.param({"scripts": True, "width": NARROW, "dark": True}, id="narrow-dark"),
    pytest.param({"scripts": False, "width": NARROW}, id="plain-narrow"),
]


def invites(ann: Visitor, email: str) -> str:
    """Ann asks them to her team; the link that they find in their mailbox."""
    ann.page.get_by_role("link", name="Team", exact=True).click()
    ann.page.get_by_role("link", name="Invite somebody").click()
    ann.press("Send the invitation")
    ann.sees("Enter the email address of the person to invite.")
    ann.shoot("wrong")
    link = ann.send_invitation(email)
    ann.shoot("invited")
    return link


@pytest.mark.parametrize("look", LOOKS)
def test_a_colleague_is_invited_and_accepts_in_another_browser(
    visit: Visit, look: dict[str, bool]
) -> None:
    ann, bob = visit("ann", **look), visit("bob", **look)
    ann.set_up("Ann’s Antiques")
    link = invites(ann, bob.email)
    bob.page.goto(link)
    bob.sees("You’re invited to Ann’s Antiques")
    bob.sees("As a member you connect and repair its shops.")
    bob.shoot("invitation")
    bob.join("Ann’s Antiques", link)
    bob.page.get_by_role("link", name="Team", exact=True).click()
    bob.sees(ann.email)
    bob.shoot("team")


def test_an_invitation_to_somebody_else_is_refused_calmly(visit: Visit) -> None:
    ann, bob, eve = visit("ann"), visit("bob"), visit("eve")
    ann.set_up("Ann’s Antiques")
    link = ann.invite(bob.email)
    eve.set_up("Eve’s Eggs")
    eve.page.goto(link)
    eve.sees("which is another address")
    eve.shoot("other")
    eve.page.get_by_role("main").get_by_role("button", name="Sign out").click()
    eve.sees("Enter it, and you’ve joined.")
    ann.press("Withdraw")
    eve.page.reload()
    eve.sees("This invitation was withdrawn")
    eve.shoot("withdrawn")


def test_an_owner_removes_and_leaves(visit: Visit) -> None:
    ann, bob = visit("ann"), visit("bob")
    ann.set_up("Ann’s Antiques")
    bob.join("Ann’s Antiques", ann.invite(bob.email))
    ann.open("/shops/")
    ann.page.get_by_role("link", name="Team", exact=True).click()
    ann.page.get_by_role("main").get_by_role("link", name="Remove").click()
    ann.shoot("remove")
    ann.press("Remove from the team")
    ann.sees("no longer belongs to the team")
    ann.page.get_by_role("link", name="What you can do").click()
    ann.sees("A business needs an owner")
    ann.shoot("last-owner")
    bob.open("/shops/")
    bob.sees("What is your business called?")
