"""An attack on sign-in over real HTTP, bounded in requests: what is compared and mailed, who is kept out.

Each test prints its figures (`pytest -s`). docs/security/limits.md has the table.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.utils import timezone
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from tests.security.attacker import RESET, Browser, guess_wrong, newest_code, wrong
from tests.support.people import person

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]
OWNER = "owner@shop.example"
ATTACKER, NEIGHBOUR, HOME = "203.0.113.7", "203.0.113.8", "192.0.2.10"


@pytest.fixture
def site(live_server: LiveServer, settings: Settings) -> str:
    """A site behind one proxy, which names the address of each browser."""
    settings.PROXY_COUNT = 1
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
    return live_server.url.replace("127.0.0.1", "localhost")


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=True) as coordinates:
        yield coordinates


@pytest.fixture
def known(site: str) -> Browser:
    """The owner's browser: they have signed in there before."""
    person(OWNER, "Owner")
    browser = Browser(site, HOME)
    assert browser.sign_in(OWNER)
    browser.sign_out()
    assert not browser.is_signed_in()
    return browser


def figure(what: str, seen: object) -> None:
    sys.stdout.write(f"\n  {what}: {seen}\n")


# -- guesses --------------------------------------------------------------------------------------


def test_of_many_guesses_at_once_three_are_compared(
    site: str, caplog: pytest.LogCaptureFixture
) -> None:
    browser = Browser(site, ATTACKER)
    browser.ask(OWNER)
    twins = [Browser(site, ATTACKER) for _ in range(24)]
    for twin in twins:
        twin.cookies.update(browser.cookies)
    with ThreadPoolExecutor(24) as pool:
        guesses = [partial(twin.guess, wrong(OWNER, n)) for n, twin in enumerate(twins)]
        list(pool.map(lambda guess: guess(), guesses))
    compared = caplog.text.count("a wrong code (sign-in)")
    figure("of 24 guesses at once, compared", compared)
    assert compared == 3


def test_one_address_guesses_at_few_people(site: str) -> None:
    tried = sum(guess_wrong(site, ATTACKER, f"p{number}@shop.example", 3) for number in range(40))
    figure("guesses in an hour from one IP address, at 40 people", tried)
    assert tried <= 30


def test_one_network_guesses_at_few_people(site: str) -> None:
    tried = 0
    for host in range(8):
        for number in range(5):
            email = f"p{host}-{number}@shop.example"
            tried += guess_wrong(site, f"203.0.113.{host}", email, 3)
    figure("guesses in an hour from 8 IP addresses of one network", tried)
    assert tried <= 50


def test_many_networks_guess_rarely_at_one_person(site: str) -> None:
    tried = sum(guess_wrong(site, f"203.0.{net}.7", OWNER, 6) for net in range(9))
    figure("guesses in an hour from 9 networks, at one person", tried)
    assert tried <= 24


# -- keeping somebody out -------------------------------------------------------------------------


def test_a_request_of_a_stranger_lets_the_owner_ask_at_once(site: str) -> None:
    person(OWNER, "Owner")
    assert Browser(site, ATTACKER).ask(OWNER)
    assert Browser(site, HOME).sign_in(OWNER)


def test_a_request_of_a_stranger_in_the_same_network_too(site: str) -> None:
    person(OWNER, "Owner")
    assert Browser(site, ATTACKER).ask(OWNER)
    assert Browser(site, ATTACKER).sign_in(OWNER)


def test_a_code_that_a_stranger_asks_for_leaves_the_owners_code_alone(site: str) -> None:
    person(OWNER, "Owner")
    owner = Browser(site, HOME)
    owner.ask(OWNER)
    own = newest_code(OWNER)
    assert guess_wrong(site, ATTACKER, OWNER, 3) == 3
    owner.guess(own)
    assert owner.is_signed_in()


@pytest.mark.parametrize("minutes", [0, 1, 6])
def test_many_requests_of_a_stranger_keep_nobody_out(
    site: str, known: Browser, clock: time_machine.Traveller, minutes: int
) -> None:
    sent = 0
    for _ in range(20):
        sent += Browser(site, ATTACKER).ask(OWNER)
        clock.shift(11 + minutes * 60)
    owner = {"known": known.sign_in(OWNER), "new": Browser(site, HOME).sign_in(OWNER)}
    figure(f"20 requests, {minutes} min apart: mails {sent}; the owner signs in", owner)
    assert owner == {"known": True, "new": True}


def test_many_wrong_guesses_of_a_stranger_keep_nobody_out(
    site: str, known: Browser, clock: time_machine.Traveller
) -> None:
    tried = 0
    for _ in range(3):
        tried += guess_wrong(site, ATTACKER, OWNER, 12)
        clock.shift(3601)
    owner = {"known": known.sign_in(OWNER), "new": Browser(site, HOME).sign_in(OWNER)}
    figure(f"{tried} wrong guesses in three hours; the owner signs in", owner)
    assert owner == {"known": True, "new": True}


def test_a_crowd_of_networks_never_keeps_out_a_browser_that_is_known(
    site: str, known: Browser
) -> None:
    for net in range(9):
        guess_wrong(site, f"203.0.{net}.7", OWNER, 6)
    assert Browser(site, "203.0.200.7").ask(OWNER) is False
    assert known.sign_in(OWNER)


# -- a flood of mails -----------------------------------------------------------------------------

PLUS = [f"kai+{number}@gmail.com" for number in range(25)]
DOTS = ["k.ai@gmail.com", "ka.i@gmail.com", "k.a.i@googlemail.com", "KAI@GoogleMail.com"]


def test_one_inbox_gets_few_mails_however_it_is_written(site: str) -> None:
    sent = sum(Browser(site, ATTACKER).ask(email) for email in [*PLUS, *DOTS])
    figure(f"mails to one inbox, written in {len(PLUS + DOTS)} ways", sent)
    assert sent <= 10


def test_one_inbox_gets_few_mails_of_all_kinds(site: str, clock: time_machine.Traveller) -> None:
    person(OWNER, "Owner")
    for _ in range(30):
        Browser(site, ATTACKER).submit(RESET, email=OWNER)
        clock.shift(13)
        Browser(site, ATTACKER).ask(OWNER)
    figure("mails to one inbox in seven minutes, from 60 requests", len(mail.outbox))
    assert len(mail.outbox) <= 10


def test_limits_outlive_the_cache(site: str) -> None:
    for _ in range(10):
        Browser(site, ATTACKER).ask(OWNER)
        cache.clear()  # full, flushed or lost
    figure("mails to one inbox, with a cache that forgets", len(mail.outbox))
    before = len(mail.outbox)
    assert not Browser(site, ATTACKER).ask(OWNER)
    assert len(mail.outbox) == before <= 10
