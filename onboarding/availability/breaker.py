"""Circuit breaker for the hosts of vendors: who may call a host that failed, and what pages say about it.

Closed: calls go through. Open: `retry_at` of the host's `Breaker` row is in the future, and calls raise
Unavailable without being sent. Half-open: `retry_at` is over, and one call tries the host for everybody.
`guard` reads the rows before each step, host_state.py changes them after it. Pages read `outages` and
never ask the vendor.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.db import connection as database
from django.utils import timezone

from onboarding import db_lock
from onboarding.models import Attempt, Breaker, Call, Connection
from onboarding.monitoring import logs
from vendors.contract import Vendor, VendorError
from vendors.http.call_context import CallContext, CallRecord, use_context

from .host_state import CREDENTIALS, FIRST_PAUSE, SILENT, is_awaited, learn

log = logging.getLogger(__name__)
STEP_SECONDS = 30.0  # for all calls of a step together; the account's lease (40 s) outlives them
LONG_STEP_SECONDS = 120.0  # for steps that hold no lease: lists for staff, the catalogue
TRIAL_TIMEOUT = timedelta(seconds=STEP_SECONDS + 10)  # then another call may try a half-open host


@contextmanager
def guard(
    vendor: str,
    *,
    connection: Connection | None = None,
    attempt: Attempt | None = None,
    seconds: float = STEP_SECONDS,
    probing: bool = False,
) -> Iterator[CallContext]:
    """Put the circuit breaker around all calls of a block, and record each call.

    `seconds` is the time limit for all calls of the block together. A call to a host whose breaker is
    open raises Unavailable with `retry_after` in seconds; it is not sent.
    """
    hosts = _Hosts({row.host: row for row in Breaker.objects.filter(vendor=vendor)})
    context = CallContext(seconds=seconds, retry_after=hosts.pause, calls=hosts.calls)
    db_lock.give_back_connection()
    try:
        with db_lock.released(), use_context(context):
            yield context
    finally:
        if context.calls:
            records = [_call_record(each, vendor, connection, attempt) for each in context.calls]
            _save(vendor, records, hosts, probing)


@dataclass
class _Hosts:
    """The vendor's hosts during one step: their rows when it began, and its calls since then."""

    rows: dict[str, Breaker]
    calls: list[CallRecord] = field(default_factory=list)
    on_trial: set[str] = field(default_factory=set)  # half-open hosts that only this step may call

    def pause(self, host: str) -> float:
        """Seconds until this step may call the host; 0: now."""
        if last := next((each for each in reversed(self.calls) if each.host == host), None):
            return self._pause_after(last)
        row = self.rows.get(host)
        if row is None or row.cause == CREDENTIALS:
            return 0.0
        if row.cause == SILENT and not _seconds_left(row):
            return self._half_open(row)
        return _seconds_left(row)

    def _pause_after(self, last: CallRecord) -> float:
        """A step goes on calling, unless the host sent a Retry-After or failed on trial."""
        if not last.unavailable:
            return 0.0
        trial = FIRST_PAUSE.total_seconds() if last.host in self.on_trial else 0.0
        return max(last.retry_after or 0.0, trial)

    def _half_open(self, row: Breaker) -> float:
        """One of all processes tries the host: the one that moves `retry_at` first."""
        rows = Breaker.objects.filter(pk=row.pk)
        won = rows.filter(retry_at=row.retry_at, cause=SILENT).update(
            retry_at=timezone.now() + TRIAL_TIMEOUT
        )
        current = rows.first()
        db_lock.give_back_connection()
        if won:
            self.on_trial.add(row.host)
        elif current:
            self.rows[row.host] = current
            return self.pause(row.host)
        return 0.0


def _seconds_left(row: Breaker) -> float:
    """Seconds until the host may be called, with up to 20 % of jitter: not all come back at once."""
    left = (row.retry_at - timezone.now()).total_seconds() if row.retry_at else 0.0
    return left * random.uniform(1, 1.2) if left > 0 else 0.0  # noqa: S311  # it spreads load


def _call_record(
    called: CallRecord, vendor: str, connection: Connection | None, attempt: Attempt | None
) -> Call:
    return Call(
        vendor=vendor,
        host=called.host,
        call=called.call,
        outcome=called.outcome,
        ms=round(called.seconds * 1000),
        at=called.at,
        connection=connection,
        attempt=attempt,
        reference=logs.reference.get(),
    )


def _save(vendor: str, records: list[Call], hosts: _Hosts, probing: bool) -> None:
    """Save call records and host states. Database errors are only logged: the answer must not get lost."""
    try:
        Call.objects.bulk_create(records)
        for host in dict.fromkeys(each.host for each in hosts.calls):
            calls = [each for each in hosts.calls if each.host == host]
            learn(vendor, host, calls, on_trial=host in hosts.on_trial, probing=probing)
    except DatabaseError:
        log.exception("%s: could not save the call records and the circuit breaker", vendor)
        if not database.in_atomic_block:
            database.close()  # it may be broken, and the vendor's answer is saved next


# -- what pages and the sweep read ----------------------------------------------------------------


@dataclass(frozen=True)
class Outage:
    """Why a vendor cannot be used now: `cause` is "silent" or "credentials"."""

    cause: str
    since: datetime


def outages(vendors: Iterable[str]) -> dict[str, Outage]:
    """Which of these vendors do not answer or refuse our credentials, and why; one query.

    By slug. Of a vendor with several hosts, the outage that began first.
    """
    rows = Breaker.objects.filter(vendor__in=list(vendors), opened__isnull=False)
    rows = rows.exclude(retry_at=None).order_by("-opened")
    return {row.vendor: Outage(row.cause, row.opened) for row in rows if row.opened}


def vendors_to_probe() -> list[str]:
    """Slugs of vendors with a half-open host, or whose refusal of our credentials is due for a recheck."""
    rows = Breaker.objects.filter(retry_at__lte=timezone.now()).exclude(cause="")
    return sorted(set(rows.values_list("vendor", flat=True)))


def probe(vendor: Vendor) -> bool:
    """Ask whether the vendor works, without any merchant. True: it answers, or has no call for this.

    The probe may not touch every host. A host that it did not touch is tried by the next attempt or check
    that needs it. Where none waits for the host, pages no longer say that it is down.
    """
    try:
        with guard(vendor.slug, probing=True):
            if vendor.can("probe"):
                vendor.probe()
    except VendorError as error:
        log.info("%s probe: %s %s", vendor.slug, type(error).__name__, error.detail)
        return False
    untouched = Breaker.objects.filter(vendor=vendor.slug, retry_at__lte=timezone.now())
    for cause in (SILENT, CREDENTIALS):
        if not is_awaited(vendor.slug, cause):
            untouched.filter(cause=cause).update(retry_at=None)
    return True
