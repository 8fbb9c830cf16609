"""Mails to an address that was removed from an account or is no longer the main one."""

from __future__ import annotations

from django.conf import settings
from django.db.models import QuerySet

from onboarding import clock
from onboarding.models import FormerAddress

from . import outbox
from .mail import Mail
from .mail import compose as compose_mail


def mail_due() -> None:
    """Send those mails again that failed, or whose process died before they were sent."""
    outbox.send_due(still_open().select_related("user"), compose)


def still_open() -> QuerySet[FormerAddress]:
    """Those that their owner can still take back."""
    return FormerAddress.objects.filter(ended=None, expires_at__gt=clock.now())


def compose(former: FormerAddress) -> Mail:
    context = {"former": former, "link": settings.SITE_URL + former.get_absolute_url()}
    to, user = [former.email], former.user
    return compose_mail("onboarding/email/former_address", to, context, user.language, person=user)
