"""Heartbeats of workers, their clocks, the backlog of due rows, and migrations that are not applied.

/health/ready, /metrics and `manage.py doctor` read them.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import Error
from django.db import connection as database
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Min

from onboarding import clock
from onboarding.models import Attempt, Connection, Worker

INTERVAL = 10.0  # seconds between two heartbeats of a worker
DEAD_AFTER = timedelta(seconds=60)  # without a heartbeat
DELETED_AFTER = timedelta(days=1)  # without a heartbeat
BACKLOG_LIMIT = timedelta(minutes=5)  # no due row should wait longer


@dataclass
class WorkerHeartbeat:
    """This process as a worker: `beat` updates its row, at most once every INTERVAL seconds."""

    name: str = ""
    _next: float = field(default=0.0, repr=False)

    def beat(self) -> None:
        if time.monotonic() < self._next:
            return
        clock.refresh()
        self.name, now = f"{socket.gethostname()}:{os.getpid()}"[:100], clock.now()
        Worker.objects.update_or_create(name=self.name, defaults={"at": now, "skew": clock.skew()})
        Worker.objects.filter(at__lt=now - DELETED_AFTER).delete()
        self._next = time.monotonic() + INTERVAL

    def stop(self) -> None:
        """Delete the row: this worker ends as it should, so it must not count as dead."""
        with suppress(Error):  # without the database it counts as dead after a minute
            Worker.objects.filter(name=self.name).delete()
        self._next = 0.0


worker_heartbeat = WorkerHeartbeat()


@dataclass(frozen=True)
class Workers:
    """What their heartbeats say. `silence`: since the last one of any of them; None: there has been none."""

    silence: timedelta | None
    alive: list[Worker]

    @property
    def off(self) -> list[Worker]:
        """Those whose own clock is off."""
        return [worker for worker in self.alive if clock.is_off(worker.skew)]

    @property
    def all_pause(self) -> bool:
        """Whether the clocks of all that live are so far off that none takes rows."""
        pausing = [clock.is_too_far_off(worker.skew) for worker in self.alive]
        return bool(pausing) and all(pausing)


def workers() -> Workers:
    rows = list(Worker.objects.order_by("-at"))
    now = clock.now()
    alive = [worker for worker in rows if now - worker.at <= DEAD_AFTER]
    return Workers(now - rows[0].at if rows else None, alive)


@dataclass(frozen=True)
class Backlog:
    """Rows that are due and not begun. `oldest`: since when the oldest of them has been due."""

    rows: int
    oldest: datetime | None

    @property
    def age(self) -> timedelta:
        return clock.now() - self.oldest if self.oldest else timedelta(0)


def backlog() -> dict[str, Backlog]:
    """The backlog by kind: "attempt", and "connection" for checks of connected shops."""
    now = clock.now()
    rows = {
        "attempt": Attempt.objects.filter(ended=None, due_at__lte=now),
        "connection": Connection.objects.filter(due_at__lte=now),
    }
    return {
        kind: Backlog(**due.aggregate(rows=Count("pk"), oldest=Min("due_at")))
        for kind, due in rows.items()
    }


def pending_migrations() -> list[str]:
    """Migrations of this release that are not applied, as `app.name`."""
    executor = MigrationExecutor(database)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


_migrated = threading.Event()


def migrated() -> bool:
    """Whether all migrations are applied. This process remembers a yes."""
    if not _migrated.is_set() and not pending_migrations():
        _migrated.set()
    return _migrated.is_set()
