"""Runner of background work: the look for rows that are due, and the hand-over of a merchant's call.

A web process hands a merchant's call to the bounded executor and waits a moment for its result. Workers
do everything else (worker.py). Both only decide who calls `journey.advance` and `journey.check`: what is
due is a column of the rows, so a task that gets lost is done by a later look.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import wait
from functools import partial
from typing import Literal, NamedTuple

from django.conf import settings

from onboarding import clock, db_slots, journey
from onboarding.models import Attempt, Connection
from onboarding.models.status import Answer

from . import schedule
from .executor import WEB_BOUND, Executor, Work

Kind = Literal["attempt", "connection"]

HAND_OVER_TIMEOUT = 1.5  # seconds that a merchant's request waits for the vendor

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
        db_slots.give_back_connection()
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
    latest = clock.now() + journey.LEASE  # a call that was asked for just now is due earlier
    unanswered = Attempt.objects.filter(due_at__lte=latest, ended=None, answer=Answer.PROGRESS)
    waiting = unanswered.filter(vendor=vendor).order_by()
    return len(waiting.values_list("pk")[: WEB_BOUND + 1]) > WEB_BOUND


class DueRow(NamedTuple):
    """An attempt or a connection that is due. `returned`: its merchant has returned, and goes first.

    `claim`: the token under which this worker has claimed it; "" if a merchant waits for the call.
    """

    vendor: str
    kind: Kind
    pk: int
    returned: bool = False
    claim: str = ""

    @property
    def key(self) -> str:
        return f"{self.vendor}:{self.kind}:{self.pk}"

    def run(self) -> Work | None:
        """Advance the attempt or check the connection, unless another process has taken it since."""
        if self.kind == "attempt":
            return self.advance()
        journey.check(self.pk, claim=self.claim)
        return None

    def release(self) -> None:
        """Give the claim up: another worker may have the row."""
        journey.release_claim(
            Attempt if self.kind == "attempt" else Connection, self.pk, self.claim
        )

    def run_for_merchant(self) -> Work | None:
        """Make the merchant's call, unless it has been answered already."""
        return self.advance(present=True, only_unanswered=True)

    def advance(
        self, *, present: bool = False, only_unanswered: bool = False, rounds: int = journey.ROUNDS
    ) -> Work | None:
        """Advance the attempt; returns the remaining work if it made way for urgent work."""
        left = journey.advance(
            self.pk,
            claim=self.claim,
            present=present,
            only_unanswered=only_unanswered,
            urgent=partial(executor.urgent, self.vendor),
            rounds=rounds,
        )
        if not left:
            return None
        return partial(self.advance, present=present, only_unanswered=True, rounds=left)


Dispatch = Callable[[DueRow], object]


def look(rooms: Mapping[str, int], dispatch: Dispatch) -> set[str]:
    """Claim rows that are due, for each vendor as many as there is room for, and dispatch them.

    Returns the vendors whose room is full now: more of their rows may be due.
    """
    left = dict(rooms)
    for line in journey.LINES:
        kind: Kind = "connection" if line.model is Connection else "attempt"
        for row in journey.claim(line, left):
            left[row.vendor] -= 1
            returned = line is journey.RETURNED
            dispatch(DueRow(row.vendor, kind, row.pk, returned, row.token))
    return {vendor for vendor, room in left.items() if room <= 0 < rooms[vendor]}
