"""Expiry warnings before a licence or a trial ends. Each is mailed once, to all members."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef

from onboarding import clock
from onboarding.models import Connection, ExpiryWarning
from onboarding.models.status import SET_UP

from . import outbox
from .mail import Mail, compose, quoted

DAYS = {
    "week": (1, 7),
    "day": (0, 1),
}  # kind → days before the end: more than the first, at most the second


def mail_due() -> None:
    """Write the warnings that have become due and send them. Any number of workers may call it."""
    for kind in DAYS:
        _write(kind)
    rows = ExpiryWarning.objects.filter(expires_at__gt=clock.now())
    outbox.send_due(rows.select_related("connection__account__merchant"), _compose)


def _write(kind: str) -> None:
    """Write the missing warnings of this kind. Only shops that are set up need one."""
    now, (least, most) = clock.now(), DAYS[kind]
    connections = Connection.objects.filter(
        status__in=SET_UP,
        expires_at__gt=now + timedelta(days=least),
        expires_at__lte=now + timedelta(days=most),
    )
    written = ExpiryWarning.objects.filter(
        connection=OuterRef("pk"), kind=kind, expires_at=OuterRef("expires_at")
    )
    ends = connections.exclude(Exists(written)).values_list("pk", "expires_at")
    rows = [ExpiryWarning(connection_id=pk, kind=kind, expires_at=end) for pk, end in ends if end]
    ExpiryWarning.objects.bulk_create(rows, ignore_conflicts=True)


def _compose(warning: ExpiryWarning) -> Mail:
    """One mail to all members. They know each other from the team's page."""
    merchant = warning.connection.account.merchant
    context = {
        "warning": warning,
        "shop": quoted(warning.connection.name),
        "business": quoted(merchant.name),
        "address": settings.SITE_URL + warning.connection.get_absolute_url(),
    }
    people = merchant.members.filter(is_active=True).values_list("email", flat=True)
    return compose("onboarding/email/expiry_warning", list(people), context, merchant.language)
