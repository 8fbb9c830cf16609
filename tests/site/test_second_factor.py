"""The second step of signing in: for whom, with what, how often it may be guessed, and how it is set up."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding.models import RateLimit, SecurityEvent, User
from onboarding.people import factor_forms
from tests.support.at_once import at_once, meeting
from tests.support.codes import ANNA, LOGIN, anna, newest_code, signed_in
from tests.support.factors import (
    PERIOD,
    SECRET,
    STEP,
    STILL_YOU,
    add_app,
    add_recovery_codes,
    app_code,
    enter_mailed_code,
    kinds_of,
    shown_codes,
    shown_secret,
    sign_in,
    wrong_code,
)
from tests.support.passkeys import add_passkey
from tests.support.visit import visible_text

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]
Kind = SecurityEvent.Kind
APP, REMOVE_APP = reverse("mfa_activate_totp"), reverse("mfa_deactivate_totp")
CODES, INDEX = reverse("mfa_view_recovery_codes"), reverse("mfa_index")
PHRASE = "tiger moon lamp river"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """It stands still, so that no code runs out while a test runs."""
    with time_machine.travel(timezone.now(), tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def user() -> User:
    return anna()


@pytest.fixture
def with_app(user: User) -> User:
    add_app(user)
    return user


def seen(kind: SecurityEvent.Kind) -> int:
    return SecurityEvent.objects.filter(kind=kind).count()


# -- who is asked ----------------------------------------------------------------------------------


def test_without_an_app_a_mailed_code_signs_in_as_before(client: Client, user: User) -> None:
    assert enter_mailed_code(client, ANNA) != STEP
    assert signed_in(client)


def test_who_has_a_passkey_alone_still_signs_in_by_code(client: Client, user: User) -> None:
    add_passkey(user)
    enter_mailed_code(client, ANNA)
    assert signed_in(client)


def test_with_an_app_a_mailed_code_is_the_first_of_two_steps(
    client: Client, with_app: User
) -> None:
    assert enter_mailed_code(client, ANNA, to="/connectors/") == STEP
    assert not signed_in(client)
    assert client.get("/shops/")["Location"].startswith(LOGIN)
    answer = client.post(STEP, {"code": app_code()})
    assert (answer["Location"], signed_in(client)) == ("/connectors/", True)


def test_with_an_app_a_password_is_the_first_of_two_steps(client: Client, with_app: User) -> None:
    with_app.set_password(PHRASE)
    with_app.save()
    answer = client.post("/accounts/login/password/", {"login": ANNA, "password": PHRASE})
    assert (answer["Location"], signed_in(client)) == (STEP, False)


def test_a_forgotten_password_does_not_get_round_the_second_step(
    client: Client, with_app: User
) -> None:
    client.post("/accounts/password/reset/", {"email": ANNA})
    client.post("/accounts/password/reset/confirm/", {"code": newest_code()})
    form = {"password1": PHRASE, "password2": PHRASE}
    client.post("/accounts/password/reset/complete/", form)
    assert not signed_in(client)
    assert client.get(STEP).status_code == 200


def test_the_page_of_the_step_cannot_be_opened_without_the_first(
    client: Client, with_app: User
) -> None:
    assert client.get(STEP)["Location"].startswith(LOGIN)
    assert client.post(STEP, {"code": app_code()})["Location"].startswith(LOGIN)
    assert not signed_in(client)


def test_a_mailed_code_sent_twice_leads_to_the_second_step(client: Client, with_app: User) -> None:
    enter_mailed_code(client, ANNA)
    answer = client.post(f"{LOGIN}code/confirm/", {"code": newest_code()}, follow=True)
    assert answer.redirect_chain[-1][0] == STEP


def test_another_address_can_be_used_instead(client: Client, with_app: User) -> None:
    enter_mailed_code(client, ANNA)
    assert 'href="/accounts/login/"' in client.get(STEP).content.decode()
    assert client.get(LOGIN).status_code == 200


# -- what is accepted ------------------------------------------------------------------------------


@pytest.mark.parametrize("periods", [-1, 0, 1])
def test_the_code_of_a_clock_that_is_half_a_minute_off_is_right(
    client: Client, with_app: User, periods: int
) -> None:
    enter_mailed_code(client, ANNA)
    client.post(STEP, {"code": app_code(periods=periods)})
    assert signed_in(client)


@pytest.mark.parametrize("periods", [-2, 2])
def test_an_older_code_and_a_later_one_are_wrong(
    client: Client, with_app: User, periods: int
) -> None:
    enter_mailed_code(client, ANNA)
    page = client.post(STEP, {"code": app_code(periods=periods)})
    assert "This code is wrong" in visible_text(page)
    assert (signed_in(client), seen(Kind.WRONG_FACTOR)) == (False, 1)


def test_a_code_is_read_with_the_blanks_of_the_app(client: Client, with_app: User) -> None:
    enter_mailed_code(client, ANNA)
    code = app_code()
    client.post(STEP, {"code": f" {code[:3]} {code[3:]}\u200b"})
    assert signed_in(client)


def test_a_code_of_the_app_works_once_even_if_the_cache_is_lost(
    client: Client, with_app: User
) -> None:
    sign_in(client, with_app)
    other = Client()
    cache.clear()
    enter_mailed_code(other, ANNA)
    other.post(STEP, {"code": app_code()})
    assert not signed_in(other)


def test_a_code_that_switched_the_app_on_does_not_sign_in_too(client: Client, user: User) -> None:
    secret = set_up_app(client, user)
    other = Client()
    cache.clear()
    enter_mailed_code(other, ANNA)
    other.post(STEP, {"code": app_code(secret)})
    assert not signed_in(other)


def test_a_recovery_code_works_once(client: Client, with_app: User) -> None:
    code = add_recovery_codes(with_app)[3]
    for browser, worked in ((client, True), (Client(), False)):
        cache.clear()
        enter_mailed_code(browser, ANNA)
        browser.post(STEP, {"code": code})
        assert signed_in(browser) is worked


def waiting(count: int) -> list[Client]:
    """Browsers that have taken the first step and are asked for the second."""
    browsers = [Client() for _ in range(count)]
    for each in browsers:
        cache.clear()
        assert enter_mailed_code(each, ANNA) == STEP
    return browsers


@pytest.mark.parametrize("what", ["app", "recovery"])
def test_the_same_code_in_two_browsers_at_once_signs_one_in(
    with_app: User, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = app_code() if what == "app" else add_recovery_codes(with_app)[0]
    browsers = waiting(2)
    meeting(monkeypatch, auth, "validate_totp_code")
    at_once(*[partial(each.post, STEP, {"code": code}) for each in browsers])
    assert sum(map(signed_in, browsers)) == 1


@pytest.mark.parametrize(
    "answer", ["", "null", "{}", "[" * 5_000, '{"id": "\\u0000"}', "x" * 9_999]
)
def test_what_no_passkey_answers_is_refused_and_is_never_an_error(
    client: Client, with_app: User, answer: str
) -> None:
    add_passkey(with_app)
    enter_mailed_code(client, ANNA)
    client.get(STEP)
    page = client.post(STEP, {"credential": answer})
    assert (page.status_code, signed_in(client)) == (200, False)
    assert "No passkey was used" in visible_text(page)
    client.post(STEP, {"code": app_code()})
    assert signed_in(client)


# -- how often it may be guessed -------------------------------------------------------------------


def test_five_wrong_codes_in_five_minutes_are_compared_and_no_more(
    client: Client, with_app: User, clock: time_machine.Traveller
) -> None:
    enter_mailed_code(client, ANNA)
    for number in range(5):
        assert client.post(STEP, {"code": wrong_code(number)}).status_code == 200
    refused = client.post(STEP, {"code": app_code()})
    assert (refused.status_code, signed_in(client)) == (429, False)
    assert "Try again in 5 minutes." in visible_text(refused)
    assert (seen(Kind.WRONG_FACTOR), seen(Kind.REFUSED)) == (5, 1)
    clock.shift(301)
    client.post(STEP, {"code": app_code()})
    assert signed_in(client)


def test_guesses_at_once_from_many_browsers_are_five(with_app: User) -> None:
    browsers = waiting(8)
    guesses = enumerate(browsers)
    answers = at_once(*[partial(b.post, STEP, {"code": wrong_code(n)}) for n, b in guesses])
    assert sorted(each.status_code for each in answers) == [200] * 5 + [429] * 3


def test_twenty_wrong_codes_a_day_are_compared(
    client: Client, with_app: User, clock: time_machine.Traveller, settings: Settings
) -> None:
    settings.WRONG_FACTOR_LIMITS = "20/d/key"
    enter_mailed_code(client, ANNA)
    for number in range(20):
        assert client.post(STEP, {"code": wrong_code(number)}).status_code == 200
    assert client.post(STEP, {"code": app_code()}).status_code == 429


def test_the_limits_are_five_in_five_minutes_and_twenty_a_day(user: User) -> None:
    bounds = factor_forms.Guesses(user).bounds
    found = [(each.amount, each.period.total_seconds()) for each in bounds]
    assert found == [(5, 300), (20, 86_400)]


def test_right_codes_use_nothing_up(client: Client, with_app: User) -> None:
    sign_in(client, with_app)
    keys = [each.key for each in factor_forms.Guesses(with_app).bounds]
    assert [*RateLimit.objects.filter(key__in=keys).values_list("used", flat=True)] == [0, 0]


def test_guesses_at_still_you_count_with_those_at_the_sign_in(
    client: Client, with_app: User
) -> None:
    sign_in(client, with_app)
    for number in range(5):
        client.post(STILL_YOU, {"code": wrong_code(number)})
    assert client.post(STILL_YOU, {"code": app_code(periods=1)}).status_code == 429


# -- “Is it still you?” ----------------------------------------------------------------------------


def test_the_mailbox_alone_does_not_remove_the_app(
    client: Client, with_app: User, clock: time_machine.Traveller
) -> None:
    with_app.set_password(PHRASE)
    with_app.save()
    sign_in(client, with_app)
    clock.shift(16 * 60)
    asked = client.get(REMOVE_APP, follow=True)
    assert asked.redirect_chain[-1][0].startswith(STILL_YOU)
    for way in ("account_reauthenticate_code", "account_reauthenticate"):
        assert client.get(reverse(way))["Location"] == STILL_YOU
        assert client.post(reverse(way), {"send": "", "password": PHRASE})["Location"] == STILL_YOU
    client.post(REMOVE_APP)
    assert kinds_of(with_app) == ["totp"]


@pytest.mark.parametrize("what", ["app", "recovery"])
def test_the_app_or_a_recovery_code_removes_the_app(
    client: Client, with_app: User, clock: time_machine.Traveller, what: str
) -> None:
    codes = add_recovery_codes(with_app)
    sign_in(client, with_app)
    clock.shift(16 * 60)
    client.post(REMOVE_APP)
    code = app_code() if what == "app" else codes[0]
    form = {"code": code, "still_you": "1"}
    client.post(f"{STILL_YOU}?next={REMOVE_APP}", form, follow=True)
    assert kinds_of(with_app) == []
    assert seen(Kind.FACTOR_REMOVED) == 2  # and the recovery codes, which are of no use alone
    assert "authenticator app was removed" in mail.outbox[-1].subject


# -- setting it up ---------------------------------------------------------------------------------


def set_up_app(client: Client, user: User) -> str:
    """Sign in by code and switch the app on; its secret."""
    enter_mailed_code(client, user.email)
    secret = shown_secret(client.get(APP).content.decode())
    answer = client.post(APP, {"code": app_code(secret)})
    assert answer.headers["Location"] == CODES
    return secret


def test_the_page_shows_the_secret_as_a_picture_and_as_text(client: Client, user: User) -> None:
    enter_mailed_code(client, ANNA)
    html = client.get(APP).content.decode()
    assert 'src="data:image/svg+xml;base64,' in html
    assert "<?xml" not in html
    assert 'href="otpauth://totp/' in html
    assert " style=" not in html
    assert shown_secret(html) == shown_secret(client.get(APP).content.decode())


def test_an_app_is_set_up_with_ten_recovery_codes(client: Client, user: User) -> None:
    set_up_app(client, user)
    assert kinds_of(user) == ["recovery_codes", "totp"]
    assert len(set(shown_codes(client.get(CODES).content.decode()))) == 10
    assert seen(Kind.FACTOR_ADDED) == 2
    assert "authenticator app was added" in mail.outbox[-1].subject


def test_a_wrong_first_code_sets_nothing_up_and_keeps_the_secret(
    client: Client, user: User
) -> None:
    enter_mailed_code(client, ANNA)
    secret = shown_secret(client.get(APP).content.decode())
    page = client.post(APP, {"code": wrong_code(secret=secret)})
    assert shown_secret(page.content.decode()) == secret
    assert kinds_of(user) == []


def test_recovery_codes_are_shown_until_they_are_confirmed(client: Client, user: User) -> None:
    set_up_app(client, user)
    row = Authenticator.objects.get(type="recovery_codes")
    codes = shown_codes(client.get(CODES).content.decode())
    saved = client.post(reverse("mfa_download_recovery_codes"))
    assert all(code in saved.content.decode() for code in codes)
    client.post(reverse("mfa_confirm_recovery_codes"), {"seen": row.pk})
    page = client.get(CODES)
    assert shown_codes(page.content.decode()) == []
    assert "You have 10 recovery codes left." in visible_text(page)
    assert client.post(reverse("mfa_download_recovery_codes")).status_code == 302


def test_codes_that_were_not_seen_are_not_confirmed(client: Client, user: User) -> None:
    set_up_app(client, user)
    old = Authenticator.objects.get(type="recovery_codes").pk
    client.post(reverse("mfa_generate_recovery_codes"))
    client.post(reverse("mfa_confirm_recovery_codes"), {"seen": old})
    assert len(shown_codes(client.get(CODES).content.decode())) == 10


def test_new_recovery_codes_replace_the_old_ones(client: Client, user: User) -> None:
    set_up_app(client, user)
    old = shown_codes(client.get(CODES).content.decode())
    client.post(reverse("mfa_generate_recovery_codes"))
    assert not set(old) & set(shown_codes(client.get(CODES).content.decode()))
    assert "new recovery codes" in mail.outbox[-1].subject


def test_a_passkey_of_a_merchant_comes_without_recovery_codes(client: Client, user: User) -> None:
    add_passkey(user)
    enter_mailed_code(client, ANNA)
    html = client.get(INDEX).content.decode()
    assert CODES not in html
    assert "Authenticator app" in html


def test_removing_the_app_removes_its_recovery_codes_beside_a_passkey(
    client: Client, with_app: User, clock: time_machine.Traveller
) -> None:
    add_passkey(with_app)
    add_recovery_codes(with_app)
    sign_in(client, with_app)
    clock.shift(PERIOD)
    client.post(REMOVE_APP)
    client.post(f"{STILL_YOU}?next={REMOVE_APP}", {"code": app_code()})
    assert kinds_of(with_app) == ["webauthn"]


def test_the_secrets_are_not_readable_in_the_database(client: Client, user: User) -> None:
    secret = set_up_app(client, user)
    codes = shown_codes(client.get(CODES).content.decode())
    stored = "".join(str(each.data) for each in Authenticator.objects.all())
    assert not any(each in stored for each in (secret, SECRET, *codes))


def test_the_secret_is_not_readable_in_the_session_before_it_is_confirmed(
    client: Client, user: User
) -> None:
    enter_mailed_code(client, ANNA)
    secret = shown_secret(client.get(APP).content.decode())
    assert secret not in str(dict(client.session))
