"""SQLite's only write lock: how many threads of a web process may wait for it.

Another process may hold the lock for long, such as a backup tool or somebody with a shell. SQLite lets each
writer wait for many seconds, so a crowd of writers would hold every thread, and pages that only read would
wait too, although they need no lock. So only some threads wait for it. The others wait for their place, and
only as long as somebody gets the lock: then their page says that nothing was saved.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from django.db import OperationalError
from django.db import connection as database
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

PATIENCE = 1.0  # seconds without any write; a crowd makes many of them in a second
WAIT = 10_000  # milliseconds that SQLite lets one of them wait
WRITES = {"INSERT", "UPDATE", "DELETE", "REPLACE"}


def limit_waiting(places: int) -> None:
    """From now on, at most this many threads of this process wait for the lock."""
    gate = Gate(places)
    connection_created.connect(gate.watch, weak=False, dispatch_uid="write-lock")


class Gate:
    """The places of those who wait for the lock, or hold it for one statement."""

    def __init__(self, places: int) -> None:
        self._places = threading.BoundedSemaphore(places)
        self._lock = threading.Lock()
        self._since: dict[int, float] = {}  # thread → since when it waits, in monotonic time
        self._written = 0.0  # when somebody last got the lock

    def watch(self, connection: BaseDatabaseWrapper, **_: object) -> None:
        if connection.vendor != "sqlite":
            return
        connection.connection.execute(f"PRAGMA busy_timeout = {WAIT}")
        if self.guard not in connection.execute_wrappers:
            connection.execute_wrappers.append(self.guard)

    def guard(
        self,
        execute: Callable[..., object],
        sql: str,
        params: object,
        many: bool,
        context: Mapping[str, BaseDatabaseWrapper],
    ) -> object:
        if not takes_lock(sql, context["connection"]):
            return execute(sql, params, many, context)
        with self.place():
            return execute(sql, params, many, context)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Raises OperationalError where there is none and nobody gets the lock."""
        while not self._places.acquire(timeout=0.1):
            if self.is_stuck():
                raise OperationalError("database is locked")
        me = threading.get_ident()
        with self._lock:
            self._since[me] = time.monotonic()
        try:
            yield
            self._written = time.monotonic()
        finally:
            with self._lock:
                del self._since[me]
            self._places.release()

    def is_stuck(self) -> bool:
        """Whether somebody has waited for long, and nobody has got the lock since."""
        with self._lock:
            waits = min(self._since.values(), default=time.monotonic())
        return max(waits, self._written) < time.monotonic() - PATIENCE


@contextmanager
def short_wait(milliseconds: int) -> Iterator[None]:
    """In this block SQLite lets this thread wait only so long for the lock, and afterwards as before."""
    if database.vendor != "sqlite":
        yield
        return
    with database.cursor() as cursor:
        [usual] = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {milliseconds}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {usual}")


def takes_lock(sql: str, connection: BaseDatabaseWrapper) -> bool:
    """Whether this statement begins to hold the lock: a transaction, or a write outside of one."""
    if connection.in_atomic_block:
        return False
    word = sql.lstrip()[:20].partition(" ")[0].upper()
    return word in WRITES or word == "BEGIN"
