"""Signs of life: what /health/ready, /metrics and `manage.py doctor` look at."""

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
from django.db.models import Count, Max, Min
from django.utils import timezone

from onboarding.models import Attempt, Connection, Worker

BEAT = 10.0  # seconds between two signs of life of a worker
SILENT = timedelta(seconds=60)  # without one, a worker counts as dead
FORGOTTEN = timedelta(days=1)
LATE = timedelta(minutes=5)  # nothing that is due should wait for longer


@dataclass
class Heart:
    """This process as a worker: writes its row while it beats, at most every `BEAT` seconds."""

    name: str = ""
    _next: float = field(default=0.0, repr=False)

    def beat(self) -> None:
        if time.monotonic() < self._next:
            return
        self.name, now = f"{socket.gethostname()}:{os.getpid()}"[:100], timezone.now()
        Worker.objects.update_or_create(name=self.name, defaults={"at": now})
        Worker.objects.filter(at__lt=now - FORGOTTEN).delete()
        self._next = time.monotonic() + BEAT

    def stop(self) -> None:
        """The worker ends in good order: nobody need miss it."""
        with suppress(Error):  # without the database it is missed after a minute, as a dead one is
            Worker.objects.filter(name=self.name).delete()
        self._next = 0.0


heart = Heart()


def silence() -> timedelta | None:
    """Time since the youngest sign of life of any worker; None: there has been none."""
    newest: datetime | None = Worker.objects.aggregate(at=Max("at"))["at"]
    return timezone.now() - newest if newest else None


@dataclass(frozen=True)
class Backlog:
    """What is due now and not begun. `oldest`: since when the one that waits longest is due."""

    rows: int
    oldest: datetime | None

    @property
    def age(self) -> timedelta:
        return timezone.now() - self.oldest if self.oldest else timedelta(0)


def backlog() -> dict[str, Backlog]:
    """Of attempts and of connections (their checks)."""
    now = timezone.now()
    rows = {
        "attempt": Attempt.objects.filter(ended=None, due_at__lte=now),
        "connection": Connection.objects.filter(due_at__lte=now),
    }
    return {
        kind: Backlog(**due.aggregate(rows=Count("pk"), oldest=Min("due_at")))
        for kind, due in rows.items()
    }


def pending() -> list[str]:
    """Migrations that this release brings and the database has not seen."""
    executor = MigrationExecutor(database)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


_migrated = threading.Event()


def migrated() -> bool:
    """Whether all migrations are applied; a yes is remembered by this process."""
    if not _migrated.is_set() and not pending():
        _migrated.set()
    return _migrated.is_set()
