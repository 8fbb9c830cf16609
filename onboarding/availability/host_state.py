"""State of the circuit breaker for one host: how the calls of a step change its `Breaker` row.

All processes read the row, so an outage that one of them meets stops the calls of all. The host is **down**
when it is silent, reports faults of its own, or asks us to wait.

| `cause`, `opened`, `retry_at` | calls | pages say |
|---|---|---|
| no row, or no cause and `retry_at` over | closed: all go through | – |
| no cause, `retry_at` in the future: a Retry-After of a few seconds | open | – |
| down, `retry_at` in the future | open | down since `opened`, and in which way |
| down, `retry_at` over or NULL | half-open: one goes, all others wait for its result | NULL: – |
| credentials, with `opened` | closed | refuses us since `opened`; `retry_at` NULL: – |
| credentials, without `opened`: a doubt | closed; a probe decides at once | – |

**An outage ends** when every kind of call that failed (`failing`) has worked again, or when a whole probe
has passed and nobody waits who would try what the probe may not. Another kind of call that is answered, or
a probe that gets only half-way, ends nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from django.db import transaction
from django.db.models import QuerySet
from django.dispatch import Signal

from onboarding import clock
from onboarding.models import Alert, Attempt, Breaker, Connection
from vendors.contract import Why
from vendors.http.call_context import CallRecord

log = logging.getLogger(__name__)
FAILURE_THRESHOLD = 5  # unanswered calls in a row that open the breaker
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=5)  # backoff of the breaker
LONGEST_RETRY_AFTER = timedelta(minutes=15)  # of a Retry-After; a longer one is cut
SHORT_RETRY_AFTER = timedelta(seconds=10)  # pages do not speak of a shorter one
CREDENTIALS_RECHECK = timedelta(minutes=2)  # between two probes of credentials that were refused
SILENT, FAULTY, BUSY = Breaker.Cause.SILENT, Breaker.Cause.FAULTY, Breaker.Cause.BUSY
CREDENTIALS = Breaker.Cause.CREDENTIALS
DOWN = frozenset({SILENT, FAULTY, BUSY})
# After an outage, rows that are due within this time are retried at once. Our own retry delays are
# never longer: a later time is one that the vendor asked for.
LONGEST_WAIT: dict[str, timedelta] = {
    **dict.fromkeys(DOWN, timedelta(minutes=18)),
    CREDENTIALS: timedelta(hours=1),
}

# A host works again. Arguments: vendor (slug), cause (of the outage), first (when calls may begin).
recovered = Signal()
# A merchant's call was refused: a probe should find out whether we all are. Argument: vendor (slug).
doubted = Signal()
# A probe passed, but it does not make the kind of call that fails: somebody who waits should try it.
# Arguments: vendor (slug), cause (of the outage).
trial_wanted = Signal()


class StepKind(Enum):
    """Whose calls a step makes, and what they may decide.

    Only a probe asks for nothing in particular, so only there is a 401 or a 403 about our credentials. A
    vendor without a probe (`NO_PROBE`) is judged by its 401.
    """

    ORDINARY = "a merchant's, or the catalogue's"
    NO_PROBE = "a merchant's, of a vendor without a probe"
    PROBE_FAILED = "a probe that did not get to its end"
    PROBE_PASSED = "a whole probe"

    @property
    def judges_credentials(self) -> bool:
        return self in {StepKind.PROBE_FAILED, StepKind.PROBE_PASSED}


@dataclass(frozen=True, kw_only=True)
class HostCalls:
    """The calls of one step to one host. `on_trial`: the host was half-open, and only this step called it.

    `unread`: the call whose reply could not be read, if there was one.
    """

    calls: Sequence[CallRecord]
    kind: StepKind
    on_trial: bool
    unread: CallRecord | None = None

    def shows_that_it_works(self, called: CallRecord) -> bool:
        return self.kind is not StepKind.PROBE_FAILED and called is not self.unread


def learn(vendor: str, host: str, step: HostCalls, row: Breaker | None) -> None:
    """Update the host's row from these calls, in their order. Nothing is written if nothing changes.

    `row`: as it was before the calls; None if there was none. It only shows whether they say anything
    new. If they do, the row is read again.
    """
    row = row or Breaker()
    before = _state(row)
    _apply(row, step)
    if _state(row) == before:
        return
    with transaction.atomic():
        made, _ = Breaker.objects.get_or_create(vendor=vendor, host=host)
        row = Breaker.objects.select_for_update().get(pk=made.pk)
        cause_before, opened_before = row.cause, row.opened
        _apply(row, step)
        if opened_before and row.opened and _same_door(row.cause, cause_before):
            row.opened = opened_before
        row.save()
    _announce(row, cause_before, opened_before)


def _state(row: Breaker) -> tuple[object, ...]:
    return row.failures, row.cause, row.opened, row.retry_at, list(row.failing), row.asked_until


def _same_door(one: str, other: str) -> bool:
    return one == other or {one, other} <= DOWN


def _announce(row: Breaker, cause_before: str, opened_before: datetime | None) -> None:
    """Log that an outage began or ended, tell staff of refused credentials, and send the signals."""
    if row.opened and (row.opened, row.cause) != (opened_before, cause_before):
        log.warning("%s: %s: %s", row.vendor, row.host, row.get_cause_display())
        if row.cause == CREDENTIALS:
            Alert.open(row.vendor, CREDENTIALS)
    if row.cause == CREDENTIALS and not row.opened and cause_before != CREDENTIALS:
        doubted.send(sender=Breaker, vendor=row.vendor)
    ended = opened_before and not (row.opened and _same_door(row.cause, cause_before))
    if ended and row.cause not in DOWN:
        label = Breaker.Cause(cause_before).label
        log.warning("%s: %s: no longer %s", row.vendor, row.host, label)
        first = max(row.retry_at or clock.now(), clock.now())
        recovered.send(sender=Breaker, vendor=row.vendor, cause=cause_before, first=first)


def _apply(row: Breaker, step: HostCalls) -> None:
    now = clock.now()
    for called in step.calls:
        if called.unavailable:
            _apply_failure(row, called, step.on_trial, now)
        else:
            _apply_answer(row, called, step, now)
            _apply_credentials(row, called, step.kind, now)


# -- no answer -------------------------------------------------------------------------------------


def _apply_failure(row: Breaker, called: CallRecord, on_trial: bool, now: datetime) -> None:
    """Count a failure, and open the breaker at the threshold, longer after each failed trial.

    Calls that were under way when the breaker opened are not counted. A Retry-After opens it at once.
    """
    asked = timedelta(seconds=called.retry_after or 0)
    was_down = row.cause in DOWN and row.opened is not None
    if on_trial:
        row.retry_at = None
    if on_trial or not was_down:
        row.failures += 1
    opens = not was_down and (row.failures >= FAILURE_THRESHOLD or asked > SHORT_RETRY_AFTER)
    if row.cause == CREDENTIALS and not opens:
        return  # the refusal comes first
    if called.call not in row.failing:
        row.failing = [*([] if row.cause == CREDENTIALS else row.failing), called.call]
    if opens and row.cause == CREDENTIALS:
        row.retry_at = None
    if opens:
        row.opened = now
    if opens or (was_down and on_trial):
        row.cause = _cause_of(called)
    pause = _pause(row.failures) if opens or (was_down and on_trial) else timedelta(0)
    if pause := max(pause, min(asked, LONGEST_RETRY_AFTER)):
        row.retry_at = max(row.retry_at or now, now + pause)
    if called.why is Why.ASKED_TO_WAIT:
        row.asked_until = now + asked if asked else None


def _pause(failures: int) -> timedelta:
    exponent = min(max(failures - FAILURE_THRESHOLD, 0), 10)
    return min(FIRST_PAUSE * (1 << exponent), LONGEST_PAUSE)


def _cause_of(called: CallRecord) -> Breaker.Cause:
    match called.why:
        case Why.ASKED_TO_WAIT:
            return BUSY
        case Why.FAULT:
            return FAULTY
        case _:
            return SILENT


# -- an answer -------------------------------------------------------------------------------------


def _apply_answer(row: Breaker, called: CallRecord, step: HostCalls, now: datetime) -> None:
    """This kind of call works. While the circuit is closed, any answer ends a row of failures.

    Nothing but a trial ends the time that the vendor asked us to wait.
    """
    if not row.cause:
        row.failures, row.failing = 0, []
    if row.cause not in DOWN:
        return
    if step.on_trial:
        row.retry_at, row.asked_until = now, None  # others may try, one after the other
    if step.shows_that_it_works(called) and not (row.asked_until and row.asked_until > now):
        _works(row, called)


def _works(row: Breaker, called: CallRecord) -> None:
    """Close the circuit if nothing is left of what failed."""
    row.failing = [kind for kind in row.failing if kind != called.call]
    if not row.failing:
        row.cause, row.opened, row.retry_at, row.failures = "", None, None, 0
        row.asked_until = None


def _apply_credentials(row: Breaker, called: CallRecord, kind: StepKind, now: datetime) -> None:
    """Note whether our credentials are refused. Elsewhere than in a probe, that is a doubt.

    One merchant's 401 may be about the one thing that was asked for, so it only makes a probe due.
    """
    verdict, known = called.credentials, row.cause == CREDENTIALS
    paused = row.retry_at is not None and row.retry_at > now
    is_refusal = verdict == "refused" or (verdict == "unclear" and kind.judges_credentials)
    passes = verdict == "accepted" or (not verdict and kind is StepKind.PROBE_PASSED)
    if passes and known:
        if kind is not StepKind.PROBE_FAILED:
            _works(row, called)
    elif is_refusal and (kind is StepKind.NO_PROBE or kind.judges_credentials):
        row.opened = (row.opened if known else None) or now
        row.retry_at = row.retry_at if known and paused else now + CREDENTIALS_RECHECK
        row.failing = sorted({*(row.failing if known else []), called.call})
        row.cause = CREDENTIALS
    elif verdict in {"refused", "unclear"} and not (
        row.opened or paused or (known and row.retry_at)
    ):
        row.cause, row.retry_at, row.failing = CREDENTIALS, now, [called.call]


# -- after a probe ---------------------------------------------------------------------------------


def settle_after_probe(vendor: str) -> None:
    """A whole probe has passed: what it says of hosts and kinds of calls that it did not touch.

    A doubt about our credentials is over. Where somebody waits who would make the call that failed, they
    try it, and the outage lasts until it works. Where nobody does, pages no longer speak of the outage,
    and the next call that needs the host tries it.
    """
    rows = Breaker.objects.filter(vendor=vendor, retry_at__lte=clock.now()).exclude(cause="")
    rows.filter(cause=CREDENTIALS, opened=None).update(cause="", retry_at=None, failing=[])
    for cause in set(rows.values_list("cause", flat=True)):
        if is_awaited(vendor, cause):
            trial_wanted.send(sender=Breaker, vendor=vendor, cause=cause)
        else:
            rows.filter(cause=cause).update(retry_at=None)


def is_awaited(vendor: str, cause: str) -> bool:
    """Whether an attempt or a check waits for this vendor, and so will call it by itself."""
    return any(rows.exists() for rows in waiting_rows(vendor, cause))


def waiting_rows(vendor: str, cause: str) -> tuple[QuerySet[Attempt], QuerySet[Connection]]:
    """Attempts and connections that will be retried because of this cause of an outage.

    Rows whose call is under way are left out.
    """
    name, value = ("answer", "unavailable") if cause in DOWN else ("cause", "credentials")
    waits: dict[str, object] = {name: value, "call_started_at": None, "due_at__isnull": False}
    waits["vendor"] = vendor
    return Attempt.objects.filter(**waits, ended=None), Connection.objects.filter(**waits)
