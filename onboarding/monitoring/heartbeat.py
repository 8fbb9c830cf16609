"""Heartbeats of workers, their clocks, the backlog of due rows, and migrations that are not applied.

/health/ready, /metrics and `manage.py doctor` read them.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import Error
from django.db import connection as database
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Min, Q, QuerySet

from onboarding import clock
from onboarding.models import Attempt, Connection, Worker
from onboarding.models.catalogue import vendors_with_shops

INTERVAL = 10.0  # seconds between two heartbeats of a worker
DEAD_AFTER = timedelta(seconds=60)  # without a heartbeat
DELETED_AFTER = timedelta(days=1)  # without a heartbeat
BACKLOG_LIMIT = timedelta(minutes=5)  # no due row should wait longer
COUNTED = 1_000  # due rows of a vendor; more are not counted


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
    """What their heartbeats say. `silence`: since the last one of any of them; None: there has been none.

    `silent`: those that did not end as they should within the last day. They were killed, or hang.
    """

    silence: timedelta | None
    alive: list[Worker]
    silent: list[Worker]

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
    silent = [worker for worker in rows if worker not in alive]
    return Workers(now - rows[0].at if rows else None, alive, silent)


@dataclass(frozen=True)
class Backlog:
    """Rows that are due and not begun. `oldest`: since when the oldest of them has been due.

    `is_longer`: not all rows were counted.
    """

    rows: int
    oldest: datetime | None
    is_longer: bool = False

    @property
    def age(self) -> timedelta:
        return clock.now() - self.oldest if self.oldest else timedelta(0)


def backlog(most: int = COUNTED) -> dict[str, Backlog]:
    """The backlog by kind: "attempt", and "connection" for checks of connected shops.

    `most`: so many rows of each vendor are counted. One is enough to know the oldest, and the index has
    them in this order, however many there are.
    """
    now = clock.now()
    due = Q(due_at__lte=now) & (Q(lease_until=None) | Q(lease_until__lt=now))
    rows: dict[str, QuerySet[Attempt] | QuerySet[Connection]] = {
        "attempt": Attempt.objects.filter(due, ended=None),
        "connection": Connection.objects.filter(due),
    }
    vendors = vendors_with_shops()
    return {
        kind: _sum(_oldest(waiting.filter(vendor=vendor), most) for vendor in vendors)
        for kind, waiting in rows.items()
    }


def _oldest(rows: QuerySet[Attempt] | QuerySet[Connection], most: int) -> Backlog:
    found = rows.order_by("due_at").values("due_at")[:most]
    counted = found.aggregate(rows=Count("due_at"), oldest=Min("due_at"))
    return Backlog(**counted, is_longer=counted["rows"] == most)


def _sum(backlogs: Iterable[Backlog]) -> Backlog:
    found = list(backlogs)
    return Backlog(
        rows=sum(each.rows for each in found),
        oldest=min((each.oldest for each in found if each.oldest), default=None),
        is_longer=any(each.is_longer for each in found),
    )


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
