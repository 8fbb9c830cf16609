"""The site's clock: the database's.

Processes on several machines compare moments in rows: leases, what is due, codes that expire. So all of
them take the time from the one clock that they share, however wrong their machine's own clock is. SQLite
is used on one machine alone, whose clock it shares.

What other machines judge by their own clocks (certificates, codes of authenticator apps) goes by the
machine's. docs/design/background.md says what follows from a clock that is off.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import Error
from django.db import connection as database
from django.utils import timezone

log = logging.getLogger(__name__)
READ_EVERY = 5.0  # seconds
RETRY_AFTER = 1.0  # seconds between two readings, also when one fails
SLOW = 1.0  # seconds; half of what an answer took is how wrong a reading may be
JUMP = 1.0  # seconds that our own clock may leave the monotonic one before it is read again
TOLERANCE = timedelta(seconds=5)  # a clock that is further off is spoken of
TOO_FAR = timedelta(seconds=60)  # a worker whose clock is further off takes no rows
READ = "SELECT clock_timestamp()"


@dataclass(frozen=True)
class Reading:
    """What the database's clock showed, at which monotonic time here, and how far our own was off."""

    shown: datetime
    at: float
    skew: timedelta  # ours minus the database's

    def now(self) -> datetime:
        return self.shown + timedelta(seconds=time.monotonic() - self.at)

    def is_old(self) -> bool:
        """Also if our own clock was set, or the machine was stopped: the monotonic clock stops with it."""
        jumped = timezone.now() - self.now() - self.skew
        is_recent = 0 <= time.monotonic() - self.at <= READ_EVERY
        return not is_recent or abs(jumped.total_seconds()) > JUMP


_last: Reading | None = None  # none on SQLite, and until the database was first asked
_tried = float("-inf")  # monotonic time of the last reading, or of one that failed
_said = False  # whether the log says that our own clock is off
_lock = threading.RLock()  # one thread reads


def now() -> datetime:
    """The time by the database's clock.

    It is read every few seconds, by a thread that has a connection at hand, and runs on in between by this
    process's monotonic clock. Before the first reading, and on SQLite, it is our own.
    """
    if _last is None or _has_connection():
        refresh()
    last = _last
    return last.now() if last else timezone.now()


def timestamp() -> float:
    """The same in seconds since 1970, for what a session remembers."""
    return now().timestamp()


def skew() -> timedelta:
    """How far this process's own clock is ahead of the database's; zero while nothing is known."""
    return _last.skew if _last else timedelta(0)


def is_off(skew: timedelta) -> bool:
    return abs(skew) > TOLERANCE


def is_too_far_off(skew: timedelta) -> bool:
    return abs(skew) > TOO_FAR


def in_words(skew: timedelta) -> str:
    """ "3600 s ahead of the database’s" """
    seconds = skew.total_seconds()
    return f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} the database’s"


def _has_connection() -> bool:
    """A transaction keeps its statements to itself: one of them may have failed."""
    return database.connection is not None and not database.in_atomic_block


def refresh() -> None:
    """Read the clock if the last reading is old. A database that does not answer changes nothing.

    Threads wait for each other only while nothing is known yet: before, the time would be our own.
    """
    if not _is_time_to_read() or not _lock.acquire(blocking=_last is None):
        return
    try:
        if _is_time_to_read():
            with suppress(Error):
                read()
    finally:
        _lock.release()


def _is_time_to_read() -> bool:
    if database.vendor != "postgresql" or 0 <= time.monotonic() - _tried < RETRY_AFTER:
        return False
    return _last is None or _last.is_old()


def read() -> None:
    """Read the database's clock, if it may differ from ours. Raises django.db.Error."""
    global _tried  # one clock for the process
    if database.vendor != "postgresql":
        return
    _tried = began = time.monotonic()
    with database.cursor() as cursor:
        began = time.monotonic()  # it may have had to connect
        cursor.execute(READ)
        [shown] = cursor.fetchone()
    learn(shown, began)


def learn(shown: datetime, began: float) -> None:
    """A statement that was sent at `began` (monotonic) returned the database's `clock_timestamp()`.

    The answer was under way for half of the time that has passed since, as far as anybody can say. So
    one that took long, such as in a process that was stopped meanwhile, counts only if it is the first.
    """
    global _last  # one clock for the process
    ended = time.monotonic()
    if _last is not None and ended - began > SLOW:
        return
    half_way = timedelta(seconds=(ended - began) / 2)
    _last = Reading(shown, (began + ended) / 2, timezone.now() - shown - half_way)
    _say(_last.skew)


def _say(skew: timedelta) -> None:
    """One line of the log when our own clock goes wrong, and one when it is clearly right again."""
    global _said  # one clock for the process
    if not _said and is_off(skew):
        log.warning("this machine’s clock is %s: synchronise both (NTP)", in_words(skew))
        _said = True
    elif _said and not is_off(2 * skew):
        log.info("this machine’s clock is right again")
        _said = False
