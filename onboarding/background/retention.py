"""What is over is deleted after RETENTION_DAYS: once a day, a few rows at a time.

Merchants, accounts and connections stay, with all that they stand on now. Sessions go when they have
ended, and people who never confirmed an address after a month.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet
from django.utils import timezone

from onboarding import journey
from onboarding.models import (
    Account,
    Alert,
    Attempt,
    Call,
    Event,
    ExpiryWarning,
    Hop,
    Invitation,
    User,
    WaitlistEntry,
)

log = logging.getLogger(__name__)
BATCH = 500
BREATH = 0.02  # seconds between two batches, in which others write
UNCONFIRMED = timedelta(days=30)


def run() -> None:
    """Delete what is too old; whatever a process that dies leaves is too old tomorrow, too."""
    now = timezone.now()
    counts = {rows.model.__name__: _delete(rows) for rows in over(now)}
    counts["Attempt"] = _forget(_ended(now - timedelta(days=settings.RETENTION_DAYS)))
    said = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    log.info("too old, and gone: %s", said or "nothing")


def over(now: datetime) -> Iterator[QuerySet[Any]]:
    """The rows that may go."""
    last = now - timedelta(days=settings.RETENTION_DAYS)
    yield Event.objects.filter(at__lt=last)
    yield Call.objects.filter(at__lt=last)
    yield Hop.objects.filter(attempt__ended__lt=last)
    yield ExpiryWarning.objects.filter(expires_at__lt=last)
    yield Alert.objects.filter(cleared__lt=last)
    yield WaitlistEntry.objects.filter(Q(asked__lt=last) | Q(mailed__lt=last))
    yield Invitation.objects.filter(expires_at__lt=last)
    yield Session.objects.filter(expire_date__lt=now)
    yield _unconfirmed(now - UNCONFIRMED)


def _unconfirmed(last: datetime) -> QuerySet[User]:
    """Began to sign up and never came back: nothing depends on them."""
    never = User.objects.filter(last_login=None, date_joined__lt=last, is_staff=False)
    alone = never.filter(memberships=None, attempts=None)
    return alone.exclude(emailaddress__verified=True)


def _ended(last: datetime) -> QuerySet[Attempt]:
    """Not those that staff still need: to settle whether their creation exists."""
    doubtful = Account.objects.exclude(announced="", unsure="").exclude(creator=None)
    rows = Attempt.objects.filter(ended__lt=last).exclude(call_number=0)
    return rows.exclude(pk__in=doubtful.values("creator"))


def _delete(rows: QuerySet[Any]) -> int:
    return sum(rows.model._default_manager.filter(pk__in=some).delete()[0] for some in _some(rows))


def _forget(rows: QuerySet[Attempt]) -> int:
    return sum(journey.forget_calls(Attempt.objects.filter(pk__in=some)) for some in _some(rows))


def _some(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """A few keys, until none is left; each few are one short transaction."""
    while some := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        yield some
        if len(some) < BATCH:
            return
        time.sleep(BREATH)
