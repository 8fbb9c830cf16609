"""The breaker's records of calls, and what follows when a vendor recovers or accepts our keys again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding.availability import breaker, host_state
from onboarding.background import runner, schedule
from onboarding.models import Attempt, Breaker, Call, Connection, Slot
from tests.support.attempts import CONNECTED, begin_attempt, reloaded, run_check, run_step
from tests.support.canned import Canned, http
from tests.support.hosts import (
    OK,
    UNAVAILABLE,
    call_guarded,
    host,
    reach_retry_time,
    seconds_until_retry,
    send,
    step_that_calls,
)
from tests.support.people import People, connector
from tests.support.scripted import Scripted, offered
from tests.support.sweep import run_inline, sweep
from vendors.contract import Refused, Unavailable

pytestmark = [pytest.mark.django_db, pytest.mark.both]
REFUSED = http("{}", "401 Unauthorized")


# -- when it is back -------------------------------------------------------------------------------


def silent() -> bool:
    """Whether a host of the vendor is silent, as every process reads it."""
    rows = Breaker.objects.filter(vendor="scripted", cause__in=host_state.DOWN)
    return rows.exclude(retry_at=None).exists()


def waiting(people: People, scripted: Scripted, number: int) -> list[Attempt]:
    """Attempts that wait a quarter of an hour for the vendor."""
    found = [begin_attempt(people, f"Shop {n}") for n in range(number)]
    for attempt in found:
        run_step(attempt, scripted, Unavailable())
    Attempt.objects.update(due_at=timezone.now() + timedelta(minutes=15))
    return found


def test_who_waited_goes_on_but_not_all_in_one_instant(people: People, scripted: Scripted) -> None:
    waiting(people, scripted, 5)
    with host(*[UNAVAILABLE] * 5, OK) as server:
        call_guarded(server, 5)
        reach_retry_time()
        call_guarded(server)
    due = {at for at in Attempt.objects.values_list("due_at", flat=True) if at}
    assert len(due) == 5
    assert max(due) < timezone.now() + timedelta(seconds=6)


def test_a_long_retry_after_is_still_obeyed(people: People, scripted: Scripted) -> None:
    mine, *_ = waiting(people, scripted, 2)
    told = timezone.now() + timedelta(minutes=50)
    Attempt.objects.filter(pk=mine.pk).update(due_at=told)
    with host(*[UNAVAILABLE] * 5, OK) as server:
        call_guarded(server, 5)
        reach_retry_time()
        call_guarded(server)
    assert reloaded(mine).due_at == told


def test_checks_that_waited_are_made(people: People, scripted: Scripted) -> None:
    connection = run_step(begin_attempt(people), scripted, CONNECTED).connection
    run_check(connection, scripted, Unavailable(retry_after=600))
    with host(*[UNAVAILABLE] * 5, OK) as server:
        call_guarded(server, 5)
        reach_retry_time()
        call_guarded(server)
    due = Connection.objects.get(pk=connection.pk).due_at
    assert due
    assert due < timezone.now() + timedelta(seconds=6)


# -- our credentials -------------------------------------------------------------------------------


def test_a_vendor_that_refuses_us_is_in_trouble_but_is_called(
    people: People, scripted: Scripted
) -> None:
    with host(http("{}", "401 Unauthorized"), OK) as server:
        attempt = run_step(begin_attempt(people), scripted, step_that_calls(server))
        assert breaker.outages(["scripted", "other"])["scripted"].cause == "credentials"
        assert not silent()
        assert attempt.cause == "credentials"
        assert call_guarded(server) is None
        assert not breaker.outages(["scripted"])
    due = reloaded(attempt).due_at
    assert due
    assert due < timezone.now() + timedelta(seconds=6)


def test_it_is_refused_since_the_first_time() -> None:
    with host(*[http("{}", "401 Unauthorized")] * 2) as server:
        call_guarded(server)
        since = breaker.outages(["scripted"])["scripted"].since
        reach_retry_time()
        call_guarded(server)
    assert breaker.outages(["scripted"])["scripted"].since == since
    assert seconds_until_retry() > host_state.CREDENTIALS_RECHECK.total_seconds() - 10


def test_a_sign_in_that_opens_nothing_changes_nothing() -> None:
    with host(REFUSED, OK, REFUSED) as server:
        call_guarded(server)
        since = breaker.outages(["scripted"])["scripted"].since
        with breaker.guard("scripted"):
            send(server)
            with pytest.raises(Refused):
                send(server)
    assert breaker.outages(["scripted"])["scripted"].since == since


@pytest.mark.parametrize("whose", [{"operator_credentials": False}, {"credentials": "merchant"}])
def test_a_merchants_credentials_say_nothing_of_ours(whose: dict[str, Any]) -> None:
    with host(http("{}", "401 Unauthorized")) as server:
        assert isinstance(call_guarded(server, **whose), Refused)
    assert not Breaker.objects.exists()


def test_a_403_is_a_doubt_that_only_a_probe_settles() -> None:
    with host(*[http("{}", "403 Forbidden")] * 2) as server:
        call_guarded(server)
        assert not breaker.outages(["scripted"])
        assert breaker.vendors_in_doubt() == ["scripted"]
        with pytest.raises(Refused), breaker.guard("scripted", probing=True):
            send(server)
    assert breaker.outages(["scripted"])["scripted"].cause == "credentials"


# -- the record of calls ---------------------------------------------------------------------------


def test_calls_are_recorded_without_any_id_or_secret(people: People, scripted: Scripted) -> None:
    secrets = {"parts": {"id": "id-4711"}, "query": {"q": "s3cr3t"}, "json": {"p": "s3cr3t"}}
    with host(http('{"answer": "s3cr3t"}')) as server:
        call = step_that_calls(server, path="/things/{id}", auth=("user", "s3cr3t"), **secrets)
        attempt = run_step(begin_attempt(people), scripted, call)
    recorded = Call.objects.values().get()
    assert (recorded["call"], recorded["outcome"]) == ("POST /things/{id}", "200")
    assert (recorded["attempt_id"], recorded["connection_id"]) == (
        attempt.pk,
        attempt.connection_id,
    )
    assert not any(word in str(recorded) for word in ("id-4711", "s3cr3t", "user"))


def test_a_record_that_cannot_be_written_loses_no_answer(
    people: People, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("the database is away for a moment")

    monkeypatch.setattr(Call, "save", away)
    with host(OK) as server:
        attempt = run_step(begin_attempt(people), scripted, step_that_calls(server))
    assert attempt.answer == "waiting"
    assert not Call.objects.exists()


# -- probes ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Probed(Scripted):
    door: Canned | None = field(default=None)

    def probe(self) -> None:
        assert self.door
        send(self.door)


def test_a_vendor_is_found_again_without_any_merchant(settings: Settings) -> None:
    with host(*[UNAVAILABLE] * 5, UNAVAILABLE, OK) as server:
        settings.VENDORS = offered(Probed(door=server))
        call_guarded(server, 5)
        schedule.submit_probes(run_inline)
        assert len(server.requests) == 5  # it rests
        for _ in range(2):
            reach_retry_time()
            Slot.objects.all().delete()
            assert silent()
            schedule.submit_probes(run_inline)
    assert not breaker.outages(["scripted"])


def test_any_number_of_workers_probe_once_a_minute(settings: Settings) -> None:
    settings.VENDORS = offered(Probed())
    Breaker.objects.create(
        vendor="scripted", host="x", cause="silent", opened=timezone.now(), retry_at=timezone.now()
    )
    asked: list[str] = []
    with time_machine.travel(timezone.now(), tick=False):
        for _ in range(3):
            schedule.submit_probes(lambda vendor, key, work: asked.append(key))
    assert asked == ["scripted:probe"]


@pytest.mark.usefixtures("inline_executor")
def test_a_probe_sees_that_our_credentials_are_taken_again(settings: Settings) -> None:
    with host(REFUSED, REFUSED, OK) as server:
        settings.VENDORS = offered(Probed(door=server))
        call_guarded(server)  # and the probe, at once
        assert breaker.outages(["scripted"])
        reach_retry_time()
        breaker.probe(settings.VENDORS.offered["scripted"])
        assert not breaker.outages(["scripted"])


def test_a_host_that_no_probe_touches_may_work_again(settings: Settings) -> None:
    with host(*[UNAVAILABLE] * 5, UNAVAILABLE) as server:
        call_guarded(server, 5)
        reach_retry_time()
        breaker.probe(Scripted())
        assert not breaker.outages(["scripted"])
        call_guarded(server)  # one call tries it, and it is silent still
    assert silent()
    assert 10 < seconds_until_retry() <= 20


def test_a_host_for_which_somebody_waits_is_silent_until_they_have_tried(
    people: People, scripted: Scripted
) -> None:
    waiting(people, scripted, 1)
    with host(*[UNAVAILABLE] * 5) as server:
        call_guarded(server, 5)
    reach_retry_time()
    breaker.probe(scripted)
    assert silent()


# -- room for everybody ------------------------------------------------------------------------------


def test_a_long_queue_at_one_vendor_hides_no_other_rows(
    people: People, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.sweep.ROOM", 3)
    slow = [begin_attempt(people, f"Slow {n}") for n in range(5)]
    quick = slow.pop()
    Connection.objects.filter(pk=quick.connection_id).update(
        vendor="quick", connector=connector("quick")
    )
    Attempt.objects.filter(pk=quick.pk).update(vendor="quick")
    Attempt.objects.update(due_at=timezone.now() - timedelta(hours=1))
    Attempt.objects.filter(pk=quick.pk).update(due_at=timezone.now() - timedelta(minutes=1))
    taken: list[runner.DueRow] = []
    sweep(lambda *given, **named: None, taken.append)
    assert [due.vendor for due in taken] == ["scripted"] * 3 + ["quick"]
