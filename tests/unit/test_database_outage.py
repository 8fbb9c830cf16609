"""The log during an outage of the database: one line when it begins and one when it ends, and no bug."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from django.db import InterfaceError, OperationalError, ProgrammingError

from onboarding import db_slots
from onboarding.background import key_guard, runner, worker
from onboarding.background.executor import Executor
from onboarding.monitoring import database_outage, heartbeat

AWAY = [OperationalError("server closed the connection"), InterfaceError("connection is closed")]


@pytest.fixture(autouse=True)
def _no_outage_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield
    database_outage.outage._is_on = False


def works(*errors: Exception) -> None:
    """Jobs of an executor; each of these errors ends one of them, and the last one succeeds."""
    executor = Executor()
    for number, error in enumerate([*errors, None]):

        def work(error: Exception | None = error) -> None:
            if error:
                raise error

        executor.submit("scripted", f"scripted:attempt:{number}", work)
        executor.idle()
    executor.shutdown()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_work_that_meets_an_outage_is_no_bug(caplog: pytest.LogCaptureFixture) -> None:
    works(*AWAY)
    assert [each.getMessage() for each in caplog.records] == [
        "the database cannot be used (django.db.utils.OperationalError: server closed the"
        " connection): what is due stays due",
        "the database can be used again",
    ]
    assert not any(each.exc_info for each in caplog.records)


def test_an_error_of_our_own_queries_is_a_bug(caplog: pytest.LogCaptureFixture) -> None:
    works(ProgrammingError("no such column"))
    [line] = caplog.records
    assert line.getMessage() == "background work failed with a bug"


def test_sweeps_during_an_outage_write_one_line(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, left = threading.Event(), [*AWAY, *AWAY]

    def sweep(*_: object) -> None:
        if left:
            raise left.pop()
        stop.set()

    monkeypatch.setattr(worker, "INTERVAL", 0)
    monkeypatch.setattr(worker._Worker, "_run_schedule", sweep)
    monkeypatch.setattr(worker._Worker, "_look", lambda _: 0.0)
    monkeypatch.setattr(runner, "executor", Executor())
    monkeypatch.setattr(db_slots, "serve_a_worker", lambda: None)
    monkeypatch.setattr(key_guard.KeyGuard, "allows", lambda _: True)
    monkeypatch.setattr(heartbeat.worker_heartbeat, "beat", lambda: None)
    monkeypatch.setattr(heartbeat.worker_heartbeat, "stop", lambda: None)
    worker.work_forever(stop)
    assert [each.levelname for each in caplog.records] == ["ERROR", "WARNING"]
