"""When and where the journey is called.

The web process hands a merchant's call to a bounded executor and waits a moment; everything else
is the sweep's. Both only decide who calls `carry`: what is due stands in the rows, a lost task
loses nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import wait
from functools import partial
from typing import Any, Literal, NamedTuple, Protocol

from django.conf import settings
from django.db import connections
from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from onboarding import db_lock, journey
from onboarding.journey import OnlyIf
from onboarding.models import Attempt, Connection
from onboarding.models.status import Answer, Status
from onboarding.monitoring import heartbeat, logs

from . import schedule
from .executor import WORKERS_BOUND, Executor, Work

log = logging.getLogger(__name__)
Kind = Literal["attempt", "connection"]

PATIENCE = 1.5  # seconds that a merchant's request waits for the vendor
BATCH = 50  # rows of each vendor in one look
PULSE = 1.0  # seconds between two looks of the worker
BACK = Q(status=Status.CHECKING, answer=Answer.PROGRESS)  # a return that nobody has asked about yet


class Submit(Protocol):
    def __call__(self, vendor: str, key: str, work: Work, *, first: bool = False) -> object: ...


executor = Executor()
_waiters = threading.BoundedSemaphore(max(settings.WEB_THREADS // 4, 1))


def hand_over(attempt: Attempt, *, patience: float | None = None, back: bool = False) -> None:
    """Have the merchant's call made now; return when it is answered, or after `patience` seconds.

    At most a quarter of the web threads wait, and none where others wait for their turn already; they
    hold no database connection meanwhile. `back`: they come from the vendor's pages, and go first, for
    what they bring may be good for seconds.
    """
    vendor = attempt.connection.vendor
    row = Due(vendor, "attempt", attempt.pk, back)
    future = executor.submit(vendor, row.key, row.call, first=back)
    if future is None or executor.crowded(vendor) or not _waiters.acquire(blocking=False):
        return
    try:
        db_lock.give_back_connection()
        wait([future], timeout=PATIENCE if patience is None else patience)
    finally:
        _waiters.release()


def advance_now(attempt: Attempt) -> None:
    """Make the attempt's calls in this process: for a command whose caller waits for the answer."""
    journey.advance(attempt.pk)


class Due(NamedTuple):
    """A row that is due, at this vendor. `back`: a merchant is back from there, and goes first."""

    vendor: str
    kind: Kind
    pk: int
    back: bool = False

    @property
    def key(self) -> str:
        return f"{self.vendor}:{self.kind}:{self.pk}"

    def work(self) -> Work | None:
        """Work on it, unless another worker was faster."""
        if self.kind == "attempt":
            return self.advance(only_if=OnlyIf.DUE)
        journey.check(self.pk, only_if=OnlyIf.DUE)
        return None

    def call(self) -> Work | None:
        """The merchant's call, unless it was answered meanwhile."""
        return self.advance(present=True, only_if=OnlyIf.UNANSWERED)

    def advance(
        self, *, present: bool = False, only_if: OnlyIf, rounds: int = journey.ROUNDS
    ) -> Work | None:
        """Advance the attempt; returns what is left of it when others go first."""
        left = journey.advance(
            self.pk,
            present=present,
            only_if=only_if,
            urgent=partial(executor.urgent, self.vendor),
            rounds=rounds,
        )
        rest = partial(self.advance, present=present, only_if=OnlyIf.UNANSWERED, rounds=left)
        return rest if left else None


Take = Callable[[Due], object]


@logs.referred()
def inline(vendor: str, key: str, work: Work, *, first: bool = False) -> None:
    while left := work():
        work = left


def sweep(submit: Submit = inline, take: Take | None = None) -> int:
    """Do what is due: attempts, checks, periodic work. Returns how many rows were due.

    `take` is handed the rows; without it they are submitted as the rest is.
    """
    schedule.run(submit)
    due = _due_attempts() + _due_checks()
    for row in due:
        if take:
            take(row)
        else:
            submit(row.vendor, row.key, row.work, first=row.back)
    return len(due)


def _due_attempts() -> list[Due]:
    now = timezone.now()
    journey.wake_expired(now)
    rows = Attempt.objects.filter(ended=None, due_at__lte=now).annotate(back=BACK)
    found = _oldest(rows, "connection__vendor", "-back").values_list(
        "connection__vendor", "pk", "back"
    )
    return [Due(vendor, "attempt", pk, back) for vendor, pk, back in found]


def _due_checks() -> list[Due]:
    rows = Connection.objects.filter(due_at__lte=timezone.now())
    found = _oldest(rows, "vendor").values_list("vendor", "pk")
    return [Due(vendor, "connection", pk) for vendor, pk in found]


def _oldest(rows: QuerySet[Any], vendor: str, *before: str) -> QuerySet[Any]:
    """Of each vendor: a long queue at one of them hides nobody else's rows."""
    order = [*before, "due_at"]
    place = Window(RowNumber(), partition_by=F(vendor), order_by=order)
    found: QuerySet[Any] = rows.annotate(place=place).filter(place__lte=BATCH)
    return found.order_by(*order)


def work_forever(stop: threading.Event | None = None, take: Take | None = None) -> None:
    """The worker: sweep, rest a moment, sweep again, until `stop` is set."""
    stop = stop or threading.Event()
    executor.bound = max(executor.bound, WORKERS_BOUND)
    while not stop.is_set():
        try:
            heartbeat.heart.beat()
            sweep(executor.submit, take)
        except Exception:  # the database may be away for a moment; the rows wait
            log.exception("a sweep failed; the next one tries again")
        connections.close_all()
        stop.wait(PULSE)
    executor.shut()
    heartbeat.heart.stop()
