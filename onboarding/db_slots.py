"""Slots for work at the database: how many threads of a process work on rows at once.

The others wait for vendors, or for a slot. SQLite has one writer, so there is one slot: more threads would
only wait for each other, and take the CPU from the pages. On PostgreSQL a few are enough, because they
share the interpreter: more would only take turns at it. The farther the database is, the longer each of
them waits for it, and the more of them a worker can use.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import Error
from django.db import connection as database

# On PostgreSQL; the pool has connections for them all.
WEB_SLOTS = 4
LEAST, MOST = 3, 12  # of a worker
ROUND_TRIP = 0.0003  # seconds to the database and back for which a worker has one slot more
TRIES = 5
_thread = threading.local()  # `held`: whether this thread has a slot


class Slots:
    """The slots of this process. They are made when the first is needed: only then the database is known."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._lock = threading.Lock()
        self._free: threading.Semaphore | None = None

    def acquire(self) -> None:
        self._semaphore().acquire()

    def release(self) -> None:
        self._semaphore().release()

    def _semaphore(self) -> threading.Semaphore:
        with self._lock:
            if self._free is None:
                self._free = threading.Semaphore(1 if database.vendor == "sqlite" else self.count)
            return self._free


_slots = Slots(WEB_SLOTS)


def serve_a_worker() -> None:
    """This process is a worker: it has no pages to serve. Call it before there is work."""
    global _slots  # one set of slots for the process
    with suppress(Error):  # without the database there is no work either, and LEAST will do
        _slots = Slots(LEAST)
        _slots = Slots(min(LEAST + int(_round_trip() / ROUND_TRIP), MOST))


def _round_trip() -> float:
    """Seconds, at best: a busy moment says nothing about the distance."""
    return min(_seconds_of_a_statement() for _ in range(TRIES))


def _seconds_of_a_statement() -> float:
    with database.cursor() as cursor:
        began = time.monotonic()
        cursor.execute("SELECT 1")
        return time.monotonic() - began


@contextmanager
def slot() -> Iterator[None]:
    """Hold a slot for the block. Reentrant: an inner block changes nothing."""
    if _held():
        yield
        return
    _acquire()
    try:
        yield
    finally:
        _release()


@contextmanager
def released() -> Iterator[None]:
    """Release the slot, if this thread has one, while the block waits for a vendor; then take one again."""
    if not _held():
        yield
        return
    _release()
    try:
        yield
    finally:
        _acquire()


def give_back_connection() -> None:
    """Return this thread's connection to PostgreSQL's pool, unless a transaction is open.

    SQLite has no pool: its connection stays open, because opening one is slow.
    """
    if "pool" in database.settings_dict["OPTIONS"] and not database.in_atomic_block:
        database.close()


def _held() -> bool:
    return getattr(_thread, "held", False)


def _acquire() -> None:
    _slots.acquire()
    _thread.held = True


def _release() -> None:
    _thread.held = False
    _slots.release()
