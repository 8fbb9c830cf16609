"""Circuit breaker for the hosts of vendors: who may call a host that failed, and what pages say about it.

Closed: calls go through. Open: `retry_at` of the host's `Breaker` row is in the future, and calls raise
Unavailable without being sent. Half-open: `retry_at` is over, and one call tries the host for everybody.
`guard` reads the rows before each step, host_state.py changes them after it. Pages read `outages` and
never ask the vendor.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.db import connection as database
from django.db.models import QuerySet

from onboarding import clock, db_slots, moments, registry
from onboarding.models import Attempt, Breaker, Call, Connection
from onboarding.monitoring import logs
from onboarding.prepared import PreparedQuery
from vendors.contract import Vendor, VendorError, Why
from vendors.http.call_context import CallContext, CallRecord, Pause, use_context

from .host_state import (
    CREDENTIALS,
    DOWN,
    FIRST_PAUSE,
    HostCalls,
    StepKind,
    learn,
    settle_after_probe,
)

log = logging.getLogger(__name__)
STEP_SECONDS = 30.0  # for all calls of a step together; the account's lease (40 s) outlives them
LONG_STEP_SECONDS = 120.0  # for steps that hold no lease: lists for staff, the catalogue
TRIAL_TIMEOUT = timedelta(seconds=STEP_SECONDS + 10)  # then another call may try a half-open host
_OF_VENDOR = PreparedQuery(Breaker.objects.filter(vendor=""))


def read(vendor: str) -> list[Breaker]:
    """The circuit breakers of the vendor's hosts."""
    return _OF_VENDOR.rows(vendor)


@contextmanager
def guard(
    vendor: str,
    *,
    connection: Connection | None = None,
    attempt: Attempt | None = None,
    seconds: float = STEP_SECONDS,
    probing: bool = False,
    rows: Sequence[Breaker] | None = None,
) -> Iterator[CallContext]:
    """Put the circuit breaker around all calls of a block, and record each call.

    `seconds` is the time limit for all calls of the block together. A call to a host whose breaker is
    open raises Unavailable with `retry_after` in seconds; it is not sent. `probing`: the block is the
    vendor's whole probe, which passes if the block raises nothing. `rows`: what `read` has just returned.
    """
    hosts = _Hosts({row.host: row for row in (read(vendor) if rows is None else rows)})
    context = CallContext(seconds=seconds, pause_of=hosts.pause_of, calls=hosts.calls)
    kind = StepKind.PROBE_FAILED if probing else _kind_of_step(vendor)
    db_slots.give_back_connection()
    try:
        with db_slots.released(), use_context(context):
            yield context
        kind = StepKind.PROBE_PASSED if probing else kind
    except VendorError as error:
        hosts.unread = context.calls[-1:] if error.why is Why.UNREADABLE else []
        raise
    finally:
        if context.calls:
            records = [_call_record(each, vendor, connection, attempt) for each in context.calls]
            _save(vendor, records, hosts, kind)


def _kind_of_step(slug: str) -> StepKind:
    vendor = registry.vendor_of(slug)
    can_probe = vendor is not None and vendor.can("probe")
    return StepKind.ORDINARY if can_probe else StepKind.NO_PROBE


@dataclass
class _Hosts:
    """The vendor's hosts during one step: their rows when it began, and its calls since then."""

    rows: dict[str, Breaker]
    calls: list[CallRecord] = field(default_factory=list)
    on_trial: set[str] = field(default_factory=set)  # half-open hosts that only this step may call
    unread: list[CallRecord] = field(default_factory=list)  # the last call, if its reply is garbage

    def pause_of(self, host: str) -> Pause | None:
        """How long this step may not call the host; None: it may now."""
        if last := next((each for each in reversed(self.calls) if each.host == host), None):
            return self._pause_after(last)
        row = self.rows.get(host)
        if row is None or row.cause == CREDENTIALS:
            return None
        seconds = _seconds_left(row)
        if row.cause in DOWN and not seconds:
            return self._half_open(row)
        return Pause(seconds, why_paused(row.cause), row.asked_until) if seconds else None

    def _pause_after(self, last: CallRecord) -> Pause | None:
        """A step goes on calling, unless the host sent a Retry-After or failed on trial."""
        if not last.unavailable:
            return None
        trial = FIRST_PAUSE.total_seconds() if last.host in self.on_trial else 0.0
        seconds = max(last.retry_after or 0.0, trial)
        asked = timedelta(seconds=last.retry_after) if last.retry_after else None
        return Pause(seconds, last.why, last.at + asked if asked else None) if seconds else None

    def _half_open(self, row: Breaker) -> Pause | None:
        """One of all processes tries the host: the one that moves `retry_at` first."""
        rows = Breaker.objects.filter(pk=row.pk)
        won = rows.filter(retry_at=row.retry_at, cause=row.cause).update(
            retry_at=clock.now() + TRIAL_TIMEOUT
        )
        current = rows.first()
        db_slots.give_back_connection()
        if won:
            self.on_trial.add(row.host)
        elif current:
            self.rows[row.host] = current
            return self.pause_of(row.host)
        return None


def why_paused(cause: str) -> Why:
    """Why nobody may call a host whose breaker has this cause; "" is a short Retry-After."""
    match cause:
        case Breaker.Cause.SILENT:
            return Why.UNKNOWN
        case Breaker.Cause.FAULTY:
            return Why.FAULT
    return Why.ASKED_TO_WAIT


def _seconds_left(row: Breaker) -> float:
    """Seconds until the host may be called, with up to 20 % of jitter: not all come back at once."""
    left = (row.retry_at - clock.now()).total_seconds() if row.retry_at else 0.0
    return left * random.uniform(1, 1.2) if left > 0 else 0.0  # noqa: S311  # nosec B311  # it spreads load


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


def _record(records: list[Call]) -> None:
    """One is the rule. It needs no transaction, which would be two more trips to the database."""
    if len(records) == 1:
        records[0].save(force_insert=True)
    else:
        Call.objects.bulk_create(records)


def _save(vendor: str, records: list[Call], hosts: _Hosts, kind: StepKind) -> None:
    """Save call records and host states. Database errors are only logged: the answer must not get lost."""
    try:
        _record(records)
        for host in dict.fromkeys(each.host for each in hosts.calls):
            calls = [each for each in hosts.calls if each.host == host]
            step = HostCalls(
                calls=calls,
                kind=kind,
                on_trial=host in hosts.on_trial,
                unread=next(iter(hosts.unread), None),
            )
            learn(vendor, host, step, hosts.rows.get(host))
    except DatabaseError:
        log.exception("%s: could not save the call records and the circuit breaker", vendor)
        if not database.in_atomic_block:
            database.close()  # it may be broken, and the vendor's answer is saved next


# -- what pages and the sweep read ----------------------------------------------------------------


@dataclass(frozen=True)
class Outage:
    """Why a vendor cannot be used now: `cause` is one of `Breaker.Cause`.

    `asked_until`: the vendor asked us to wait until then, where it named a time.
    """

    cause: str
    since: datetime
    asked_until: datetime | None = None

    @property
    def is_down(self) -> bool:
        """Whether waiting helps; refused credentials are for staff."""
        return self.cause in DOWN


def outages(vendors: Iterable[str]) -> dict[str, Outage]:
    """Which of these vendors are down or refuse our credentials, and why; one query.

    By slug. Of a vendor with several hosts, the outage that began first.
    """
    rows = Breaker.objects.filter(vendor__in=list(vendors), opened__isnull=False)
    rows = rows.exclude(retry_at=None).order_by("-opened")
    return {row.vendor: _outage(row) for row in rows if row.opened}


def _outage(row: Breaker) -> Outage:
    now, asked = clock.now(), row.asked_until
    until = moments.whole_minute(asked) if asked and asked > now else None
    return Outage(row.cause, row.opened or now, until)


def vendors_to_probe() -> list[str]:
    """Slugs of vendors with a half-open host, or whose refusal of our credentials is due for a recheck."""
    return _vendors(Breaker.objects.exclude(opened=None))


def vendors_in_doubt() -> list[str]:
    """Slugs of vendors that have just refused our credentials to somebody, for one thing or for all."""
    return _vendors(Breaker.objects.filter(opened=None))


def _vendors(rows: QuerySet[Breaker]) -> list[str]:
    due = rows.filter(retry_at__lte=clock.now()).exclude(cause="")
    return sorted(set(due.values_list("vendor", flat=True)))


def probe(vendor: Vendor) -> bool:
    """Ask whether the vendor works, without any merchant. True: the whole probe passed, or it has none."""
    try:
        with guard(vendor.slug, probing=True):
            if vendor.can("probe"):
                vendor.probe()
    except VendorError as error:
        log.info("%s probe: %s %s", vendor.slug, type(error).__name__, error.detail)
        return False
    settle_after_probe(vendor.slug)
    return True
