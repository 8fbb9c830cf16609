"""/health/live, /health/ready and /metrics without a network: what makes them fail, and who may ask."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.db import connection as database
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from onboarding import clock
from onboarding.background import runner
from onboarding.background import worker as worker_loop
from onboarding.background.executor import Executor
from onboarding.models import Attempt, Connection, Worker
from onboarding.monitoring import heartbeat
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People, connector
from tests.support.scripted import Scripted

pytestmark = pytest.mark.both

WELL = {
    "database": "ok", "migrations": "ok", "memo_keys": "ok", "worker": "ok", "backlog": "ok",
    "clock": "ok",
}  # fmt: skip


def ago(**span: float) -> Any:
    return timezone.now() - timedelta(**span)


@pytest.fixture
def worker(db: None) -> Worker:
    return Worker.objects.create(name="here:1")


def ready(client: Client) -> tuple[int, dict[str, str]]:
    answer = client.get("/health/ready")
    said = answer.json()
    assert said["ready"] == (answer.status_code == 200)
    return answer.status_code, said["checks"]


def test_live_asks_nothing_of_anybody(client: Client, settings: Settings) -> None:
    """No database (this test may not use it), no known host, no https."""
    settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = True, []
    answer = client.get("/health/live", headers={"host": "10.0.0.7"})
    assert (answer.status_code, answer.json()) == (200, {"live": True})
    assert client.post("/health/live").status_code == 405


def test_ready_with_all_well_takes_six_queries_and_no_session(
    client: Client, worker: Worker, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """With one vendor: what is due is asked for each, in two queries."""
    connector("scripted")
    ready(client)
    with django_assert_num_queries(6):
        assert ready(client) == (200, WELL)
    assert not client.cookies


def test_not_ready_without_a_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("password=geheim")

    monkeypatch.setattr(database, "cursor", away)
    assert ready(client) == (503, {"database": "does not answer (OperationalError)"})


def test_not_ready_before_the_migrations(
    client: Client, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "_migrated", threading.Event())
    monkeypatch.setattr(heartbeat, "pending_migrations", lambda: ["onboarding.0002_more"])
    assert ready(client) == (503, {"database": "ok", "migrations": "not all are applied"})
    monkeypatch.setattr(heartbeat, "pending_migrations", list)
    assert ready(client) == (200, WELL)


def test_not_ready_without_a_worker(client: Client, db: None) -> None:
    assert ready(client) == (503, WELL | {"worker": "none has been seen"})
    Worker.objects.create(name="here:1", at=ago(seconds=90))
    assert ready(client)[1]["worker"].startswith("no sign of life for 9")


def off(name: str, **ahead: float) -> None:
    Worker.objects.create(name=name, skew=timedelta(**ahead))


def test_a_clock_that_is_off_is_named_and_the_site_is_ready(client: Client, worker: Worker) -> None:
    off("fast:1", seconds=10)
    off("slow:1", seconds=-90)
    said = "fast:1: 10 s ahead of the database’s, slow:1: 90 s behind the database’s"
    status, checks = ready(client)
    assert (status, checks["worker"]) == (200, "ok")
    assert set(checks["clock"].split(", ")) == set(said.split(", "))


def test_not_ready_while_the_clocks_of_all_workers_are_far_off(client: Client, db: None) -> None:
    off("fast:1", hours=1)
    off("slow:1", minutes=-2)
    assert ready(client)[0] == 503
    assert ready(client)[1]["worker"] == "none takes rows: their clocks are off"
    off("better:1", seconds=59)
    assert ready(client)[0] == 200


def test_a_web_process_says_that_its_own_clock_is_off(
    client: Client, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "skew", lambda: timedelta(hours=1))
    status, checks = ready(client)
    assert (status, checks["clock"]) == (200, "this process: 3600 s ahead of the database’s")


@pytest.mark.parametrize("model", [Attempt, Connection])
def test_not_ready_while_something_is_long_due(
    client: Client, people: People, scripted: Scripted, model: type[Attempt] | type[Connection]
) -> None:
    Worker.objects.create(name="here:1")
    run_step(begin_attempt(people), scripted, CONNECTED)
    model._default_manager.update(due_at=ago(minutes=4), **_open(model))
    assert ready(client) == (200, WELL)
    model._default_manager.update(due_at=ago(minutes=6))
    assert ready(client)[1]["backlog"].startswith("something is due since 36")


def _open(model: type[Attempt] | type[Connection]) -> dict[str, None]:
    return {"ended": None} if model is Attempt else {}


# -- the worker's side ---------------------------------------------------------------------------


def test_a_worker_sends_a_heartbeat_every_ten_seconds(
    db: None,
    django_assert_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heart = heartbeat.WorkerHeartbeat()
    heart.beat()
    Worker.objects.update(at=ago(hours=1))
    with django_assert_num_queries(0):
        heart.beat()
    heart._next -= heartbeat.INTERVAL  # as if that time had passed
    monkeypatch.setattr(clock, "skew", lambda: timedelta(seconds=7))
    heart.beat()
    row = Worker.objects.get(name=heart.name)
    assert (row.at > ago(minutes=1), row.skew) == (True, timedelta(seconds=7))


def test_a_dead_worker_is_forgotten_after_a_day_and_a_stopped_one_at_once(db: None) -> None:
    Worker.objects.create(name="dead:1", at=ago(hours=25))
    Worker.objects.create(name="dead:2", at=ago(hours=23))
    heart = heartbeat.WorkerHeartbeat()
    heart.beat()
    assert set(Worker.objects.values_list("name", flat=True)) == {"dead:2", heart.name}
    heart.stop()
    assert Worker.objects.get().name == "dead:2"


def test_the_workers_loop_beats(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, seen = threading.Event(), list[str]()

    def sweep(*_: object) -> None:
        seen.extend(Worker.objects.values_list("name", flat=True))
        stop.set()

    monkeypatch.setattr(worker_loop._Worker, "_run_schedule", sweep)
    monkeypatch.setattr(runner, "executor", Executor())
    worker_loop.work_forever(stop)
    assert seen == [heartbeat.worker_heartbeat.name]
    assert not Worker.objects.exists()
