"""The second step in Chromium: a merchant's authenticator app, and staff who have to have one."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, WIDE, Visit, Visitor
from tests.browser.test_passkeys import give_authenticator, sign_out, some_time_passes
from tests.support.factors import app_code, shown_codes, shown_secret, wrong_code
from tests.support.site import Site
from vendors import sandbox


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that asks staff for a second step."""
    folder = tmp_path_factory.mktemp("site")
    stage = sandbox.start(folder / "sandbox")
    site = Site(folder, stage, extra_env={"STAFF_MFA": "1"})
    site.prepare()
    site.start()
    yield site
    site.stop()
    stage.stop()


def enter(person: Visitor, code: str) -> None:
    person.page.get_by_label(re.compile("Code from the app|Six-digit code")).fill(code)


def switch_app_on(person: Visitor, *, shoot: bool = True) -> str:
    """On the page of the app; its secret. Ends on the page of the recovery codes."""
    expect(person.page.locator("img.qr")).to_be_visible()
    secret = shown_secret(person.page.content())
    if shoot:
        person.shoot("app")
    enter(person, app_code(secret))
    person.press("Switch it on")
    person.sees("Save your recovery codes")
    return secret


def ask_for_code(person: Visitor) -> None:
    """The first step of signing in."""
    some_time_passes(person)
    person.open("/accounts/login/")
    person.sign_in()


@pytest.mark.parametrize(("width", "dark"), [(WIDE, False), (NARROW, True)])
def test_a_merchant_signs_in_with_an_authenticator_app(
    visit: Visit, width: int, dark: bool
) -> None:
    ann = visit("ann", width=width, dark=dark)
    ann.set_up("Ann’s Antiques")
    ann.open("/accounts/2fa/")
    ann.shoot("security-without")
    ann.page.get_by_role("link", name="Authenticator app").click()
    secret = switch_app_on(ann)
    ann.shoot("recovery-codes")
    ann.press("I have saved them")
    ann.sees("10 left")
    ann.shoot("security-with")
    sign_out(ann)
    ask_for_code(ann)
    ann.sees("One more step")
    enter(ann, wrong_code(secret=secret))
    ann.press("Continue")
    ann.sees("This code is wrong")
    ann.shoot("wrong")
    enter(ann, app_code(secret, periods=1))
    ann.press("Continue")
    expect(ann.page).to_have_url(re.compile(r"/m/\w+/$|/shops/$"))


def test_without_scripts_the_app_is_set_up_and_signs_in(visit: Visit) -> None:
    ann = visit("ann", scripts=False)
    ann.set_up("Ann’s Antiques")
    ann.open("/accounts/2fa/totp/activate/")
    switch_app_on(ann)
    [code, *_] = shown_codes(ann.page.content())
    with ann.page.expect_download() as file:
        ann.press("Download as a text file")
    assert code in file.value.path().read_text()
    ann.press("I have saved them")
    sign_out(ann)
    ask_for_code(ann)
    enter(ann, code)
    ann.shoot("step")
    ann.press("Continue")
    expect(ann.page).to_have_url(re.compile(r"/m/\w+/$|/shops/$"))


def become_staff(person: Visitor) -> None:
    person.site.manage("staff", person.email)
    person.open("/admin/onboarding/connection/")
    person.sign_in()
    person.sees("Set up a second step")


@pytest.mark.parametrize(("width", "dark"), [(WIDE, False), (NARROW, True)])
def test_staff_set_a_passkey_up_and_are_asked_for_it_next_time(
    visit: Visit, width: int, dark: bool
) -> None:
    erin = visit("erin", width=width, dark=dark)
    give_authenticator(erin)
    become_staff(erin)
    erin.shoot("set-up")
    erin.page.get_by_role("link", name="A passkey").click()
    erin.page.get_by_label("Name").fill("My laptop")
    erin.press("Add the passkey")
    erin.sees("Save your recovery codes")
    erin.press("I have saved them")
    expect(erin.page).to_have_url(re.compile("/admin/onboarding/connection/$"))
    sign_out(erin)
    ask_for_code(erin)
    erin.sees("One more step")
    erin.shoot("step")
    erin.press("Use the passkey")
    expect(erin.page).to_have_url(re.compile("/welcome/$|/shops/$"))
    erin.open("/admin/")
    expect(erin.page.get_by_role("link", name="Connections").first).to_be_visible()


def test_staff_set_an_app_up_and_a_colleague_takes_it_away(visit: Visit, site: Site) -> None:
    erin, gus = visit("erin"), visit("gus", width=NARROW)
    for person in (erin, gus):
        become_staff(person)
        person.page.get_by_role("link", name="An authenticator app").click()
        switch_app_on(person, shoot=False)
        person.press("I have saved them")
        expect(person.page).to_have_url(re.compile("/admin/onboarding/connection/$"))
    erin.open(f"/admin/onboarding/user/?q={gus.email}")
    erin.page.get_by_role("link", name=gus.email).click()
    erin.page.get_by_role("link", name="Remove it").click()
    erin.page.get_by_label("How do you know").select_option(label="met in person")
    erin.shoot("reset")
    erin.press("Remove it")
    erin.sees("The second step is removed.")
    gus.open("/admin/")
    expect(gus.page.get_by_label("Email address")).to_be_visible()
    assert "signed you out everywhere" in site.mails(gus.email)[-1]


def test_a_short_password_and_a_stolen_one_are_refused_in_words(visit: Visit) -> None:
    ann = visit("ann")
    ann.set_up("Ann’s Antiques")
    ann.open("/accounts/password/set/")
    for password, said in [
        ("tiger", "Use at least 12 characters."),
        ("Welcome2024!", "a list of stolen passwords"),
        ("antiques and lamps", "Leave out “Antiques”"),
    ]:
        for label in ("Password", "Password (again)"):
            ann.page.get_by_label(label, exact=True).fill(password)
        ann.press("Save the password")
        ann.sees(said)
    ann.shoot("refused")
