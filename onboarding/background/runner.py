"""Runner of background work: the sweep over rows that are due, and the hand-over of a merchant's call.

A web process hands a merchant's call to the bounded executor and waits a moment for its result. The
sweep of a worker does everything else. Both only decide who calls `journey.advance` and `journey.check`:
what is due is a column of the rows, so a task that gets lost is done by a later sweep.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import wait
from functools import partial
from typing import Literal, NamedTuple, Protocol, TypeVar, cast

from django.conf import settings
from django.db import connections
from django.db.models import F, Model, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from onboarding import clock, db_lock, journey
from onboarding.journey import OnlyIf
from onboarding.models import Attempt, Connection
from onboarding.models.status import Answer, Status
from onboarding.monitoring import heartbeat, logs
from onboarding.monitoring.database_outage import OUTAGES, outage

from . import schedule
from .clock_guard import ClockGuard
from .executor import WEB_BOUND, WORKER_BOUND, Executor, Work
from .key_guard import KeyGuard

log = logging.getLogger(__name__)
Kind = Literal["attempt", "connection"]
Row = TypeVar("Row", bound=Model)

HAND_OVER_TIMEOUT = 1.5  # seconds that a merchant's request waits for the vendor
BATCH = 50  # rows of each vendor in one sweep
SWEEP_INTERVAL = 1.0  # seconds between two sweeps of a worker
# The merchant has returned from the vendor's pages, and nobody has asked the vendor about it yet.
RETURNED = Q(status=Status.CHECKING, answer=Answer.PROGRESS)


class Submit(Protocol):
    def __call__(self, vendor: str, key: str, work: Work, *, first: bool = False) -> object: ...


executor = Executor()
_waiters = threading.BoundedSemaphore(max(settings.WEB_THREADS // 4, 1))


def hand_over(attempt: Attempt, *, timeout: float | None = None, returned: bool = False) -> None:
    """Have the executor make the merchant's call; wait for it for up to `timeout` seconds.

    None: HAND_OVER_TIMEOUT. At most a quarter of the web threads wait, and none if the vendor's queue has
    a backlog. They hold no database connection while they wait. `returned`: the merchant comes back from
    the vendor's pages and goes first, because the code they bring may expire within seconds.
    """
    vendor = attempt.connection.vendor
    row = DueRow(vendor, "attempt", attempt.pk, returned)
    future = executor.submit(vendor, row.key, row.run_for_merchant, first=returned)
    if future is None or executor.crowded(vendor) or not _waiters.acquire(blocking=False):
        return
    try:
        db_lock.give_back_connection()
        wait([future], timeout=HAND_OVER_TIMEOUT if timeout is None else timeout)
    finally:
        _waiters.release()


def probe_at_once(vendor: str, **_: object) -> None:
    """A call to this vendor was refused: whether it refuses us all is found out in this process."""
    schedule.submit_doubt(executor.submit, vendor)


def advance_now(attempt: Attempt) -> None:
    """Make the attempt's calls in this process: for a command whose caller waits for the answer."""
    journey.advance(attempt.pk)


def is_crowded(vendor: str) -> bool:
    """Whether so many merchants wait for a first answer of this vendor that it takes minutes.

    It is counted in rows, so every process says the same: calls that wait for a thread or are under way.
    A web process makes WEB_BOUND calls at once.
    """
    latest = clock.now() + journey.LEASE  # the `due_at` of a call that has just begun
    unanswered = Attempt.objects.filter(due_at__lte=latest, ended=None, answer=Answer.PROGRESS)
    waiting = unanswered.filter(connection__vendor=vendor).order_by()
    return len(waiting.values_list("pk")[: WEB_BOUND + 1]) > WEB_BOUND


class DueRow(NamedTuple):
    """An attempt or a connection that is due. `returned`: its merchant has returned, and goes first.

    Celery sends it as the arguments of a message.
    """

    vendor: str
    kind: Kind
    pk: int
    returned: bool = False

    @property
    def key(self) -> str:
        return f"{self.vendor}:{self.kind}:{self.pk}"

    def run(self) -> Work | None:
        """Advance the attempt or check the connection, unless another worker was faster."""
        if self.kind == "attempt":
            return self.advance(only_if=OnlyIf.DUE)
        journey.check(self.pk, only_if=OnlyIf.DUE)
        return None

    def run_for_merchant(self) -> Work | None:
        """Make the merchant's call, unless it has been answered already."""
        return self.advance(present=True, only_if=OnlyIf.UNANSWERED)

    def advance(
        self, *, present: bool = False, only_if: OnlyIf, rounds: int = journey.ROUNDS
    ) -> Work | None:
        """Advance the attempt; returns the remaining work if it made way for urgent work."""
        left = journey.advance(
            self.pk,
            present=present,
            only_if=only_if,
            urgent=partial(executor.urgent, self.vendor),
            rounds=rounds,
        )
        if not left:
            return None
        return partial(self.advance, present=present, only_if=OnlyIf.UNANSWERED, rounds=left)


Dispatch = Callable[[DueRow], object]


@logs.with_reference()
def run_inline(vendor: str, key: str, work: Work, *, first: bool = False) -> None:
    """Run the work in this thread, to its end."""
    while left := work():
        work = left


def sweep(submit: Submit = run_inline, dispatch: Dispatch | None = None) -> int:
    """Start all work that is due: attempts, checks, periodic work. Returns how many rows were due.

    `submit` starts periodic work, and the rows as well unless `dispatch` is given for them.
    """
    schedule.run(submit)
    due = _due_attempts() + _due_checks()
    for row in due:
        if dispatch:
            dispatch(row)
        else:
            submit(row.vendor, row.key, row.run, first=row.returned)
    return len(due)


def _due_attempts() -> list[DueRow]:
    now = clock.now()
    journey.wake_expired(now)
    rows = Attempt.objects.filter(ended=None, due_at__lte=now).annotate(returned=RETURNED)
    found = _oldest_of_each_vendor(rows, "connection__vendor", "-returned").values_list(
        "connection__vendor", "pk", "returned"
    )
    return [DueRow(vendor, "attempt", pk, returned) for vendor, pk, returned in found]


def _due_checks() -> list[DueRow]:
    rows = Connection.objects.filter(due_at__lte=clock.now())
    found = _oldest_of_each_vendor(rows, "vendor").values_list("vendor", "pk")
    return [DueRow(vendor, "connection", pk) for vendor, pk in found]


def _oldest_of_each_vendor(rows: QuerySet[Row], vendor: str, *before: str) -> QuerySet[Row]:
    """At most BATCH rows of each vendor, so that a backlog at one of them delays no other.

    `vendor` names the field with the slug, `before` the fields that sort before `due_at`.
    """
    order = [*before, "due_at"]
    number = Window(RowNumber(), partition_by=F(vendor), order_by=order)
    found = rows.alias(number_at_vendor=number).filter(number_at_vendor__lte=BATCH)
    return cast("QuerySet[Row]", found.order_by(*order))  # django-stubs loses the model


def work_forever(stop: threading.Event | None = None, dispatch: Dispatch | None = None) -> None:
    """Run a worker: one sweep and one heartbeat after another, until `stop` is set."""
    stop = stop or threading.Event()
    executor.bound = max(executor.bound, WORKER_BOUND)
    guards = ClockGuard(), KeyGuard()
    while not stop.is_set():
        try:
            heartbeat.worker_heartbeat.beat()
            if all(guard.allows() for guard in guards):
                sweep(executor.submit, dispatch)
        except OUTAGES as error:
            outage.began(error)
        except Exception:
            log.exception("a sweep failed; the next sweep tries again")
        else:
            outage.ended()
        connections.close_all()
        stop.wait(SWEEP_INTERVAL)
    executor.shutdown()
    heartbeat.worker_heartbeat.stop()
