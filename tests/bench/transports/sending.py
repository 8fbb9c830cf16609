"""A worker whose look claims rows and sends them to a queue, instead of doing them itself.

Any worker takes them from there. The queue is kept short: a row that waits in it for longer than its lease
is claimed and sent again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Protocol

from django.db import connections

from onboarding import clock, journey
from onboarding.background import runner, worker
from onboarding.background.runner import DueRow
from onboarding.monitoring import logs

log = logging.getLogger(__name__)
LONGEST = 200  # rows in the queue
BETWEEN = 0.1  # seconds between two looks while there is more than fits into the queue
THREADS = 32  # as many as the worker of threads has for each vendor


class Queue(Protocol):
    def waiting(self) -> int:
        """How many rows are in the queue."""

    def send(self, rows: Sequence[DueRow]) -> None: ...


class Away(Exception):
    """The queue cannot be reached: this worker does the rows that it claims."""


class SendingWorker(worker._Worker):
    """The worker's own loop, schedule and wake-ups; only the rows go another way."""

    def __init__(self, stop: threading.Event, queue: Queue) -> None:
        super().__init__(stop)
        self._queue = queue

    def _look(self) -> float:
        self._told = False
        rows: list[DueRow] = []
        full = runner.look(dict.fromkeys(self._vendors, self._room()), rows.append)
        if rows:
            self._send(rows)
        if full:
            return BETWEEN
        next_due = journey.next_due(self._vendors)
        left = (next_due - clock.now()).total_seconds() if next_due else worker.INTERVAL
        return min(max(left, worker.SHORTEST), worker.INTERVAL)

    def _room(self) -> int:
        try:
            return max(LONGEST - self._queue.waiting(), 0)
        except Away:
            return min(map(runner.executor.room, self._vendors), default=0)

    def _send(self, rows: Sequence[DueRow]) -> None:
        try:
            self._queue.send(rows)
        except Away:
            for row in rows:
                self._submit(row)

    def _has_room(self) -> bool:
        return False  # the next look asks the queue


@logs.with_reference()
def do(row: DueRow) -> None:
    """Do the row in this thread, to its end. A failed row stays due, and its lease ends by itself."""
    try:
        work = row.run()
        while work:
            work = work()
    finally:
        connections.close_all()
