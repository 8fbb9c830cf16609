"""Worker processes whose machine's clock is wrong: what they do, and who says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection as database
from django.test import Client
from django.utils import timezone

from onboarding.models import Attempt, Call, Event, Slot, Worker
from onboarding.monitoring import write_probe
from tests.support.site import wait_until
from tests.support.workers import Workers, each_was_made_once, have_licences, merchants
from vendors import sandbox

pytestmark = [
    pytest.mark.both,
    pytest.mark.skipif(database.vendor != "postgresql", reason="SQLite shares the machine’s clock"),
]
Ahead = Callable[[int], dict[str, str]]
LITTLE = timedelta(seconds=5)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[sandbox.Running]:
    running = sandbox.start(tmp_path / "sandbox", vendors=["celigo"])
    yield running
    running.stop()


@pytest.fixture
def workers(transactional_db: None, tmp_path: Path, stage: sandbox.Running) -> Iterator[Workers]:
    made = Workers(tmp_path, stage)
    yield made
    made.stop()


def doctor() -> str:
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("doctor", stdout=out)
    return out.getvalue()


def test_a_worker_an_hour_ahead_takes_no_rows_and_everything_says_so(
    workers: Workers, stage: sandbox.Running, faketime: Ahead, client: Client
) -> None:
    [attempt] = merchants(stage, "ann")
    due = due_at(attempt)
    workers.extra_env = faketime(3600)
    workers.start("ahead")
    wait_until("it says so", lambda: "takes no rows" in workers.logs())
    worker = Worker.objects.get()
    assert abs(worker.skew - timedelta(hours=1)) < LITTLE
    assert abs(worker.at - timezone.now()) < 12 * LITTLE
    checks = client.get("/health/ready").json()["checks"]
    assert checks["worker"] == "none takes rows: their clocks are off"
    assert checks["clock"] == f"{worker.name}: 3600 s ahead of the database’s"
    assert f"The worker {worker.name}’s clock is 3600 s ahead of the database’s." in doctor()
    assert workers.stop() == [0]
    assert workers.logs().count("this worker takes no rows: its clock is 3600 s ahead") == 1
    assert due_at(attempt) == due
    assert not Slot.objects.exclude(key=write_probe.KEY).exists()
    assert not Call.objects.exists()


def due_at(attempt: Attempt) -> object:
    return Attempt.objects.values_list("due_at", flat=True).get(pk=attempt.pk)


def test_the_rows_of_a_worker_ten_seconds_ahead_have_the_databases_time(
    workers: Workers, stage: sandbox.Running, faketime: Ahead
) -> None:
    [attempt] = merchants(stage, "ann")
    workers.extra_env = faketime(10)
    workers.start("ahead")
    wait_until("it has a licence", lambda: have_licences(attempt))
    each_was_made_once(stage, 1)
    latest = timezone.now() + LITTLE  # a reading of the clock is as exact as its answer was quick
    for moments in (Event.objects, Call.objects, Worker.objects):
        assert max(moments.values_list("at", flat=True)) <= latest
    assert workers.logs().count("this machine’s clock is 10 s ahead of the database’s") == 1
