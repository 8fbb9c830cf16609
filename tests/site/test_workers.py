"""Several workers on one database: each row is processed once, and a crash is noticed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from onboarding.journey.crash_guard import CRASHES
from onboarding.models import Alert, Attempt
from tests.support.site import wait_until
from tests.support.workers import (
    LIST,
    Workers,
    each_was_made_once,
    expire_leases,
    have_licences,
    merchants,
)
from vendors import sandbox

pytestmark = pytest.mark.both


def died(workers: Workers) -> bool:
    """Whether the last worker is dead; until then the row's pause is skipped."""
    expire_leases()
    name, process = workers.processes.copy().popitem()
    return process.poll() is not None and bool(workers.processes.pop(name))


NAMES = [f"m{number}" for number in range(12)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[sandbox.Running]:
    running = sandbox.start(tmp_path / "sandbox", vendors=["celigo"])
    yield running
    running.stop()


@pytest.fixture
def workers(transactional_db: None, tmp_path: Path, stage: sandbox.Running) -> Iterator[Workers]:
    made = Workers(tmp_path, stage)
    yield made
    stage.clear()
    made.stop()


def test_two_workers_do_each_row_once(workers: Workers, stage: sandbox.Running) -> None:
    workers.start("one", "two")
    attempts = merchants(stage, *NAMES)
    wait_until("all have a licence", lambda: have_licences(*attempts))
    each_was_made_once(stage, len(NAMES))
    assert workers.stop() == [0, 0]


def test_a_dead_workers_row_is_taken_over(workers: Workers, stage: sandbox.Running) -> None:
    stage.fault("celigo", LIST, kind="hold")
    workers.start("one")
    attempts = merchants(stage, "ann", "ben")
    stage.wait_until_held("celigo", LIST, timeout=30)
    workers.start("two")
    workers.kill("one")
    expire_leases()
    wait_until("the other goes on", lambda: have_licences(*attempts))
    each_was_made_once(stage, 2)
    assert not Attempt.objects.exclude(crashes=0, call_started_at=None).exists()


def test_a_row_that_kills_every_worker_ends_with_staff(
    workers: Workers, stage: sandbox.Running
) -> None:
    workers.command = [sys.executable, "-m", "tests.support.crashing_worker"]
    [deadly, other] = merchants(stage, "deadly", "other")
    Attempt.objects.filter(pk=deadly.pk).update(crashes=CRASHES - 2)
    for name in ("one", "two"):
        workers.start(name)
        wait_until(f"{name} dies", lambda: died(workers))
    workers.start("three")
    wait_until("staff are told", Alert.objects.filter(cause="poison").exists)
    wait_until("the other was done", lambda: have_licences(other))
    row = Attempt.objects.get(pk=deadly.pk)
    assert (row.turn, row.due_at, row.crashes) == ("staff", None, CRASHES)
