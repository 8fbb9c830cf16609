"""Notices as time goes by: what is mailed after a while, to whom."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from django.core import mail
from django.utils import timezone

from onboarding.models import Notice
from onboarding.notifications import notices

GRACE = timedelta(minutes=3)  # longer than NOTICE_AFTER, shorter than BROKEN_NOTICE_AFTER


def told(after: timedelta = GRACE) -> list[str]:
    """The subjects of all mails so far, after another sweep some time from now."""
    with time_machine.travel(timezone.now() + after, tick=True):
        notices.write_due()
        notices.mail_due()
    return [str(sent.subject) for sent in mail.outbox]


def readers() -> list[str]:
    """Whom the mails so far went to."""
    return sorted(address for sent in mail.outbox for address in sent.to)


def why_not() -> list[str]:
    """Why mails were not sent."""
    return sorted(Notice.objects.exclude(dropped=None).values_list("why", flat=True))
