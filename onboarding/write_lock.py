"""SQLite's only write lock: how many threads of a web process may wait for it.

Another process may hold the lock for long, such as a backup tool or somebody with a shell. SQLite lets each
writer wait for many seconds, so a crowd of writers would hold every thread, and pages that only read would
wait too, although they need no lock. So only some threads wait; others wait a moment, and none once the
lock has been away for longer: their page says at once that nothing was saved.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

PATIENCE = 0.5  # seconds
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
        self._since: dict[int, float] = {}  # thread → monotonic time

    def watch(self, connection: BaseDatabaseWrapper, **_: object) -> None:
        if connection.vendor == "sqlite" and self.guard not in connection.execute_wrappers:
            connection.execute_wrappers.append(self.guard)

    # Any: the signature of Django's wrappers
    def guard(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        if not takes_lock(sql, context["connection"]):
            return execute(sql, params, many, context)
        with self.place():
            return execute(sql, params, many, context)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Raises OperationalError where there is none."""
        if not self._places.acquire(timeout=0 if self.is_stuck() else PATIENCE):
            raise OperationalError("database is locked")
        me = threading.get_ident()
        with self._lock:
            self._since[me] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                del self._since[me]
            self._places.release()

    def is_stuck(self) -> bool:
        """Whether somebody has waited for longer than a write takes."""
        with self._lock:
            return any(since < time.monotonic() - PATIENCE for since in self._since.values())


def takes_lock(sql: str, connection: BaseDatabaseWrapper) -> bool:
    """Whether this statement begins to hold the lock: a transaction, or a write outside of one."""
    if connection.in_atomic_block:
        return False
    word = sql.lstrip()[:20].partition(" ")[0].upper()
    return word in WRITES or word == "BEGIN"
