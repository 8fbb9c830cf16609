"""Outbox: each mail is a row that stays due until its mail is sent, so a later sweep retries it.

A process that dies between sending and saving sends the mail twice; no mail gets lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.core.mail import EmailMessage
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from onboarding.models.outbox import Mailed

log = logging.getLogger(__name__)
FIRST_RETRY_DELAY = timedelta(minutes=1)  # longer than EMAIL_TIMEOUT
LONGEST_RETRY_DELAY = timedelta(hours=1)
MAX_TRIES = 80  # three days; then an alert tells staff
ALERT_FOR = timedelta(days=7)  # how long undelivered mails keep the alert open


Row = TypeVar("Row", bound=Mailed)
Compose = Callable[[Row], EmailMessage]


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
        compose(row).send()
    except OSError as error:  # this includes all errors of SMTP
        log.warning("a mail failed: %s, %s", type(row).__name__, type(error).__name__)
        return
    same.update(mailed=timezone.now(), mail_retry_at=None)


def retry_delay(tries: int) -> timedelta:
    """Exponential backoff after this many tries: 1 min, 2 min, 4 min … 1 h."""
    return min(FIRST_RETRY_DELAY * (1 << min(tries, 10)), LONGEST_RETRY_DELAY)


def undelivered() -> list[Mailed]:
    """The dead letters: rows whose mail was given up within the last ALERT_FOR, of all models."""
    late = Q(mailed=None, mail_tries__gte=MAX_TRIES, mail_retry_at__gt=timezone.now() - ALERT_FOR)
    return [row for model in Mailed.__subclasses__() for row in model._default_manager.filter(late)]


def _due() -> Q:
    retry_due = Q(mail_retry_at=None) | Q(mail_retry_at__lte=timezone.now())
    return Q(mailed=None, mail_tries__lt=MAX_TRIES) & retry_due
