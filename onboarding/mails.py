"""Mails that must not get lost: a row is due until its mail is out, so a sweep sends it once more."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.core.mail import EmailMessage
from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone

log = logging.getLogger(__name__)
REST = timedelta(minutes=1)  # before a mail that failed is tried again; longer than EMAIL_TIMEOUT


class Mailed(models.Model):
    """A row that is told by one mail.

    `mailing`: until then somebody is at it, or it failed and rests. A process that dies in between
    leaves `mailed` NULL: rather two mails than none.
    """

    mailed = models.DateTimeField(null=True, blank=True)
    mailing = models.DateTimeField(null=True, blank=True, editable=False)
    mail_tries = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        abstract = True


Row = TypeVar("Row", bound=Mailed)
Compose = Callable[[Row], EmailMessage]


def send_due(rows: QuerySet[Row], compose: Compose[Row]) -> None:
    """Mail those of `rows` that were not mailed and do not rest."""
    for row in rows.filter(_due()):
        send(row, compose)


def send(row: Row, compose: Compose[Row]) -> None:
    """Mail this row, if nobody else is at it. A mail that fails waits for a later sweep."""
    same = type(row)._default_manager.filter(pk=row.pk)
    if not same.filter(_due()).update(mailing=timezone.now() + REST):
        return
    try:
        compose(row).send()
    except OSError as error:  # SMTP's errors are among them
        log.warning("a mail about a %s failed: %s", type(row).__name__, type(error).__name__)
        return
    same.update(mailed=timezone.now(), mailing=None)


def _due() -> Q:
    return Q(mailed=None) & (Q(mailing=None) | Q(mailing__lte=timezone.now()))
