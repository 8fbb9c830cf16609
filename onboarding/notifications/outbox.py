"""Outbox: each mail is a row that stays due until its mail is sent, so a later sweep retries it.

A process that dies between sending and saving sends the mail twice; no mail gets lost. A mail ends at once
when the mail server refuses its recipients for good.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from onboarding.models import Invitation
from onboarding.models.outbox import MAX_TRIES, Mailed

from .mail import AddressRefused, Mail, NotSent, deliver

log = logging.getLogger(__name__)
FIRST_RETRY_DELAY = timedelta(minutes=1)  # longer than EMAIL_TIMEOUT
LONGEST_RETRY_DELAY = timedelta(hours=1)
ALERT_FOR = timedelta(days=7)  # how long undelivered mails keep the alert open


Row = TypeVar("Row", bound=Mailed)
Compose = Callable[[Row], Mail]


def send_due(rows: QuerySet[Row], compose: Compose[Row]) -> None:
    """Send the mails of those rows that are due now. A bug in one mail does not stop the others."""
    for row in rows.filter(_due()):
        try:
            send(row, compose)
        except Exception:
            log.exception("a mail met a bug: %s", type(row).__name__)


def send(row: Row, compose: Compose[Row]) -> None:
    """Send the mail of this row, unless another process is sending it. A failed mail is retried later."""
    same = type(row)._default_manager.filter(pk=row.pk)
    retry_at = timezone.now() + retry_delay(row.mail_tries)
    if not same.filter(_due()).update(mail_retry_at=retry_at, mail_tries=F("mail_tries") + 1):
        return
    try:
        deliver(compose(row))
    except AddressRefused:
        same.update(mail_refused=True)
    except NotSent as error:
        log.warning("a mail is tried again: %s, %s", type(row).__name__, error)
    else:
        same.update(mailed=timezone.now(), mail_retry_at=None)


def retry_delay(tries: int) -> timedelta:
    """Exponential backoff after this many tries: 1 min, 2 min, 4 min … 1 h."""
    return min(FIRST_RETRY_DELAY * (1 << min(tries, 10)), LONGEST_RETRY_DELAY)


def undelivered() -> list[Mailed]:
    """The dead letters: rows whose mail was given up within the last ALERT_FOR, of all models.

    Whoever invited a refused address is told so, and mends it.
    """
    recent = Q(mailed=None, mail_retry_at__gt=timezone.now() - ALERT_FOR)
    over = recent & (Q(mail_tries__gte=MAX_TRIES) | Q(mail_refused=True))
    models = dict.fromkeys(Mailed.__subclasses__(), over)
    models[Invitation] &= Q(mail_refused=False)
    return [
        row for model, given_up in models.items() for row in model._default_manager.filter(given_up)
    ]


def _due() -> Q:
    retry_due = Q(mail_retry_at=None) | Q(mail_retry_at__lte=timezone.now())
    return Q(mailed=None, mail_refused=False, mail_tries__lt=MAX_TRIES) & retry_due
