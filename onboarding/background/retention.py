"""Retention: deletes rows that have been over for RETENTION_DAYS, daily and in small batches.

Merchants, accounts and connections stay, with everything that they still need. The mail log
is kept for MAIL_LOG_DAYS. Sessions and counts of rate limits are deleted when they have expired, and users
who never confirmed an address after a month.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db.models import Model, Q, QuerySet

from onboarding import clock, journey
from onboarding.models import (
    Account,
    AddedAddress,
    Alert,
    Attempt,
    Call,
    ClosingMail,
    Connection,
    ConnectorRequest,
    Consent,
    ErasureTask,
    Event,
    FormerAddress,
    GuessWarning,
    Hop,
    HourlyCalls,
    Invitation,
    MailRecord,
    Notice,
    RateLimit,
    SecurityEvent,
    Session,
    User,
    WaitlistEntry,
)
from onboarding.models.calls import WENT_WELL
from onboarding.models.status import Status

log = logging.getLogger(__name__)
BATCH = 500  # rows
PAUSE = 0.02  # seconds between two batches, in which others can write
UNCONFIRMED = timedelta(days=30)


def run() -> None:
    """Delete rows that are too old. If the process dies, the run of the next day deletes the others."""
    now = clock.now()
    counts = {rows.model.__name__: _delete(rows) for rows in expired(now)}
    counts["Attempt"] = _forget_calls(_ended(now - timedelta(days=settings.RETENTION_DAYS)))
    deleted = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    log.info("retention deleted: %s", deleted or "nothing")


def expired(now: datetime) -> Iterator[QuerySet[Model]]:
    """The rows to delete, one queryset for each model."""
    last = now - timedelta(days=settings.RETENTION_DAYS)
    yield Event.objects.filter(at__lt=last)
    yield Call.objects.filter(~WENT_WELL, at__lt=last)  # the others are folded before
    yield HourlyCalls.objects.filter(hour__lt=last)
    yield SecurityEvent.objects.filter(at__lt=last)
    yield LogEntry.objects.filter(action_time__lt=last)  # what staff did in the admin
    yield Hop.objects.filter(attempt__ended__lt=last)
    yield Notice.objects.filter(created__lt=last)
    yield GuessWarning.objects.filter(at__lt=last)
    yield Alert.objects.filter(cleared__lt=last)
    yield WaitlistEntry.objects.filter(Q(asked__lt=last) | Q(mailed__lt=last))
    yield ConnectorRequest.objects.filter(Q(created__lt=last) | Q(mailed__lt=last))
    yield ClosingMail.objects.filter(created__lt=last, reader=None)
    yield ErasureTask.objects.filter(done__lt=last)
    yield MailRecord.objects.filter(asked__lt=now - timedelta(days=settings.MAIL_LOG_DAYS))
    yield _old_consents(last)
    yield Invitation.objects.filter(expires_at__lt=last)
    yield FormerAddress.objects.filter(expires_at__lt=last)
    yield AddedAddress.objects.filter(at__lt=last)
    yield Session.objects.filter(expire_date__lt=now)
    yield RateLimit.objects.filter(ends_at__lt=now)
    yield _unconfirmed(now - UNCONFIRMED)


def _old_consents(last: datetime) -> QuerySet[Consent]:
    """Consents of shops that have been disconnected for so long. While a shop lives, all of its stay."""
    recent = Attempt.objects.filter(Q(ended=None) | Q(ended__gte=last))
    over = Connection.objects.filter(status=Status.DISCONNECTED).exclude(
        pk__in=recent.values("connection")
    )
    return Consent.objects.filter(at__lt=last, attempt__connection__in=over)


def _unconfirmed(last: datetime) -> QuerySet[User]:
    """Users who began to sign up and never came back: nothing depends on them."""
    began = User.objects.filter(last_login=None, date_joined__lt=last, erased_at=None)
    never = began.filter(is_staff=False)
    alone = never.filter(memberships=None, attempts=None)
    return alone.exclude(emailaddress__verified=True)


def _ended(last: datetime) -> QuerySet[Attempt]:
    """Ended attempts whose calls may be forgotten.

    Staff still need those that left a creation unsure: they have to find out whether it exists.
    """
    unsure = Account.objects.exclude(announced="", unsure="").exclude(creator=None)
    rows = Attempt.objects.filter(ended__lt=last).exclude(call_number=0)
    return rows.exclude(pk__in=unsure.values("creator"))


def _delete(rows: QuerySet[Model]) -> int:
    manager = rows.model._default_manager
    return sum(manager.filter(pk__in=keys).delete()[0] for keys in _batches(rows))


def _forget_calls(rows: QuerySet[Attempt]) -> int:
    return sum(journey.forget_calls(Attempt.objects.filter(pk__in=keys)) for keys in _batches(rows))


def _batches(rows: QuerySet[Model]) -> Iterator[list[int | str]]:
    """Primary keys of the rows, in batches until no row is left. The caller deletes each batch.

    In no order: the database then finds a few old rows in an index, without reading all the others.
    """
    while keys := list(rows.order_by().values_list("pk", flat=True)[:BATCH]):
        yield keys
        if len(keys) < BATCH:
            return
        time.sleep(PAUSE)
