"""An outage ends when the kind of call that failed works again; one refused call is a doubt for a probe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding.availability import breaker
from onboarding.background import schedule
from onboarding.models import Alert, Attempt, Breaker, Slot
from onboarding.notifications import staff_alerts, waitlist
from tests.support.attempts import CONNECTED, begin_attempt, reloaded, run_step
from tests.support.canned import RESET, Canned, http
from tests.support.hosts import (
    OK,
    UNAVAILABLE,
    breaker_row,
    call_guarded,
    host,
    rate_limited,
    reach_retry_time,
    send,
    step_that_calls,
)
from tests.support.outages import join_waitlist
from tests.support.people import People
from tests.support.scripted import Scripted, offered
from tests.support.sweep import run_inline
from vendors.contract import Garbled, Refused, Unavailable
from vendors.http.api import Reply

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]
REFUSED, FORBIDDEN = http("{}", "401 Unauthorized"), http("{}", "403 Forbidden")
TOKENS, ACCOUNTS = "/tokens", "/accounts"


class Thing(Reply):
    id: str


@dataclass(frozen=True)
class Probed(Scripted):
    """Its probe makes these calls, one after the other."""

    door: Canned | None = None
    paths: Sequence[str] = field(default=(ACCOUNTS, TOKENS))

    def probe(self) -> None:
        assert self.door
        for path in self.paths:
            send(self.door, path=path)


def probed(settings: Settings, server: Canned, *paths: str) -> Probed:
    vendor = Probed(door=server, paths=paths or (ACCOUNTS, TOKENS))
    settings.VENDORS = offered(vendor)
    return vendor


def is_down() -> bool:
    return bool(breaker.outages(["scripted"]))


def sweep() -> None:
    """What a worker's sweep does about outages, in the next minute."""
    Slot.objects.all().delete()
    reach_retry_time()
    schedule.submit_probes(run_inline)
    staff_alerts.clear_resolved()
    waitlist.mail_due()


def told() -> list[str]:
    return [str(sent.subject) for sent in mail.outbox]


# -- when a vendor is back -------------------------------------------------------------------------


def test_no_mail_while_a_probe_gets_only_half_way(people: People, settings: Settings) -> None:
    with host(*[UNAVAILABLE] * 5, OK, UNAVAILABLE, OK, OK) as server:
        probed(settings, server)
        call_guarded(server, 5, path=TOKENS)
        join_waitlist(people)
        sweep()
        assert (is_down(), told()) == (True, [])
        sweep()
    assert not is_down()
    assert told() == ["Scripted is back: you can connect scripted shop now"]


def test_another_call_that_is_answered_opens_nothing(people: People, settings: Settings) -> None:
    with host(*[UNAVAILABLE] * 5, OK, OK, OK) as server:
        probed(settings, server, ACCOUNTS)
        call_guarded(server, 5, path=TOKENS)
        reach_retry_time()
        assert call_guarded(server, path=ACCOUNTS) is None
        assert is_down()
        assert call_guarded(server, path=TOKENS) is None
    assert not is_down()


def test_each_kind_that_failed_has_to_work_again(people: People, settings: Settings) -> None:
    with host(*[UNAVAILABLE] * 5, OK, OK) as server:
        probed(settings, server)
        call_guarded(server, 3, path=TOKENS)
        call_guarded(server, 2, path=ACCOUNTS)
        assert breaker_row().failing == [f"POST {TOKENS}", f"POST {ACCOUNTS}"]
        reach_retry_time()
        call_guarded(server, path=ACCOUNTS)
        assert is_down()
        call_guarded(server, path=TOKENS)  # at once: the host is half-open
    assert not is_down()


@pytest.mark.parametrize("answer", [UNAVAILABLE, RESET, rate_limited(60)])
def test_what_is_no_answer_ends_no_outage(settings: Settings, db: None, answer: bytes) -> None:
    with host(*[RESET] * 5, OK, answer) as server:
        vendor = probed(settings, server)
        call_guarded(server, 5, path=TOKENS)
        reach_retry_time()
        assert not breaker.probe(vendor)
    assert is_down()


def test_garbage_shows_no_merchant_that_it_works_again(people: People, scripted: Scripted) -> None:
    with host(*[UNAVAILABLE] * 5, http("<html>"), http('{"id": "1"}')) as server:
        for _ in range(5):
            call_guarded(server, reply=Thing)
        reach_retry_time()
        assert isinstance(call_guarded(server, reply=Thing), Garbled)
        assert is_down()
        assert call_guarded(server, reply=Thing) is None
    assert not is_down()


def test_who_waits_tries_what_the_probe_may_not(people: People, settings: Settings) -> None:
    with host(*[UNAVAILABLE] * 5, OK, OK) as server:
        vendor = probed(settings, server, ACCOUNTS)
        attempt = begin_attempt(people)
        for _ in range(5):
            run_step(attempt, vendor, step_that_calls(server, path=TOKENS))
        Attempt.objects.update(due_at=timezone.now() + timedelta(minutes=15))
        sweep()
        assert is_down()
        assert (reloaded(attempt).due_at or timezone.now()) <= timezone.now()
        run_step(attempt, vendor, step_that_calls(server, path=TOKENS))
    assert not is_down()


def test_where_nobody_waits_a_whole_probe_decides(people: People, settings: Settings) -> None:
    """A creation, which no probe may make: its answer was lost, and it is staff's turn."""
    with host(*[RESET] * 5, OK) as server:
        probed(settings, server, ACCOUNTS)
        call_guarded(server, 5, path=TOKENS, creates=True)
        join_waitlist(people)
        sweep()
    assert not is_down()
    assert len(told()) == 1


def test_two_hosts_are_two_doors(settings: Settings, db: None) -> None:
    with host(*[UNAVAILABLE] * 5, OK) as one, host(*[UNAVAILABLE] * 5, UNAVAILABLE, OK) as two:
        call_guarded(one, 5, path=TOKENS)
        call_guarded(two, 5, path=ACCOUNTS)
        reach_retry_time()
        call_guarded(one, path=TOKENS)
        assert is_down()
        call_guarded(two, path=ACCOUNTS)
        reach_retry_time()
        call_guarded(two, path=ACCOUNTS)
    assert not is_down()


# -- a vendor that asks us to wait -----------------------------------------------------------------


def test_who_asks_us_to_wait_is_called_after_that_time(people: People, settings: Settings) -> None:
    with host(rate_limited(600), OK) as server:
        probed(settings, server, TOKENS)
        call_guarded(server, path=TOKENS)
        outage = breaker.outages(["scripted"])["scripted"]
        assert (outage.cause, outage.is_down) == ("busy", True)
        assert outage.asked_until
        assert timedelta(minutes=9) < outage.asked_until - timezone.now() < timedelta(minutes=12)
        error = call_guarded(server, path=TOKENS)
        assert isinstance(error, Unavailable)
        assert error.why == "asked-to-wait"
        assert error.asked_until
        Breaker.objects.update(asked_until=timezone.now())
        sweep()
    assert not is_down()


def test_a_pause_of_a_few_seconds_is_not_spoken_of(settings: Settings, db: None) -> None:
    with host(rate_limited(5)) as server:
        probed(settings, server, TOKENS)
        call_guarded(server, path=TOKENS)
        assert not is_down()
        assert isinstance(call_guarded(server, path=TOKENS), Unavailable)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "cause"), [(RESET, "silent"), (UNAVAILABLE, "faulty"), (rate_limited(0), "busy")]
)
def test_an_outage_is_called_what_it_is(db: None, answer: bytes, cause: str) -> None:
    with host(*[answer] * 5) as server:
        call_guarded(server, 5)
    assert breaker.outages(["scripted"])["scripted"].cause == cause


# -- our credentials -------------------------------------------------------------------------------


@pytest.mark.parametrize("refusal", [REFUSED, FORBIDDEN])
def test_one_refused_merchant_closes_nothing(
    people: People, settings: Settings, refusal: bytes
) -> None:
    with host(refusal, OK, OK) as server:
        vendor = probed(settings, server, TOKENS, ACCOUNTS)
        run_step(begin_attempt(people), vendor, step_that_calls(server, path=TOKENS))
        assert len(server.requests) == 3  # the probe was made at once
    assert not is_down()
    assert breaker_row().cause == ""


def test_the_probe_decides_before_anybody_is_turned_away(
    settings: Settings, people: People
) -> None:
    with host(REFUSED, REFUSED, REFUSED) as server:
        probed(settings, server, TOKENS)
        assert isinstance(call_guarded(server, path=TOKENS), Refused)
        assert len(server.requests) == 2
        assert is_down()
        call_guarded(server, path=TOKENS)  # the door is closed for pages; calls are made
        assert len(server.requests) == 3


def test_doubts_are_not_probed_more_often_than_every_few_seconds(
    settings: Settings, db: None
) -> None:
    with host(*[REFUSED, OK] * 1, REFUSED, REFUSED) as server:
        probed(settings, server, ACCOUNTS)
        for _ in range(3):
            call_guarded(server, path=TOKENS)
        assert len(server.requests) <= 4 + 1


def test_the_alert_and_the_door_move_together(people: People, settings: Settings) -> None:
    with host(REFUSED, REFUSED, OK) as server:
        vendor = probed(settings, server, TOKENS)
        attempt = run_step(begin_attempt(people), vendor, step_that_calls(server, path=TOKENS))
        run_step(attempt, vendor, CONNECTED)
        staff_alerts.clear_resolved()  # nobody waits for it any more, but nobody is let in either
        assert (is_down(), Alert.objects.filter(cleared=None).count()) == (True, 1)
        sweep()
    assert (is_down(), Alert.objects.filter(cleared=None).count()) == (False, 0)


def test_a_closed_door_tells_staff_though_no_merchant_has_come(
    settings: Settings, db: None
) -> None:
    with host(REFUSED, REFUSED) as server:
        probed(settings, server, TOKENS)
        call_guarded(server, path=TOKENS)
    assert Alert.objects.get(cleared=None).cause == "credentials"
