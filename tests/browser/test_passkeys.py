"""Passkeys in Chromium, with a virtual authenticator: made, used, and removed when the device is lost."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, WIDE, Visit, Visitor

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def give_authenticator(person: Visitor) -> None:
    """Their device can keep passkeys from now on."""
    devices = person.page.context.new_cdp_session(person.page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})


def add_passkey(person: Visitor) -> None:
    person.open("/accounts/2fa/webauthn/")
    person.page.get_by_role("link", name="Add a passkey").click()
    person.page.get_by_label("Name").fill("My phone")
    person.press("Add the passkey")
    person.sees("one passkey")


def sign_out(person: Visitor) -> None:
    person.open("/accounts/logout/")
    person.press("Sign out")


def some_time_passes(person: Visitor) -> None:
    """As far as the limits of asking for codes are concerned: one in ten seconds."""
    forget = "RateLimit.objects.filter(key__startswith='just sent:').delete()"
    person.site.manage("shell", "-c", f"from onboarding.models import RateLimit; {forget}")


def on_another_device(visit: Visit, person: Visitor, **how: Any) -> Visitor:
    """Signed in there by a code, without the passkey."""
    some_time_passes(person)
    other = visit("ann", **how)
    other.email = person.email
    other.open("/accounts/login/")
    other.sign_in()
    other.let_time_pass()
    return other


def remove(person: Visitor) -> None:
    person.open("/accounts/2fa/webauthn/")
    person.page.get_by_role("link", name="Remove").click()
    person.sees("Is it still you?")


def answer_by_code(person: Visitor, shoot: bool = True) -> None:
    before = len(person.site.mails(person.email))
    person.press("Send me a code instead")
    box = person.page.get_by_label("Six-digit code")
    box.fill(person.site.code(person.email, before))
    if shoot:
        person.shoot("the-code")
    person.press("Continue")
    person.sees("Remove this passkey?")


@pytest.mark.parametrize(("width", "dark"), [(WIDE, False), (NARROW, True)])
def test_a_lost_passkey_is_removed_with_a_mailed_code(visit: Visit, width: int, dark: bool) -> None:
    ann = visit("ann")
    give_authenticator(ann)
    ann.set_up("Ann’s Antiques")
    add_passkey(ann)
    other = on_another_device(visit, ann, width=width, dark=dark)
    remove(other)
    other.shoot("still-you")
    answer_by_code(other)
    other.press("Remove the passkey")
    expect(other.page.get_by_text("My phone")).to_have_count(0)


def test_without_scripts_a_code_answers_too(visit: Visit) -> None:
    ann = visit("ann")
    give_authenticator(ann)
    ann.set_up("Ann’s Antiques")
    add_passkey(ann)
    other = on_another_device(visit, ann, scripts=False)
    remove(other)
    answer_by_code(other, shoot=False)


def test_the_passkey_signs_in_and_answers_after_a_code_was_asked_for(visit: Visit) -> None:
    ann = visit("ann")
    give_authenticator(ann)
    ann.set_up("Ann’s Antiques")
    add_passkey(ann)
    sign_out(ann)
    some_time_passes(ann)
    ann.open("/accounts/login/")
    ann.page.get_by_label("Email address").fill(ann.email)
    ann.press("Send me a code")
    ann.page.get_by_role("link", name="Use another address").click()
    ann.press("Use a passkey")
    expect(ann.page).to_have_url(re.compile(r"/m/\w+/$|/shops/$"))
    ann.let_time_pass()
    remove(ann)
    ann.press("Use the passkey")
    ann.sees("Remove this passkey?")


@pytest.mark.parametrize(("width", "dark"), [(WIDE, False), (NARROW, True), (NARROW, False)])
def test_a_code_that_was_entered_wrong_three_times_is_said_so(
    visit: Visit, width: int, dark: bool
) -> None:
    ann = visit("ann", width=width, dark=dark)
    ann.open("/accounts/login/")
    ann.page.get_by_label("Email address").fill(ann.email)
    ann.press("Send me a code")
    wrong = str((int(ann.site.code(ann.email)) + 1) % 1_000_000).zfill(6)
    box = ann.page.get_by_label("Six-digit code")
    for number in range(3):
        with ann.page.expect_navigation():  # it sends itself, also with the blank of a copied code
            box.fill(f"{wrong[:3]} {wrong[3:]}" if number else wrong)
    ann.sees("This code no longer works")
    ann.shoot("spent")
