"""What the calls of a step say about a host, into its row, so that all processes know.

| row | calls | pages |
|---|---|---|
| none, or no cause and `retry_at` over | go on | – |
| no cause, `retry_at` ahead: the vendor said Retry-After | rest | – |
| silent, `retry_at` ahead | rest | not answering since `opened` |
| silent, `retry_at` over or NULL | one goes, the rest wait for what it hears | NULL: – |
| credentials, `opened` | go on | refuses us since `opened`; `retry_at` NULL: – |
| credentials, not `opened`: a 403 may be about one thing only | go on; a probe decides | – |
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.dispatch import Signal
from django.utils import timezone

from onboarding.models import Attempt, Breaker, Connection
from vendors.http.call_context import CallRecord

log = logging.getLogger(__name__)
MANY = 5  # calls in a row that were not answered, and the host is called silent
FIRST_REST, LONGEST_REST = timedelta(seconds=10), timedelta(minutes=5)
LONGEST_ASKED = timedelta(minutes=15)  # that a Retry-After keeps everybody off the host
REFUSED_AGAIN = timedelta(minutes=2)  # until a probe asks whether our credentials are taken again
SILENT, CREDENTIALS = Breaker.Cause.SILENT, Breaker.Cause.CREDENTIALS
# Who waited goes on at once; but who is to wait for longer than we ourselves ever do was told so.
LONGEST_WAIT: dict[str, timedelta] = {
    SILENT: timedelta(minutes=18),
    CREDENTIALS: timedelta(hours=1),
}

recovered = Signal()  # a host works again: vendor, cause of the outage, when calls may begin


def learn(
    vendor: str, host: str, calls: Iterable[CallRecord], *, tried: bool, probing: bool
) -> None:
    """Write the host's row if these calls change it. That it works, as before, changes nothing.

    `tried`: the first of them was made while everybody else kept off.
    """
    row = Breaker.objects.filter(vendor=vendor, host=host).first() or Breaker()
    before = _state(row)
    _hear(row, calls, tried, probing)
    if _state(row) == before:
        return
    with transaction.atomic():
        made, _ = Breaker.objects.get_or_create(vendor=vendor, host=host)
        row = Breaker.objects.select_for_update().get(pk=made.pk)
        was, since = row.cause, row.opened
        _hear(row, calls, tried, probing)
        row.opened = since if since and row.cause == was else row.opened
        row.save()
    if row.opened and (row.opened, row.cause) != (since, was):
        log.warning("%s: %s: %s", vendor, host, row.get_cause_display())
    if since and row.cause not in (was, SILENT):
        log.warning("%s: %s: no longer %s", vendor, host, Breaker.Cause(was).label)
        first = max(row.retry_at or timezone.now(), timezone.now())
        recovered.send(sender=Breaker, vendor=vendor, cause=was, first=first)


def _state(row: Breaker) -> tuple[object, ...]:
    return row.failures, row.cause, row.opened, row.retry_at


def _hear(row: Breaker, calls: Iterable[CallRecord], tried: bool, probing: bool) -> None:
    now = timezone.now()
    for called in calls:
        if called.unavailable:
            _silence(row, called, tried, now)
        else:
            _answer(row, tried)
            _credentials(row, called, probing, now)


def _silence(row: Breaker, called: CallRecord, tried: bool, now: datetime) -> None:
    """Calls that were under way when the host was called silent say nothing new."""
    asked = min(timedelta(seconds=called.retry_after or 0), LONGEST_ASKED)
    rest = timedelta(0)
    if tried:
        row.retry_at = None
    if tried or row.cause != SILENT:
        row.failures += 1
    if row.cause != SILENT and row.failures >= MANY:
        row.retry_at = None if row.cause == CREDENTIALS else row.retry_at
        row.cause, row.opened, rest = SILENT, now, FIRST_REST
    elif row.cause == SILENT and tried:
        rest = min(FIRST_REST * (1 << min(row.failures - MANY, 10)), LONGEST_REST)
    if asked and not row.opened:
        row.cause = ""  # the doubt about our credentials has to wait
    if row.cause != CREDENTIALS and (rest := max(rest, asked)):
        row.retry_at = max(row.retry_at or now, now + rest)


def _answer(row: Breaker, tried: bool) -> None:
    """Whatever it says, it answers. A Retry-After stands, unless this is the call that tried."""
    row.failures = 0
    if row.cause == SILENT:
        row.cause, row.opened = "", None
    if tried:
        row.retry_at = None


def _credentials(row: Breaker, called: CallRecord, probing: bool, now: datetime) -> None:
    """A 401 is about who we are; a 403 only to the probe, which asks for nothing in particular."""
    ours, said = row.cause == CREDENTIALS, called.credentials
    ahead = row.retry_at is not None and row.retry_at > now
    if said == "accepted" and ours:
        row.cause, row.opened, row.retry_at = "", None, None
    elif said == "refused" or (said == "unclear" and probing):
        row.opened = (row.opened if ours else None) or now
        row.retry_at = row.retry_at if ours and ahead else now + REFUSED_AGAIN
        row.cause = CREDENTIALS
    elif said == "unclear" and not (row.opened or ahead or (ours and row.retry_at)):
        row.cause, row.retry_at = CREDENTIALS, now


def waiting(vendor: str, cause: str) -> bool:
    """Whether some attempt or check waits for this vendor, and so will call it by itself."""
    return any(rows.exists() for rows in waiting_rows(vendor, cause))


def waiting_rows(vendor: str, cause: str) -> tuple[QuerySet[Any], QuerySet[Any]]:
    """`call_started_at`: somebody is at it now."""
    name, value = ("answer", "unavailable") if cause == SILENT else ("cause", "credentials")
    waits: dict[str, Any] = {name: value, "call_started_at": None, "due_at__isnull": False}
    attempts = Attempt.objects.filter(**waits, ended=None, connection__vendor=vendor)
    return attempts, Connection.objects.filter(**waits, vendor=vendor)
