"""Sending while somebody waits: a few threads of each process talk to the mail server, pages only wait.

A mail server that is slow holds these threads, and never the web server's own: a page waits a moment, not
too many pages wait at once, and what comes later is written into the mail's row by the thread.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from typing import Protocol

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import Error, connections

from onboarding import db_slots

from .mail import NotSent, deliver

log = logging.getLogger(__name__)
WAIT = 1.5  # seconds that a page waits for the outcome
THREADS = 4  # of each process
QUEUE_LIMIT = 100  # mails that wait for a thread
FRESH_FOR = 30.0  # seconds in the queue during which no other process takes the mail over


class Conclude(Protocol):
    def __call__(self, error: NotSent | None, /) -> None: ...


class Delivery:
    """One try. Whoever is there when it ends calls `conclude`: the page that waits, or else the thread.

    `awaited`: somebody will call `wait`. `still_mine`: asked for a mail that has waited long in the queue;
    if it is not, it is not sent here.
    """

    def __init__(
        self,
        message: EmailMessage,
        conclude: Conclude,
        still_mine: Callable[[], bool],
        *,
        awaited: bool,
    ) -> None:
        self.message, self.conclude, self.still_mine = message, conclude, still_mine
        self.error: NotSent | None = None
        self.is_over = False
        self._nobody_waits = not awaited
        self._began = time.monotonic()
        self._context = copy_context()
        self._lock, self._ended = threading.Lock(), threading.Event()

    def wait(self, seconds: float) -> bool:
        """Whether it is over within this time."""
        self._ended.wait(seconds)
        with self._lock:
            self._nobody_waits = not self.is_over
        if self.is_over:
            self.conclude(self.error)
        return self.is_over

    def run(self) -> None:
        """Send the mail, in a thread of the pool."""
        self._context.run(self._run)

    def _run(self) -> None:
        if time.monotonic() - self._began > FRESH_FOR and not self.still_mine():
            return
        error = outcome(self.message)
        with self._lock:
            self.error, self.is_over, late = error, True, self._nobody_waits
        self._ended.set()
        if late:
            self.conclude(error)


def outcome(message: EmailMessage) -> NotSent | None:
    """Send the mail now. None: it has left."""
    try:
        deliver(message)
    except NotSent as error:
        return error
    return None


class Pool:
    """Threads and their queue. They start with the first mail, after gunicorn has forked.

    They are daemons: a process that ends waits for no mail server, and the sweep sends what is left.
    """

    def __init__(self, limit: int = QUEUE_LIMIT) -> None:
        self._queue: queue.Queue[Delivery] = queue.Queue(limit)
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def submit(self, delivery: Delivery) -> bool:
        """False if too many mails wait already."""
        with self._lock:
            while len(self._threads) < THREADS:
                name = f"mail-{len(self._threads)}"
                self._threads.append(threading.Thread(target=self._work, name=name, daemon=True))
                self._threads[-1].start()
        try:
            self._queue.put_nowait(delivery)
        except queue.Full:
            return False
        return True

    def waiting(self) -> int:
        """How many mails wait for a thread."""
        return self._queue.qsize()

    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is being sent."""
        return self._queue.unfinished_tasks == 0

    def _work(self) -> None:
        while True:
            _run_safely(self._queue.get())
            self._queue.task_done()


def _run_safely(delivery: Delivery) -> None:
    """Log what would end the thread; the row stays due."""
    try:
        delivery.run()
    except Error as error:
        log.warning("what became of a mail could not be saved: %s", type(error).__name__)
    except Exception:
        log.exception("sending a mail met a bug")
    finally:
        connections.close_all()


pool = Pool()
# Pages that wait for a mail server at once. The other threads of the process serve other pages.
_waiters = threading.BoundedSemaphore(max(settings.WEB_THREADS // 2, 1))


def wait_for(delivery: Delivery) -> bool:
    """Wait up to WAIT seconds; whether it is over. Nobody waits while too many others do.

    Only a mail server can be slow: a folder or the console is always waited for.
    """
    is_remote = "smtp" in settings.EMAIL_BACKEND
    if is_remote and not _waiters.acquire(blocking=False):
        return delivery.wait(0)
    try:
        db_slots.give_back_connection()
        return delivery.wait(WAIT)
    finally:
        if is_remote:
            _waiters.release()
