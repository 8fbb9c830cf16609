"""The worker's loop: when it looks for what is due. A long interval, so that no look is due by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from onboarding import journey
from onboarding.background import runner, worker
from onboarding.background.executor import Executor
from onboarding.journey import transitions
from onboarding.models import Attempt
from tests.support.attempts import WAIT, begin_attempt, run_step
from tests.support.people import People, business, connector, person
from tests.support.scripted import Scripted
from tests.support.site import wait_until

pytestmark = pytest.mark.both
only_postgresql = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="a worker on SQLite looks once a second"
)


@pytest.fixture
def at_work(
    transactional_db: None, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A worker, in a thread of this process."""
    monkeypatch.setattr(worker, "INTERVAL", 3600.0)
    monkeypatch.setattr(worker, "WORKER_BOUND", 2)
    monkeypatch.setattr(runner, "executor", Executor(2))
    stop = threading.Event()
    thread = threading.Thread(target=work, args=[stop])
    thread.start()
    yield
    stop.set()
    thread.join(60)


def work(stop: threading.Event) -> None:
    worker.work_forever(stop)
    connections.close_all()


def due_shops(count: int) -> None:
    """Attempts of so many businesses, due since a minute: each account has one lease."""
    shop = connector("scripted")
    for number in range(count):
        owner = person(f"owner-{number}@example.org", f"Owner {number}")
        merchant = business(f"Business {number}", owner=owner)
        journey.begin(merchant=merchant, connector=shop, user=owner, name="Shop", answers={})
    Attempt.objects.update(due_at=timezone.now() - timedelta(minutes=1))


def wait(attempt: Attempt) -> Attempt:
    """An attempt that the vendor is asked about again in an hour."""
    Attempt.objects.filter(pk=attempt.pk).update(due_at=timezone.now() + timedelta(hours=1))
    return attempt


@pytest.fixture
def waiting(people: People, scripted: Scripted) -> Attempt:
    return wait(run_step(begin_attempt(people), scripted, WAIT))


@only_postgresql
def test_it_is_woken_by_what_somebody_makes_due(
    waiting: Attempt, scripted: Scripted, at_work: None
) -> None:
    scripted.script.append(WAIT)

    def is_asked() -> bool:
        """It may not listen yet: whoever makes something due tells it once."""
        if len(scripted.calls) == 1:
            transitions.make_due(Attempt.objects.filter(pk=waiting.pk))
        return len(scripted.calls) == 2

    wait_until("the vendor is asked", is_asked)


@only_postgresql
def test_it_wakes_up_when_the_next_row_becomes_due(
    waiting: Attempt, scripted: Scripted, request: pytest.FixtureRequest
) -> None:
    soon = timezone.now() + timedelta(seconds=2)
    Attempt.objects.update(due_at=soon)
    scripted.script.append(WAIT)
    request.getfixturevalue("at_work")
    wait_until("the vendor is asked", lambda: len(scripted.calls) == 2)
    assert timezone.now() >= soon


def test_it_looks_again_while_more_is_due_than_it_has_room_for(
    transactional_db: None, scripted: Scripted, request: pytest.FixtureRequest
) -> None:
    due_shops(12)
    scripted.script.extend([WAIT] * 12)
    request.getfixturevalue("at_work")
    wait_until("all are asked", lambda: Attempt.objects.filter(answer="waiting").count() == 12)


def test_it_gives_back_what_it_has_not_begun(
    transactional_db: None, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    due_shops(3)
    stop = threading.Event()
    monkeypatch.setattr(worker, "WORKER_BOUND", 2)
    monkeypatch.setattr(runner, "executor", Executor(2))
    both = threading.Barrier(2)

    def stops(order: object) -> object:
        both.wait(60)  # two are under way, and the third waits for a thread
        stop.set()
        return WAIT

    scripted.script.extend([stops, stops])  # type: ignore[list-item]
    work(stop)
    assert Attempt.objects.filter(answer="waiting").count() == 2
    assert not Attempt.objects.exclude(lease_until=None).exists()
