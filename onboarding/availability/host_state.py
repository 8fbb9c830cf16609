"""State of the circuit breaker for one host: how the calls of a step change its `Breaker` row.

All processes read the row, so an outage that one of them meets stops the calls of all.

| `cause`, `opened`, `retry_at` | calls | pages say |
|---|---|---|
| no row, or no cause and `retry_at` over | closed: all go through | – |
| no cause, `retry_at` in the future: the vendor sent a Retry-After | open | – |
| silent, `retry_at` in the future | open | not answering since `opened` |
| silent, `retry_at` over or NULL | half-open: one goes, all others wait for its result | NULL: – |
| credentials, with `opened` | closed | refuses us since `opened`; `retry_at` NULL: – |
| credentials, without `opened`: a 403 may be about one thing only | closed; a probe decides | – |
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.dispatch import Signal
from django.utils import timezone

from onboarding.models import Attempt, Breaker, Connection
from vendors.http.call_context import CallRecord

log = logging.getLogger(__name__)
FAILURE_THRESHOLD = 5  # unanswered calls in a row that open the breaker
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=5)  # backoff of the breaker
LONGEST_RETRY_AFTER = timedelta(minutes=15)  # of a Retry-After; a longer one is cut
CREDENTIALS_RECHECK = timedelta(minutes=2)  # between two probes of credentials that were refused
SILENT, CREDENTIALS = Breaker.Cause.SILENT, Breaker.Cause.CREDENTIALS
# After an outage, rows that are due within this time are retried at once. Our own retry delays are
# never longer: a later time is one that the vendor asked for.
LONGEST_WAIT: dict[str, timedelta] = {
    SILENT: timedelta(minutes=18),
    CREDENTIALS: timedelta(hours=1),
}

# A host works again. Arguments: vendor (slug), cause (of the outage), first (when calls may begin).
recovered = Signal()


def learn(
    vendor: str, host: str, calls: Iterable[CallRecord], *, on_trial: bool, probing: bool
) -> None:
    """Update the host's row from these calls, in their order. Nothing is written if nothing changes.

    `on_trial`: the host was half-open, and only this step might call it. `probing`: no merchant's data
    was asked for, so a 403 is about our credentials.
    """
    row = Breaker.objects.filter(vendor=vendor, host=host).first() or Breaker()
    before = _state(row)
    _apply(row, calls, on_trial, probing)
    if _state(row) == before:
        return
    with transaction.atomic():
        made, _ = Breaker.objects.get_or_create(vendor=vendor, host=host)
        row = Breaker.objects.select_for_update().get(pk=made.pk)
        cause_before, opened_before = row.cause, row.opened
        _apply(row, calls, on_trial, probing)
        if opened_before and row.cause == cause_before:
            row.opened = opened_before
        row.save()
    _announce(row, cause_before, opened_before)


def _state(row: Breaker) -> tuple[object, ...]:
    return row.failures, row.cause, row.opened, row.retry_at


def _announce(row: Breaker, cause_before: str, opened_before: datetime | None) -> None:
    """Log that an outage began or ended; send `recovered` when it ended."""
    if row.opened and (row.opened, row.cause) != (opened_before, cause_before):
        log.warning("%s: %s: %s", row.vendor, row.host, row.get_cause_display())
    if opened_before and row.cause not in (cause_before, SILENT):
        label = Breaker.Cause(cause_before).label
        log.warning("%s: %s: no longer %s", row.vendor, row.host, label)
        first = max(row.retry_at or timezone.now(), timezone.now())
        recovered.send(sender=Breaker, vendor=row.vendor, cause=cause_before, first=first)


def _apply(row: Breaker, calls: Iterable[CallRecord], on_trial: bool, probing: bool) -> None:
    now = timezone.now()
    for called in calls:
        if called.unavailable:
            _apply_failure(row, called, on_trial, now)
        else:
            _apply_answer(row, on_trial)
            _apply_credentials(row, called, probing, now)


def _apply_failure(row: Breaker, called: CallRecord, on_trial: bool, now: datetime) -> None:
    """Count a failure, and open the breaker at the threshold, longer after each failed trial.

    Calls that were under way when the breaker opened are not counted.
    """
    asked = min(timedelta(seconds=called.retry_after or 0), LONGEST_RETRY_AFTER)
    pause = timedelta(0)
    if on_trial:
        row.retry_at = None
    if on_trial or row.cause != SILENT:
        row.failures += 1
    if row.cause != SILENT and row.failures >= FAILURE_THRESHOLD:
        row.retry_at = None if row.cause == CREDENTIALS else row.retry_at
        row.cause, row.opened, pause = SILENT, now, FIRST_PAUSE
    elif row.cause == SILENT and on_trial:
        exponent = min(row.failures - FAILURE_THRESHOLD, 10)
        pause = min(FIRST_PAUSE * (1 << exponent), LONGEST_PAUSE)
    if asked and not row.opened:
        row.cause = ""  # the Retry-After comes first; whether our credentials are refused, later
    if row.cause != CREDENTIALS and (pause := max(pause, asked)):
        row.retry_at = max(row.retry_at or now, now + pause)


def _apply_answer(row: Breaker, on_trial: bool) -> None:
    """Close the breaker: any answer counts. A Retry-After stays valid unless this call was the trial."""
    row.failures = 0
    if row.cause == SILENT:
        row.cause, row.opened = "", None
    if on_trial:
        row.retry_at = None


def _apply_credentials(row: Breaker, called: CallRecord, probing: bool, now: datetime) -> None:
    """Note whether our credentials are refused: by any 401, but by a 403 only in a probe.

    Elsewhere a 403 may be about the one thing that was asked for, so it only makes a probe due.
    """
    known, verdict = row.cause == CREDENTIALS, called.credentials
    paused = row.retry_at is not None and row.retry_at > now
    if verdict == "accepted" and known:
        row.cause, row.opened, row.retry_at = "", None, None
    elif verdict == "refused" or (verdict == "unclear" and probing):
        row.opened = (row.opened if known else None) or now
        row.retry_at = row.retry_at if known and paused else now + CREDENTIALS_RECHECK
        row.cause = CREDENTIALS
    elif verdict == "unclear" and not (row.opened or paused or (known and row.retry_at)):
        row.cause, row.retry_at = CREDENTIALS, now


def is_awaited(vendor: str, cause: str) -> bool:
    """Whether an attempt or a check waits for this vendor, and so will call it by itself."""
    return any(rows.exists() for rows in waiting_rows(vendor, cause))


def waiting_rows(vendor: str, cause: str) -> tuple[QuerySet[Attempt], QuerySet[Connection]]:
    """Attempts and connections that will be retried because of this cause ("silent" or "credentials").

    Rows whose call is under way are left out.
    """
    name, value = ("answer", "unavailable") if cause == SILENT else ("cause", "credentials")
    waits: dict[str, object] = {name: value, "call_started_at": None, "due_at__isnull": False}
    attempts = Attempt.objects.filter(**waits, ended=None, connection__vendor=vendor)
    return attempts, Connection.objects.filter(**waits, vendor=vendor)
