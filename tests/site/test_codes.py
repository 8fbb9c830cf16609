"""Guesses of mailed codes, for every kind of code: three of each are compared, however many come at once."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.apps import apps
from django.core import mail
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding.models import Alert, RateLimit, Session, User
from onboarding.people.codes import StoredCode, as_stored
from tests.support.codes import (
    ANNA,
    KINDS,
    SECOND,
    SPENT,
    Kind,
    anna,
    forget_mails,
    newest_code,
    posted,
    press,
    wrong,
)
from tests.support.crowd import at_once
from tests.support.visit import visible_text

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]
EVERY_KIND = pytest.mark.parametrize("kind", KINDS, ids=str)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as coordinates:
        yield coordinates


def twin(client: Client) -> Client:
    """Another tab of the same browser."""
    other = Client()
    other.defaults.update(client.defaults)
    other.cookies.update(client.cookies)
    return other


def guess_at_once(client: Client, kind: Kind, codes: list[str]) -> list[HttpResponse]:
    return at_once([partial(kind.enter, twin(client), code) for code in codes])


@EVERY_KIND
@pytest.mark.parametrize("crowd", [10, 40])
def test_three_of_many_wrong_guesses_at_once_are_compared(
    client: Client, asked: Callable[[Kind], str], compared: list[str], kind: Kind, crowd: int
) -> None:
    code = asked(kind)
    responses = guess_at_once(client, kind, [wrong(code, number) for number in range(crowd)])
    assert len(compared) == 3
    assert {response.status_code for response in responses} == {200}
    assert sum(SPENT in visible_text(response) for response in responses) >= crowd - 3
    assert SPENT in visible_text(kind.enter(client, code))
    assert len(compared) == 3
    assert not kind.worked(client)


@EVERY_KIND
@pytest.mark.parametrize("crowd", [10, 40])
def test_the_right_code_among_many_at_once_works_only_if_it_was_compared(
    client: Client, asked: Callable[[Kind], str], compared: list[str], kind: Kind, crowd: int
) -> None:
    code = asked(kind)
    guesses = [*(wrong(code, number) for number in range(crowd - 1)), code]
    responses = guess_at_once(client, kind, guesses)
    right = responses[-1]
    assert len(compared) == 3
    assert (right.status_code == 302) == (code.replace("-", "") in compared)
    # A wrong guess that comes after the right one is sent on: nothing waits for a code any more.
    assert {each.status_code for each in responses[:-1]} <= {200, 302}


@EVERY_KIND
def test_the_fourth_guess_is_told_that_the_code_no_longer_works(
    client: Client, asked: Callable[[Kind], str], compared: list[str], kind: Kind
) -> None:
    code = asked(kind)
    pages = [visible_text(kind.enter(client, wrong(code, number))) for number in range(3)]
    assert [SPENT in page for page in pages] == [False, False, True]
    assert SPENT in visible_text(kind.enter(client, code))
    assert SPENT in visible_text(client.get(kind.page))
    assert len(compared) == 3
    assert not kind.worked(client)


@EVERY_KIND
def test_a_code_works_at_a_web_server_whose_clock_is_an_hour_ahead(
    client: Client, asked: Callable[[Kind], str], kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = timezone.now()
    monkeypatch.setattr("onboarding.clock.now", lambda: right)
    code = asked(kind)
    with time_machine.travel(right + timedelta(hours=1)):
        assert kind.enter(client, code).status_code == 302
        assert kind.worked(client)


@EVERY_KIND
def test_a_new_code_works_after_a_spent_one(
    client: Client, asked: Callable[[Kind], str], kind: Kind, clock: time_machine.Traveller
) -> None:
    code = asked(kind)
    for number in range(3):
        kind.enter(client, wrong(code, number))
    clock.shift(11)
    assert kind.ask(client).status_code == 302
    assert kind.enter(client, newest_code()).status_code == 302
    assert kind.worked(client)


@EVERY_KIND
def test_the_button_of_the_spent_page_sends_a_new_code(
    client: Client, asked: Callable[[Kind], str], kind: Kind, clock: time_machine.Traveller
) -> None:
    code = asked(kind)
    pages = [kind.enter(client, wrong(code, number)) for number in range(3)]
    clock.shift(11)
    before = len(mail.outbox)
    assert press(client, pages[-1], "Send a new code").headers["Location"].startswith(kind.page)
    assert len(mail.outbox) == before + 1
    assert kind.enter(client, newest_code()).status_code == 302


@EVERY_KIND
def test_new_codes_do_not_reset_the_bound_of_an_address(
    client: Client,
    asked: Callable[[Kind], str],
    compared: list[str],
    kind: Kind,
    clock: time_machine.Traveller,
) -> None:
    code = asked(kind)
    for _ in range(4):
        for number in range(3):
            kind.enter(client, wrong(code, number))
        clock.shift(61)
        refused = kind.ask(client)
        code = newest_code()
    assert len(compared) == 12
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    assert "Try again in 56 minutes." in visible_text(refused)


def test_the_owner_is_told_when_to_come_back_and_then_gets_in(
    client: Client, clock: time_machine.Traveller, compared: list[str]
) -> None:
    sign_in, user = KINDS[0], anna()
    sign_in.ask(client)
    wrong_guesses(12, ip="127.0.0.1")
    refused = sign_in.enter(client, newest_code())
    assert refused.status_code == 429
    assert len(compared) == 12
    clock.shift(int(refused.headers["Retry-After"]))
    sign_in.ask(client)
    sign_in.enter(client, newest_code())
    assert client.session["_auth_user_id"] == str(user.pk)


def wrong_guesses(count: int, email: str = ANNA, ip: str = "192.0.2.1") -> None:
    """So many wrong guesses for an address, in new browsers, and all of them compared."""
    while count > 0:
        forget_mails()
        browser = Client(REMOTE_ADDR=ip)
        assert browser.post("/accounts/login/", {"email": email}).status_code == 302
        code = newest_code()
        for number in range(min(3, count)):
            assert KINDS[0].enter(browser, wrong(code, number)).status_code == 200
        count -= 3


def ask(ip: str, email: str = ANNA) -> HttpResponse:
    """A new browser there asks for a code."""
    forget_mails()
    return posted(Client(REMOTE_ADDR=ip), "/accounts/login/", {"email": email})


def test_a_day_has_a_bound_of_its_own_for_an_address(clock: time_machine.Traveller) -> None:
    for hour in range(2):
        for net in range(4):
            wrong_guesses(6, ip=f"198.51.{net}.{hour}")
        clock.shift(3601)
    refused = ask("192.0.2.1")
    assert refused.status_code == 429
    assert "Try again in 22 hours." in visible_text(refused)
    clock.shift(int(refused.headers["Retry-After"]))
    wrong_guesses(3)


def test_an_address_has_a_bound_for_each_network_and_others_go_on(
    clock: time_machine.Traveller,
) -> None:
    wrong_guesses(3, ip="203.0.113.1")
    wrong_guesses(3, ip="203.0.113.2")
    assert "Try again in 60 minutes." in visible_text(ask("203.0.113.3"))
    assert ask("203.0.114.3").status_code == 302
    assert ask("203.0.113.3", "somebody@office.example").status_code == 302


def test_an_ip_address_is_bounded_over_many_addresses(clock: time_machine.Traveller) -> None:
    for number in range(10):
        wrong_guesses(3, f"person-{number}@office.example")
    assert "Try again in 60 minutes." in visible_text(ask("192.0.2.1"))
    wrong_guesses(3, ip="192.0.2.2")


def test_a_network_is_bounded_over_many_ip_addresses(clock: time_machine.Traveller) -> None:
    for number in range(17):
        wrong_guesses(min(3, 50 - 3 * number), f"p{number}@office.example", f"192.0.2.{number}")
    assert ask("192.0.2.77").status_code == 429
    assert ask("192.0.3.1").status_code == 302


@pytest.mark.parametrize(
    ("neighbour", "refused"),
    [("2001:db8::f", True), ("2001:db8:0:1::1", True), ("2001:db8:1::1", False)],
)
def test_an_ipv6_customer_is_one_asker_and_their_provider_a_network(
    clock: time_machine.Traveller, neighbour: str, refused: bool
) -> None:
    wrong_guesses(6, ip="2001:db8::1")
    assert (ask(neighbour).status_code == 429) == refused
    assert ask("::ffff:192.0.2.1").status_code == 302


def test_the_whole_site_has_a_bound_for_strangers_and_staff_hear_of_it(
    clock: time_machine.Traveller, settings: Settings
) -> None:
    settings.LIMITS = {
        **settings.LIMITS,
        "wrong codes": settings.LIMITS["wrong codes"] | {"site": "10/d"},
    }
    known = Client(REMOTE_ADDR="192.0.2.1")
    KINDS[0].ask(known)
    KINDS[0].enter(known, newest_code())
    known.post("/accounts/logout/")
    for number in range(3):
        assert not Alert.objects.exists()
        wrong_guesses(3, f"p{number}@shop.example", f"198.51.{number}.1")
    assert Alert.objects.get().cause == "wrong codes"
    wrong_guesses(1, "p9@shop.example", "198.51.9.1")
    assert ask("203.0.113.1").status_code == 429
    forget_mails()
    KINDS[0].ask(known)
    KINDS[0].enter(known, newest_code())
    assert KINDS[0].worked(known)


def test_an_office_that_types_its_codes_right_is_never_refused() -> None:
    for number in range(65):
        person = Client(REMOTE_ADDR="192.0.2.1")
        person.post("/accounts/login/", {"email": f"person-{number}@office.example"})
        assert KINDS[0].enter(person, newest_code()).status_code == 302
    assert not RateLimit.objects.filter(used__gt=0, key__startswith="wrong").exists()


def test_the_bound_of_an_address_holds_when_guesses_come_at_once(compared: list[str]) -> None:
    browsers = []
    for _ in range(8):
        forget_mails()
        browsers.append(Client(REMOTE_ADDR="192.0.2.1"))
        browsers[-1].post("/accounts/login/", {"email": ANNA})
    guesses = [
        partial(KINDS[0].enter, twin(browser), f"{number:06}")
        for number in range(3)
        for browser in browsers
    ]
    statuses = [response.status_code for response in at_once(guesses)]
    assert (len(compared), statuses.count(429)) == (6, 18)


@EVERY_KIND
def test_a_wrong_code_is_logged_without_the_code(
    client: Client, asked: Callable[[Kind], str], kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    code = asked(kind)
    caplog.clear()
    with caplog.at_level(logging.WARNING, "onboarding.people.codes"):
        kind.enter(client, wrong(code))
    [line] = [each.getMessage() for each in caplog.records if each.name.endswith("codes")]
    assert line.startswith(f"a wrong code ({kind})")
    assert "127.0.0.1" in line
    assert code not in caplog.text
    assert wrong(code) not in caplog.text
    assert ANNA not in caplog.text
    assert SECOND not in caplog.text


def test_no_address_and_no_code_stands_in_the_counts(
    client: Client, asked: Callable[[Kind], str]
) -> None:
    code = asked(KINDS[0])
    KINDS[0].enter(client, wrong(code))
    keys = " ".join(RateLimit.objects.values_list("key", flat=True))
    assert keys
    assert code not in keys
    assert ANNA not in keys


def test_a_spent_code_at_sign_in_with_a_password_is_no_dead_end(
    client: Client, compared: list[str], clock: time_machine.Traveller
) -> None:
    user = User.objects.create_user(ANNA, "a long enough phrase")
    EmailAddress.objects.create(user=user, email=ANNA, verified=False, primary=True)
    form = {"login": ANNA, "password": "a long enough phrase"}
    where = posted(client, "/accounts/login/password/", form)["Location"]
    code = newest_code()
    pages = [posted(client, where, {"code": wrong(code, number)}) for number in range(3)]
    assert SPENT in visible_text(posted(client, where, {"code": code}))
    assert len(compared) == 3
    clock.shift(11)
    press(client, pages[-1], "Send a new code")
    KINDS[0].enter(client, newest_code())
    assert KINDS[0].worked(client)


@EVERY_KIND
def test_a_code_is_in_the_mail_alone(
    client: Client, asked: Callable[[Kind], str], kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    """No session, no row of any table, no line of the log, no cookie has it, before or after a guess."""
    caplog.set_level(0)
    code = asked(kind)
    kind.enter(client, wrong(code))
    sessions = [str(each.get_decoded()) for each in Session.objects.all()]
    rows = [str(row) for model in apps.get_models() for row in model._base_manager.values()]
    cache = rows_of("cache")
    cookies = [cookie.value for cookie in client.cookies.values()]
    seen = "\n".join([*sessions, *rows, *cache, *cookies, caplog.text]).upper()
    assert ":" in seen
    assert not re.search(rf"(?<![0-9A-F]){code}|{code.replace('-', '')}(?![0-9A-F])", seen)


def rows_of(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")
        return [str(row) for row in cursor.fetchall()]


def test_the_same_code_is_stored_otherwise_each_time_and_for_each_kind() -> None:
    made = {StoredCode.of(kind, "123456") for kind in ("sign-in", "still you", "sign-in")}
    assert len(made) == 3
    [salt] = {each.partition(":")[0] for each in [StoredCode.of("sign-in", "123456")]}
    assert as_stored("sign-in", "123456", salt) != as_stored("still you", "123456", salt)
    assert as_stored("address", "BCDF-GHJK", salt) == as_stored("address", "bcdfghjk", salt)


def test_a_stored_code_is_of_no_use_under_another_key(settings: Settings) -> None:
    before = as_stored("sign-in", "123456", "salt")
    settings.SECRET_KEY = "another"
    assert as_stored("sign-in", "123456", "salt") != before


def test_what_is_copied_of_a_stored_code_is_its_hash() -> None:
    stored = StoredCode.of("sign-in", "123456")
    assert stored.mailed == "123456"
    for copied in (
        copy.deepcopy(stored),
        pickle.loads(pickle.dumps(stored)),
        json.loads(json.dumps(stored)),
    ):
        assert copied == str(stored)
        assert not hasattr(copied, "mailed")


@EVERY_KIND
def test_a_code_works_ten_minutes_and_page_and_mail_say_so(
    client: Client, asked: Callable[[Kind], str], kind: Kind, clock: time_machine.Traveller
) -> None:
    code = asked(kind)
    assert "10 minutes" in str(mail.outbox[-1].body)
    assert "10 minutes" in visible_text(client.get(kind.page))
    clock.shift(601)
    kind.enter(client, code)
    assert not kind.worked(client)
