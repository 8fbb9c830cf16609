"""Wake-ups: on PostgreSQL, whoever makes something due tells the workers, so that they begin at once.

It is only a hint. A wake-up that is lost, or that a pooler does not pass on, costs a second: workers look
for what is due in any case. SQLite has no such messages.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import psycopg
from django.db import DatabaseError
from django.db import connection as database

log = logging.getLogger(__name__)
LISTEN, NOTIFY = "LISTEN gangway_due", "NOTIFY gangway_due"
PAUSE = 5.0  # seconds before a lost connection is opened again
# Seconds. Who only waits would not notice a dead connection.
KEEPALIVE = {"keepalives_idle": 30}


def send() -> None:
    """Wake the workers, when this transaction has committed. Several in one transaction are sent as one."""
    if database.vendor == "postgresql":
        with database.cursor() as cursor:
            cursor.execute(NOTIFY)


class Listener:
    """A thread with a connection of its own that calls `wake` for each wake-up."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wake-ups", daemon=True)

    def start(self) -> None:
        if database.vendor == "postgresql":
            self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if not self._listen():
                    return
            except (psycopg.Error, DatabaseError) as error:
                log.debug("no wake-ups for now: %s", type(error).__name__)
            self._stop.wait(PAUSE)

    def _listen(self) -> bool:
        """Listen until the connection is lost. False: a pooler is in between, and passes nothing on."""
        params = database.get_connection_params() | KEEPALIVE
        if getattr(database, "is_behind_pooler", False):
            return False
        with psycopg.connect(**params, autocommit=True) as connection:
            connection.execute(LISTEN)
            while not self._stop.is_set():
                for _ in connection.notifies(timeout=PAUSE, stop_after=1):
                    self._wake()
        return True
