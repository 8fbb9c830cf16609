"""When and where the journey is called.

The web process hands a merchant's call to a bounded executor and waits a moment; everything else
is the sweep's. Both only decide who calls `carry`: what is due stands in the rows, a lost task
loses nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context

from django.conf import settings
from django.db import connection as database
from django.db import connections
from django.utils import timezone

from . import journey, periodic
from .models import Attempt, Connection
from .situation import Status

log = logging.getLogger(__name__)
Work = Callable[[], None]
Submit = Callable[[str, str, Work], object]

BOUND = 8  # calls at once to one vendor, for each process: a slow vendor fills its own bound only
QUEUED = 100  # more than that waits for the sweep
PATIENCE = 1.5  # seconds that a merchant's request waits for the vendor
BATCH = 50
PULSE = 1.0  # seconds between two looks of the worker


class Executor:
    """Threads for each vendor, made when they are first needed (after gunicorn has forked)."""

    def __init__(self, bound: int = BOUND) -> None:
        self._bound = bound
        self._lock = threading.Lock()
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._under_way: dict[str, Future[None]] = {}

    def submit(self, vendor: str, key: str, work: Work) -> Future[None] | None:
        """Start `work` soon; None when the vendor's queue is full. No key runs twice at once."""
        with self._lock:
            if (running := self._under_way.get(key)) and not running.done():
                return running
            self._under_way = {k: f for k, f in self._under_way.items() if not f.done()}
            if sum(k.startswith(f"{vendor}:") for k in self._under_way) >= QUEUED:
                return None
            future = self._pool(vendor).submit(copy_context().run, _loudly, work)
            self._under_way[key] = future
            return future

    def _pool(self, vendor: str) -> ThreadPoolExecutor:
        if vendor not in self._pools:
            self._pools[vendor] = ThreadPoolExecutor(self._bound, f"vendor-{vendor}")
        return self._pools[vendor]

    def idle(self) -> None:
        """Wait until all that was submitted is done."""
        with self._lock:
            under_way = list(self._under_way.values())
        wait(under_way)

    def shut(self) -> None:
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)


def _loudly(work: Work) -> None:
    """A bug in a thread is logged; the row it was about stays due."""
    try:
        work()
    except Exception:
        log.exception("the journey stopped at a bug")
        raise
    finally:
        connections.close_all()


executor = Executor()
_waiters = threading.BoundedSemaphore(max(settings.WEB_THREADS // 2, 1))


def hand_over(attempt: Attempt, *, patience: float | None = None) -> None:
    """Have the merchant's call made now; return when it is answered, or after `patience` seconds.

    At most half of the web threads wait; they hold no database connection meanwhile.
    """
    pk, vendor = attempt.pk, attempt.connection.vendor
    future = executor.submit(
        vendor, f"{vendor}:attempt:{pk}", lambda: journey.carry(pk, present=True)
    )
    if future is None or not _waiters.acquire(blocking=False):
        return
    try:
        if not database.in_atomic_block:
            database.close()
        wait([future], timeout=PATIENCE if patience is None else patience)
    finally:
        _waiters.release()


def inline(vendor: str, key: str, work: Work) -> None:
    work()


def sweep(submit: Submit = inline) -> int:
    """Do what is due: attempts, checks, periodic work. Returns how many rows were due."""
    periodic.run(submit)
    due = _due_attempts() + _due_checks()
    for vendor, key, work in due:
        submit(vendor, f"{vendor}:{key}", work)
    return len(due)


def _due_attempts() -> list[tuple[str, str, Work]]:
    now = timezone.now()
    expired = Attempt.objects.filter(ended=None, due_at=None, deadline__lte=now)
    expired.update(due_at=now)
    rows = Attempt.objects.filter(ended=None, due_at__lte=now).order_by("due_at")
    found = rows.values_list("connection__vendor", "pk")[:BATCH]
    return [(vendor, f"attempt:{pk}", _carrying(pk)) for vendor, pk in found]


def _due_checks() -> list[tuple[str, str, Work]]:
    rows = Connection.objects.filter(due_at__lte=timezone.now()).order_by("due_at")
    found = rows.values_list("vendor", "pk")[:BATCH]
    return [(vendor, f"connection:{pk}", _refreshing(pk)) for vendor, pk in found]


def _carrying(pk: int) -> Work:
    return lambda: journey.carry(pk)


def _refreshing(pk: int) -> Work:
    return lambda: journey.refresh(pk)


def work_forever(stop: threading.Event | None = None) -> None:
    """The worker: sweep, rest a moment, sweep again, until `stop` is set."""
    stop = stop or threading.Event()
    while not stop.is_set():
        try:
            sweep(executor.submit)
        except Exception:  # the database may be away for a moment; the rows wait
            log.exception("a sweep failed; the next one tries again")
        connections.close_all()
        stop.wait(PULSE)
    executor.shut()


def ask_now(connection: Connection) -> bool:
    """Staff's "ask the vendor now": whatever waits for this shop becomes due at once.

    False when there is nothing to ask about. An open visit to the vendor's pages does not hide the
    check, and an ended connection is not brought back to life by one.
    """
    now = timezone.now()
    trips = connection.attempts.filter(ended=None).exclude(call_number=0)
    if trips.exclude(purpose=Attempt.Purpose.ENTER).update(due_at=now):
        return True
    live = Connection.objects.filter(pk=connection.pk).exclude(status=Status.DISCONNECTED)
    return bool(live.exclude(shop="").update(due_at=now))
