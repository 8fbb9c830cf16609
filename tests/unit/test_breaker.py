"""The circuit breaker: a host that does not answer is left alone, tried by one call, and used again."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.utils import timezone

from onboarding.availability import breaker
from onboarding.models import Breaker
from tests.support.attempts import begin_attempt, reloaded, run_step
from tests.support.canned import RESET, http
from tests.support.hosts import (
    NOT_FOUND,
    OK,
    UNAVAILABLE,
    breaker_row,
    call_guarded,
    host,
    rate_limited,
    reach_retry_time,
    retry_after,
    seconds_until_retry,
    send,
    step_that_calls,
)
from tests.support.people import People
from tests.support.scripted import Scripted
from vendors.contract import Progress, Unavailable, Unsure
from vendors.http import call_context

pytestmark = [pytest.mark.django_db, pytest.mark.both]
SILENT, FAULTY, BUSY = Breaker.Cause.SILENT, Breaker.Cause.FAULTY, Breaker.Cause.BUSY


# -- when a host is called silent ------------------------------------------------------------------


def test_after_five_calls_without_an_answer_the_host_is_not_called() -> None:
    with host(*[UNAVAILABLE] * 5, OK) as server:
        assert call_guarded(server, 4)
        assert breaker_row().cause == ""
        call_guarded(server)
        error = call_guarded(server)
        assert len(server.requests) == 5
    assert isinstance(error, Unavailable)
    assert 8 < (error.retry_after or 0) <= 12
    assert (breaker_row().cause, breaker_row().failures) == (FAULTY, 5)


@pytest.mark.parametrize(
    "silence", [RESET, UNAVAILABLE, http("{}", "408 Request Timeout"), rate_limited(0)]
)
def test_what_counts_is_that_the_host_did_not_do_its_work(silence: bytes) -> None:
    with host(silence) as server:
        call_guarded(server)
    assert breaker_row().failures == 1


@pytest.mark.parametrize("answer", [OK, NOT_FOUND, http("{}", "409 Conflict")])
def test_an_answer_between_them_resets_the_count(answer: bytes) -> None:
    with host(*[UNAVAILABLE] * 4, answer, UNAVAILABLE) as server:
        call_guarded(server, 6)
        assert len(server.requests) == 6
    assert (breaker_row().failures, breaker_row().opened) == (1, None)


def test_a_no_opens_nothing_and_a_host_that_works_has_no_row() -> None:
    with host(*[NOT_FOUND] * 6, OK) as server:
        call_guarded(server, 7)
    assert not Breaker.objects.exists()
    assert not breaker.outages(["scripted"])


def test_calls_that_were_under_way_say_nothing_new() -> None:
    with host(*[UNAVAILABLE] * 7) as server, breaker.guard("scripted"):
        call_guarded(server, 5)
        with pytest.raises(Unavailable):
            send(server)
    assert breaker_row().failures == 5
    assert 8 < seconds_until_retry() <= 10


def test_another_vendor_at_the_same_host_is_not_concerned() -> None:
    with host(*[UNAVAILABLE] * 5, OK) as server:
        call_guarded(server, 5)
        with breaker.guard("other"):
            send(server)
        assert len(server.requests) == 6


# -- one of all finds out whether it is back -------------------------------------------------------


def test_one_call_tries_while_all_others_keep_off(transactional_db: None) -> None:
    with host(*[UNAVAILABLE] * 5) as server:
        call_guarded(server, 5)
    reach_retry_time()
    ready = threading.Barrier(6)

    def rest() -> float:
        with breaker.guard("scripted"):
            ready.wait(10)
            pause = call_context.pause_of(breaker_row().host)
            return pause.seconds if pause else 0.0

    with ThreadPoolExecutor(6) as threads:
        waits = [future.result(10) for future in [threads.submit(rest) for _ in range(6)]]
    assert waits.count(0) == 1
    assert all(30 < wait <= 48 for wait in waits if wait)


def test_the_pause_doubles_while_the_host_stays_silent() -> None:
    rests = []
    with host(*[UNAVAILABLE] * 12) as server:
        call_guarded(server, 5)
        for _ in range(7):
            rests.append(round(seconds_until_retry(), -1))
            reach_retry_time()
            call_guarded(server)
    assert rests == [10, 20, 40, 80, 160, 300, 300]


def test_a_call_that_tries_is_not_repeated() -> None:
    with host(*[UNAVAILABLE] * 5, RESET, OK) as server:
        call_guarded(server, 5)
        reach_retry_time()
        call_guarded(server, method="GET", retries=1)
        assert len(server.requests) == 6


def test_a_step_that_found_the_host_again_goes_on() -> None:
    with host(*[UNAVAILABLE] * 5, OK, OK) as server:
        call_guarded(server, 5)
        reach_retry_time()
        with breaker.guard("scripted"):
            send(server)
            send(server)
        assert len(server.requests) == 7
    assert (breaker_row().failures, breaker_row().opened, breaker_row().retry_at) == (0, None, None)


def test_who_tries_and_dies_is_succeeded() -> None:
    with host(*[UNAVAILABLE] * 5, OK) as server:
        call_guarded(server, 5)
        reach_retry_time()
        with breaker.guard("scripted"):
            assert call_context.pause_of(breaker_row().host) is None
            # and then it is heard of no more
        assert isinstance(call_guarded(server), Unavailable)
        reach_retry_time()
        assert call_guarded(server) is None


# -- Retry-After -----------------------------------------------------------------------------------


def test_retry_after_is_for_every_merchant(people: People, scripted: Scripted) -> None:
    mine, other = begin_attempt(people, "One"), begin_attempt(people, "Two")
    with host(rate_limited(90), OK) as server:
        run_step(mine, scripted, step_that_calls(server))
        run_step(other, scripted, step_that_calls(server))
        assert len(server.requests) == 1
    wait = reloaded(other).due_at
    assert reloaded(other).answer == "unavailable"
    assert wait
    assert wait > timezone.now() + timedelta(seconds=80)
    assert breaker.outages(["scripted"])["scripted"].cause == BUSY


def test_a_long_retry_after_is_for_the_call_and_a_quarter_of_an_hour_for_all() -> None:
    with host(rate_limited(3600)) as server:
        error = call_guarded(server)
    assert isinstance(error, Unavailable)
    assert error.retry_after == 3600
    assert 890 < seconds_until_retry() <= 900


def test_an_answer_that_was_under_way_does_not_close_the_breaker() -> None:
    with host(rate_limited(60), OK) as server, breaker.guard("scripted"):
        call_guarded(server)
        send(server)
    assert breaker_row().cause == BUSY
    assert seconds_until_retry() > 50


def test_a_step_keeps_the_retry_after_it_was_given() -> None:
    with host(http("{}", "503 Busy", retry_after(60)), OK) as server, breaker.guard("scripted"):
        for _ in range(2):
            with pytest.raises(Unavailable) as caught:
                send(server)
        assert caught.value.retry_after == 60
        assert len(server.requests) == 1


# -- what it means for creations -------------------------------------------------------------------


def test_a_creation_that_was_not_sent_is_not_unsure(people: People, scripted: Scripted) -> None:
    attempt = begin_attempt(people)
    with host(*[UNAVAILABLE] * 5, OK) as server:
        call_guarded(server, 5)
        run_step(
            attempt, scripted, Progress(announce="room"), step_that_calls(server, creates=True)
        )
        account = reloaded(attempt).connection.account
        assert (account.announced, account.unsure, reloaded(attempt).answer) == (
            "",
            "",
            "unavailable",
        )
        reach_retry_time()
        run_step(
            attempt, scripted, Progress(announce="room"), step_that_calls(server, creates=True)
        )
        assert len(server.requests) == 6
    assert scripted.last.announced == "room"
    assert reloaded(attempt).answer == "waiting"


def test_a_lost_answer_to_a_creation_counts_like_any_other() -> None:
    with host(*[RESET] * 5) as server:
        assert isinstance(call_guarded(server, 5, creates=True), Unsure)
    assert breaker_row().cause == SILENT
