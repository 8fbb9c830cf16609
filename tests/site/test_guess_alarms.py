"""Many wrong codes: their owner gets one mail a day, and the security log has each refusal once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from onboarding.background import schedule
from onboarding.models import GuessWarning, SecurityEvent, User
from tests.support.codes import ANNA, KINDS, Kind, anna, forget_mails, newest_code, posted, wrong
from tests.support.visit import browser

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]
SIGN_IN, PASSWORD = KINDS[0], "/accounts/login/password/"
Event = SecurityEvent.Kind


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as coordinates:
        yield coordinates


def guess_wrong(count: int, email: str = ANNA, ip: str = "127.0.0.1") -> None:
    """In new browsers, three at each code."""
    while count > 0:
        forget_mails()
        stranger = Client(REMOTE_ADDR=ip)
        stranger.post("/accounts/login/", {"email": email})
        code = newest_code()
        for number in range(min(3, count)):
            assert SIGN_IN.enter(stranger, wrong(code, number)).status_code == 200
        count -= 3


def warnings() -> list[str]:
    """Addresses of the mails that warn."""
    mail.outbox.clear()
    schedule.mail()
    return [each.to[0] for each in mail.outbox if "tried to sign in" in each.subject]


def test_the_tenth_wrong_code_of_a_day_warns_the_owner_once(
    clock: time_machine.Traveller,
) -> None:
    anna()
    guess_wrong(9)
    assert warnings() == []
    guess_wrong(3, ip="192.0.2.1")
    assert warnings() == [ANNA]
    guess_wrong(3, ip="192.0.3.1")
    assert warnings() == []
    clock.shift(86_401)
    guess_wrong(10)
    assert warnings() == [ANNA]


def test_the_mail_goes_to_the_main_address_and_says_what_to_do() -> None:
    EmailAddress.objects.create(user=anna(), email="second@shop.example", verified=True)
    guess_wrong(10, "second@shop.example")
    assert warnings() == [ANNA]
    said = str(mail.outbox[-1].body)
    assert "entered many wrong codes" in said
    assert "you don’t need to do anything" in said


def test_nobody_is_warned_of_an_address_without_an_account() -> None:
    User.objects.create_user("closed@shop.example", is_active=False)
    guess_wrong(10, "new@shop.example")
    assert warnings() == []
    assert not GuessWarning.objects.exists()


def test_who_mistypes_in_a_known_browser_is_not_warned(
    client: Client, clock: time_machine.Traveller
) -> None:
    anna()
    SIGN_IN.ask(client)
    SIGN_IN.enter(client, newest_code())
    client.post("/accounts/logout/")
    for _ in range(4):
        forget_mails()
        SIGN_IN.ask(client)
        for number in range(3):
            SIGN_IN.enter(client, wrong(newest_code(), number))
    assert warnings() == []


# -- the security log ------------------------------------------------------------------------------


def events(kind: Event) -> QuerySet[SecurityEvent]:
    return SecurityEvent.objects.filter(kind=kind)


def test_a_sign_in_and_a_sign_out_are_in_the_log(client: Client) -> None:
    user = anna()
    SIGN_IN.ask(client)
    SIGN_IN.enter(client, newest_code())
    client.post("/accounts/logout/")
    found = events(Event.SIGNED_IN).get()
    assert (found.user, found.by, found.detail, found.address) == (user, None, "code", "127.0.0.1")
    assert events(Event.SIGNED_OUT).get().user == user


def test_passwords_are_in_the_log_right_and_wrong(client: Client) -> None:
    user = anna()
    user.set_password("a long enough phrase")
    user.save()
    for password in ("wrong", "a long enough phrase"):
        client.post(PASSWORD, {"login": ANNA, "password": password})
    client.post(PASSWORD, {"login": "nobody@shop.example", "password": "wrong"})
    Client().post(PASSWORD, {"login": "nobody@shop.example", "password": "wrong"})
    assert events(Event.SIGNED_IN).get().detail == "password"
    assert [each.user for each in events(Event.WRONG_PASSWORD).order_by("pk")] == [user, None]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_wrong_code_of_each_kind_is_in_the_log(client: Client, kind: Kind) -> None:
    user = anna()
    kind.prepare(client, user)
    kind.ask(client)
    kind.enter(client, wrong(newest_code()))
    found = events(Event.WRONG_CODE).get()
    assert (found.user, found.detail) == (user, str(kind))


def test_still_being_you_is_in_the_log(client: Client) -> None:
    still_you, user = KINDS[3], anna()
    still_you.prepare(client, user)
    still_you.ask(client)
    still_you.enter(client, newest_code())
    found = events(Event.CONFIRMED_IDENTITY).get()
    assert (found.user, found.detail) == (user, "code")


def test_what_a_limit_refuses_is_in_the_log_once_in_its_time(
    clock: time_machine.Traveller,
) -> None:
    asks = [posted(browser(), "/accounts/password/reset/", {"email": ANNA}) for _ in range(30)]
    assert [each.status_code for each in asks].count(429) == 15
    found = events(Event.REFUSED).get()
    assert (found.user, found.detail, found.address) == (None, "mails: address+ip", "127.0.0.1")
    clock.shift(3601)
    for _ in range(18):
        posted(browser(), "/accounts/password/reset/", {"email": ANNA})
    assert events(Event.REFUSED).count() == 2


def test_an_anonymous_flood_writes_few_rows() -> None:
    """However many requests come, the log grows only with what the limits let through."""
    guess_wrong(12, ip="127.0.0.1")
    for _ in range(30):
        Client().post("/accounts/login/", {"email": ANNA})
    for _ in range(30):
        Client().post(PASSWORD, {"login": ANNA, "password": "wrong"})
    assert events(Event.WRONG_CODE).count() == 12
    assert events(Event.WRONG_PASSWORD).count() == 5
    assert events(Event.REFUSED).count() == 2
