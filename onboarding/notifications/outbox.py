"""Mails that must not get lost: a row is due until its mail is out, so a sweep sends it once more."""

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
REST = timedelta(minutes=1)  # before a mail that failed is tried again; longer than EMAIL_TIMEOUT
LONGEST_REST = timedelta(hours=1)
TRIES = 80  # three days; then staff are told that it could not be sent
SHOWN_FOR = timedelta(days=7)


Row = TypeVar("Row", bound=Mailed)
Compose = Callable[[Row], EmailMessage]


def send_due(rows: QuerySet[Row], compose: Compose[Row]) -> None:
    """Mail those of `rows` that were not mailed and do not rest. A bug in one stops no other."""
    for row in rows.filter(_due()):
        try:
            send(row, compose)
        except Exception:
            log.exception("a mail met a bug: %s", type(row).__name__)


def send(row: Row, compose: Compose[Row]) -> None:
    """Mail this row, if nobody else is at it. A mail that fails waits for a later sweep."""
    same = type(row)._default_manager.filter(pk=row.pk)
    until = timezone.now() + rest(row.mail_tries)
    if not same.filter(_due()).update(mail_retry_at=until, mail_tries=F("mail_tries") + 1):
        return
    try:
        compose(row).send()
    except OSError as error:  # SMTP's errors are among them
        log.warning("a mail failed: %s, %s", type(row).__name__, type(error).__name__)
        return
    same.update(mailed=timezone.now(), mail_retry_at=None)


def rest(tries: int) -> timedelta:
    """A minute, two, four … an hour."""
    found: timedelta = min(REST * (1 << min(tries, 10)), LONGEST_REST)
    return found


def given_up() -> list[Mailed]:
    """Rows whose mail could not be sent, and was given up within the last week."""
    late = Q(mailed=None, mail_tries__gte=TRIES, mail_retry_at__gt=timezone.now() - SHOWN_FOR)
    return [row for model in Mailed.__subclasses__() for row in model._default_manager.filter(late)]


def _due() -> Q:
    rested = Q(mail_retry_at=None) | Q(mail_retry_at__lte=timezone.now())
    return Q(mailed=None, mail_tries__lt=TRIES) & rested
