"""Hosts of vendors that do not answer: who may call them, and what everybody else may read of it.

A row of `Breaker` is written when something changes (heard.py) and read before each step (`heed`);
pages read it (`trouble`) and never ask the vendor.
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

from .host_state import CREDENTIALS, FIRST_REST, SILENT, learn, waiting

log = logging.getLogger(__name__)
STEP = 30.0  # seconds for all calls of a step: the account's lease (40 s) outlives it
AT_LENGTH = 120.0  # seconds for what holds no lease: lists for staff, the catalogue
TRIAL = timedelta(seconds=STEP + 10)  # until the one call that tries must have been heard


@contextmanager
def guard(
    vendor: str,
    *,
    connection: Connection | None = None,
    attempt: Attempt | None = None,
    seconds: float = STEP,
    probing: bool = False,
) -> Iterator[CallContext]:
    """Around all talk with a vendor: a host that rests is not called, and all calls are written down.

    `seconds` are for all calls of the block together. A call to a host that rests raises Unavailable
    with `retry_after`; it was not sent.
    """
    hosts = _Hosts({row.host: row for row in Breaker.objects.filter(vendor=vendor)})
    context = CallContext(seconds=seconds, retry_after=hosts.rest, calls=hosts.calls)
    db_lock.give_back_connection()
    try:
        with db_lock.released(), use_context(context):
            yield context
    finally:
        if context.calls:
            records = [_record(each, vendor, connection, attempt) for each in context.calls]
            _keep(vendor, records, hosts, probing)


@dataclass
class _Hosts:
    """The vendor's hosts during one step: as the step found them, and what it heard since."""

    rows: dict[str, Breaker]
    calls: list[CallRecord] = field(default_factory=list)
    tried: set[str] = field(default_factory=set)  # hosts which we call while all others keep off

    def rest(self, host: str) -> float:
        """Seconds until this step may call the host; 0: now."""
        if last := next((each for each in reversed(self.calls) if each.host == host), None):
            return self._after(last)
        row = self.rows.get(host)
        if row is None or row.cause == CREDENTIALS:
            return 0.0
        if row.cause == SILENT and not _left(row):
            return self._try(row)
        return _left(row)

    def _after(self, last: CallRecord) -> float:
        """The step goes on calling, but for a host that asked for a rest or failed on trial."""
        if not last.unavailable:
            return 0.0
        trial = FIRST_REST.total_seconds() if last.host in self.tried else 0.0
        return max(last.retry_after or 0.0, trial)

    def _try(self, row: Breaker) -> float:
        """One of all calls finds out whether the host is back: whoever moves `retry_at` first."""
        rows = Breaker.objects.filter(pk=row.pk)
        mine = rows.filter(retry_at=row.retry_at, cause=SILENT).update(
            retry_at=timezone.now() + TRIAL
        )
        fresh = rows.first()
        db_lock.give_back_connection()
        if mine:
            self.tried.add(row.host)
        elif fresh:
            self.rows[row.host] = fresh
            return self.rest(row.host)
        return 0.0


def _left(row: Breaker) -> float:
    """Seconds until the host may be called, up to a fifth more: who waited does not come at once."""
    left = (row.retry_at - timezone.now()).total_seconds() if row.retry_at else 0.0
    return left * random.uniform(1, 1.2) if left > 0 else 0.0  # noqa: S311  # it spreads load


def _record(
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


def _keep(vendor: str, records: list[Call], hosts: _Hosts, probing: bool) -> None:
    """A record that cannot be written must not lose the vendor's answer, which is not saved yet."""
    try:
        Call.objects.bulk_create(records)
        for host in dict.fromkeys(each.host for each in hosts.calls):
            calls = [each for each in hosts.calls if each.host == host]
            learn(vendor, host, calls, tried=host in hosts.tried, probing=probing)
    except DatabaseError:
        log.exception("%s: calls were not written down", vendor)
        if not database.in_atomic_block:
            database.close()  # it may be broken, and the answer is to be saved next


# -- what pages and the sweep read ----------------------------------------------------------------


@dataclass(frozen=True)
class Trouble:
    """Why a vendor cannot be used now: `cause` "silent" or "credentials"."""

    cause: str
    since: datetime


def trouble(vendors: Iterable[str]) -> dict[str, Trouble]:
    """Which of these vendors do not answer or refuse us: the earliest trouble of each, in one query."""
    rows = Breaker.objects.filter(vendor__in=list(vendors), opened__isnull=False)
    rows = rows.exclude(retry_at=None).order_by("-opened")
    return {row.vendor: Trouble(row.cause, row.opened) for row in rows if row.opened}


def doubtful() -> list[str]:
    """Vendors with a host whose rest is over, or that refused us a while ago: to be probed."""
    rows = Breaker.objects.filter(retry_at__lte=timezone.now()).exclude(cause="")
    return sorted(set(rows.values_list("vendor", flat=True)))


def probe(vendor: Vendor) -> bool:
    """Ask whether the vendor works, without any merchant. True: it answers, or has no such call.

    A host that this call does not touch is tried by whoever needs it next. Where somebody waits for it,
    that is they; else pages no longer say that it is down.
    """
    try:
        with guard(vendor.slug, probing=True):
            if vendor.can("probe"):
                vendor.probe()
            elif vendor.can("ping"):
                vendor.ping()
    except VendorError as error:
        log.info("%s probe: %s %s", vendor.slug, type(error).__name__, error.detail)
        return False
    untouched = Breaker.objects.filter(vendor=vendor.slug, retry_at__lte=timezone.now())
    for cause in (SILENT, CREDENTIALS):
        if not waiting(vendor.slug, cause):
            untouched.filter(cause=cause).update(retry_at=None)
    return True
