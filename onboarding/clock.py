"""The site's clock: the database's.

Processes on several machines compare moments in rows: leases, what is due, codes that expire. So all of
them take the time from the one clock that they share, however wrong their machine's own clock is. SQLite
is used on one machine alone, whose clock it shares.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.db import connection as database
from django.utils import timezone

READ_EVERY = 5.0  # seconds
READ = "SELECT clock_timestamp()"


@dataclass(frozen=True)
class Reading:
    """What the database's clock showed, at which monotonic time here, and how far our own was off."""

    shown: datetime
    at: float
    skew: timedelta  # ours minus the database's

    @property
    def is_old(self) -> bool:
        return time.monotonic() - self.at > READ_EVERY


_last: Reading | None = None  # none on SQLite, and until the database was first asked


def now() -> datetime:
    """The time by the database's clock.

    It is read every few seconds, by a thread that has a connection at hand, and runs on in between by this
    process's monotonic clock.
    """
    if (_last is None or _last.is_old) and _has_connection():
        with suppress(DatabaseError):
            read()
    last = _last
    if last is None:
        return timezone.now()
    return last.shown + timedelta(seconds=time.monotonic() - last.at)


def skew() -> timedelta:
    """How far this process's own clock is ahead of the database's; zero while nothing is known."""
    return _last.skew if _last else timedelta(0)


def _has_connection() -> bool:
    """In a transaction the clock is left alone: it may have failed, and no statement works in it then."""
    is_shared = database.vendor == "postgresql"
    return is_shared and database.connection is not None and not database.in_atomic_block


def read() -> None:
    """Read the database's clock, if it may differ from ours. Raises DatabaseError."""
    if database.vendor != "postgresql":
        return
    began = time.monotonic()
    with database.cursor() as cursor:
        cursor.execute(READ)
        [shown] = cursor.fetchone()
    learn(shown, began)


def learn(shown: datetime, began: float) -> None:
    """A statement that was sent at `began` (monotonic) returned the database's `clock_timestamp()`.

    The answer was under way for half of the time that has passed since, as far as anybody can say.
    """
    global _last  # one clock for the process
    ended = time.monotonic()
    half_way = timedelta(seconds=(ended - began) / 2)
    _last = Reading(shown, (began + ended) / 2, timezone.now() - shown - half_way)
