"""“Is it still you?” in Chromium: what was pressed goes on by itself, with and without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, WIDE, Visit, Visitor
from tests.browser.test_passkeys import add_passkey, give_authenticator
from tests.browser.test_team import LOOKS, invites


def answer_by_code(person: Visitor) -> None:
    before = len(person.site.mails(person.email))
    person.press("Send me a code")
    person.page.get_by_label("Six-digit code").fill(person.site.code(person.email, before))
    person.shoot("the-code")
    person.press("Continue")


def begin_a_shop(person: Visitor) -> None:
    person.sign_up("eBay", "Ann’s Antiques")
    person.leave("itembase")
    person.open("/shops/")
    person.page.get_by_role("main").get_by_role("link", name="eBay").click()
    person.page.get_by_role("link", name="About this shop").click()


@pytest.mark.parametrize("look", LOOKS)
def test_a_shop_is_removed_after_the_answer(visit: Visit, look: dict[str, bool]) -> None:
    ann = visit("ann", **look)
    begin_a_shop(ann)
    ann.page.get_by_role("main").get_by_role("link", name="Remove").click()
    ann.let_time_pass()
    ann.press("Remove")
    ann.sees("Is it still you?")
    ann.sees("You are about to: Remove a shop from your list")
    ann.shoot("still-you")
    answer_by_code(ann)
    ann.sees("was removed from your list")
    ann.page.reload()
    expect(ann.page).to_have_url(re.compile(r"/m/\w+/$"))


def test_a_passkey_answers(visit: Visit) -> None:
    ann = visit("ann")
    give_authenticator(ann)
    begin_a_shop(ann)
    add_passkey(ann)
    ann.open("/shops/")
    ann.page.get_by_role("main").get_by_role("link", name="eBay").click()
    ann.page.get_by_role("link", name="About this shop").click()
    ann.page.get_by_role("main").get_by_role("link", name="Remove").click()
    ann.let_time_pass()
    ann.press("Remove")
    ann.sees("You are about to: Remove a shop from your list")
    ann.shoot("passkey")
    ann.press("Use the passkey")
    ann.sees("was removed from your list")


@pytest.mark.parametrize("look", LOOKS)
def test_a_member_gets_the_right_to_see_secrets(visit: Visit, look: dict[str, bool]) -> None:
    ann, bob = visit("ann", **look), visit("bob")
    ann.set_up("Ann’s Antiques")
    bob.join("Ann’s Antiques", invites(ann, bob.email))
    ann.page.reload()
    ann.page.get_by_label("May see keys and secrets").check()
    ann.shoot("right")
    ann.let_time_pass()
    ann.press("Save")
    answer_by_code(ann)
    ann.sees("may see keys and secrets now")
    expect(ann.page.get_by_label("May see keys and secrets")).to_be_checked()


@pytest.mark.parametrize(("width", "dark"), [(WIDE, False), (NARROW, True)])
def test_a_removed_address_takes_the_account_back(visit: Visit, width: int, dark: bool) -> None:
    ann = visit("ann", width=width, dark=dark)
    ann.set_up("Ann’s Antiques")
    new = ann.email.replace("ann-", "other-", 1)
    ann.open("/accounts/email/")
    ann.page.get_by_label("Email address").fill(new)
    ann.press("Add it")
    [letters] = re.findall(r"^[A-Z]{4}-[A-Z]{4}$", ann.site.mails(new)[-1], re.MULTILINE)
    ann.page.get_by_label("Code").fill(letters)
    ann.press("Confirm")
    expect(ann.page).not_to_have_url(re.compile("/confirm-email/"))
    ann.open("/accounts/email/")
    ann.press("Make it the main one")
    ann.page.get_by_role("button", name=f"Remove {ann.email}").click()
    owner = visit("owner", width=width, dark=dark)
    owner.page.goto(ann.site.link(ann.email, "/accounts/take-back/"))
    owner.sees("Take your account back?")
    owner.shoot("question")
    owner.press("Take my account back")
    owner.sees("You have your account back")
    owner.shoot("done")
    ann.open("/shops/")
    expect(ann.page).to_have_url(re.compile("/accounts/login/"))
