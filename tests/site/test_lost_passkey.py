"""Who has lost a passkey can remove it: a mailed code also answers “Is it still you?”."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from onboarding.models import User
from tests.support.codes import (
    ANNA,
    LOGIN,
    STILL_YOU,
    anna,
    newest_code,
    posted,
    press,
    wrong,
)
from tests.support.passkeys import add_passkey
from tests.support.still_you import age
from tests.support.visit import visible_text

pytestmark = pytest.mark.django_db
INSTEAD = "Send me a code instead"


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    cache.clear()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def user() -> User:
    """Anna, whose passkey is on a phone that she has lost."""
    user = anna()
    add_passkey(user)
    return user


@pytest.fixture
def signed_in(client: Client, user: User, clock: time_machine.Traveller) -> Client:
    """She has signed in by a code, 16 minutes ago."""
    client.post(LOGIN, {"email": ANNA})
    client.post(f"{LOGIN}code/confirm/", {"code": newest_code()})
    clock.shift(16 * 60)
    return client


def removing(user: User) -> str:
    return reverse("mfa_remove_webauthn", args=[passkey_of(user)])


def passkey_of(user: User) -> int:
    return int(Authenticator.objects.get(user=user).pk)


def asked(client: Client, path: str) -> HttpResponse:
    """The page “Is it still you?” that this page leads to."""
    response = client.get(path, follow=True)
    assert "Is it still you?" in visible_text(response)
    assert isinstance(response, HttpResponse)
    return response


def follow(client: Client, response: HttpResponse) -> HttpResponse:
    page = client.get(response["Location"])
    assert isinstance(page, HttpResponse)
    return page


def test_a_lost_passkey_is_removed_with_a_code(signed_in: Client, user: User) -> None:
    path = removing(user)
    sent = press(signed_in, asked(signed_in, path), INSTEAD)
    assert sent["Location"].startswith(f"{STILL_YOU}?next=")
    assert mail.outbox[-1].to == [ANNA]
    assert ANNA in visible_text(follow(signed_in, sent))
    entered = posted(signed_in, sent["Location"], {"code": newest_code()})
    assert entered["Location"] == path
    assert "Remove this passkey?" in visible_text(signed_in.get(path))
    signed_in.post(path)
    assert not Authenticator.objects.exists()


def test_what_was_pressed_before_the_question_is_done_after_it(
    signed_in: Client, user: User
) -> None:
    path = removing(user)
    question = signed_in.post(path, follow=True)
    assert isinstance(question, HttpResponse)
    sent = press(signed_in, question, INSTEAD)
    form = {"code": newest_code(), "still_you": "1", "next": path}
    done = signed_in.post(sent["Location"], form, follow=True)
    assert done.redirect_chain[0] == (path, 307)
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize("page", ["remove", "edit", "add"])
def test_every_page_that_asks_offers_a_code(signed_in: Client, user: User, page: str) -> None:
    arguments = [] if page == "add" else [passkey_of(user)]
    where = reverse(f"mfa_{page}_webauthn", args=arguments)
    assert INSTEAD in visible_text(asked(signed_in, where))


def test_who_has_a_password_too_is_offered_all_three(signed_in: Client, user: User) -> None:
    user.set_password("a long enough phrase")
    user.save()
    signed_in.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    said = visible_text(asked(age(signed_in), removing(user)))
    assert "You are about to: Remove a passkey" in said
    assert "Password" in said
    assert "Use the passkey" in said
    assert INSTEAD in said


def test_opening_the_page_of_the_code_sends_nothing(signed_in: Client, user: User) -> None:
    before = len(mail.outbox)
    page = asked(signed_in, f"{STILL_YOU}?next=/shops/")
    assert len(mail.outbox) == before
    sent = press(signed_in, page, "Send me a code")
    assert len(mail.outbox) == before + 1
    assert posted(signed_in, sent["Location"], {"code": newest_code()})["Location"] == "/shops/"


def test_a_second_press_within_ten_seconds_sends_nothing_and_says_so(
    signed_in: Client, user: User
) -> None:
    sent = press(signed_in, asked(signed_in, removing(user)), INSTEAD)
    code, before = newest_code(), len(mail.outbox)
    again = press(signed_in, follow(signed_in, sent), "Send a new code")
    assert "We have just sent a code." in visible_text(follow(signed_in, again))
    assert len(mail.outbox) == before
    assert posted(signed_in, sent["Location"], {"code": code})["Location"] == removing(user)


def test_a_code_that_another_browser_asked_for_delays_nothing(
    signed_in: Client, user: User
) -> None:
    Client(REMOTE_ADDR="192.0.2.1").post(LOGIN, {"email": ANNA})
    question, before = asked(signed_in, removing(user)), len(mail.outbox)
    press(signed_in, question, INSTEAD)
    assert len(mail.outbox) == before + 1


def test_right_after_a_spent_code_the_page_says_when_to_ask_for_another(
    signed_in: Client, user: User, clock: time_machine.Traveller
) -> None:
    sent = press(signed_in, asked(signed_in, removing(user)), INSTEAD)
    code, before = newest_code(), len(mail.outbox)
    pages = [posted(signed_in, sent["Location"], {"code": wrong(code, n)}) for n in range(3)]
    refused = follow(signed_in, press(signed_in, pages[-1], "Send a new code"))
    assert "Try again in ten seconds." in visible_text(refused)
    assert len(mail.outbox) == before
    clock.shift(11)
    press(signed_in, pages[-1], "Send a new code")
    assert len(mail.outbox) == before + 1


def test_a_code_of_before_no_longer_works_after_ten_minutes(
    signed_in: Client, user: User, clock: time_machine.Traveller
) -> None:
    sent = press(signed_in, asked(signed_in, removing(user)), INSTEAD)
    clock.shift(10 * 60 + 1)
    answer = posted(signed_in, sent["Location"], {"code": newest_code()})
    assert "This code no longer works." in visible_text(follow(signed_in, answer))
    assert "Is it still you?" in visible_text(signed_in.get(removing(user), follow=True))


def test_a_button_pressed_twice_leads_on(signed_in: Client, user: User) -> None:
    sent = press(signed_in, asked(signed_in, removing(user)), INSTEAD)
    code = newest_code()
    for _ in range(2):
        answer = posted(signed_in, sent["Location"], {"code": code})
        assert answer["Location"] == removing(user)


def test_a_wrong_code_changes_nothing(signed_in: Client, user: User) -> None:
    sent = press(signed_in, asked(signed_in, removing(user)), INSTEAD)
    page = posted(signed_in, sent["Location"], {"code": wrong(newest_code())})
    assert "This code is wrong." in visible_text(page)
    signed_in.post(removing(user))
    assert Authenticator.objects.exists()


def test_who_is_signed_out_is_asked_to_sign_in(client: Client, user: User) -> None:
    assert client.get(STILL_YOU)["Location"].startswith(LOGIN)
    assert client.post(STILL_YOU, {"send": ""})["Location"].startswith(LOGIN)
    assert mail.outbox == []


def test_a_passkey_still_signs_in_while_a_code_is_waited_for(client: Client, user: User) -> None:
    client.post(LOGIN, {"email": ANNA})
    options = client.get("/accounts/2fa/webauthn/login/", headers={"accept": "application/json"})
    assert "request_options" in options.json()
