"""Alerts: staff get one mail for each vendor and cause until it clears."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from onboarding.models import Alert, Attempt, Connection
from onboarding.models.notifications import TASK

from . import outbox

SHOWN = 5  # shops that a mail tells about
MAIL, UNDELIVERED = "mail", "undelivered"


def mail_due() -> None:
    """Mail staff the open alerts they have not been told about."""
    if settings.STAFF_EMAIL:
        outbox.send_due(Alert.objects.filter(cleared=None), _alert)


def clear_resolved() -> None:
    """An alert clears when no row of its vendor has its cause any more."""
    for alert in Alert.objects.filter(cleared=None).exclude(cause=UNDELIVERED):
        attempts = Attempt.objects.filter(
            connection__vendor=alert.vendor, cause=alert.cause, ended=None
        )
        if not attempts.exists() and not _waiting(alert).exists():
            Alert.objects.filter(pk=alert.pk).update(cleared=timezone.now())


def _waiting(alert: Alert) -> QuerySet[Connection]:
    shops = Connection.objects.filter(vendor=alert.vendor)
    return shops.exclude(task="") if alert.cause == TASK else shops.filter(cause=alert.cause)


def open_for_undelivered_mails() -> None:
    """Mails that were given up are staff's: they may know another way to their reader."""
    if outbox.given_up():
        Alert.objects.get_or_create(vendor=MAIL, cause=UNDELIVERED, cleared=None)
    else:
        Alert.objects.filter(cause=UNDELIVERED, cleared=None).update(cleared=timezone.now())


def _alert(alert: Alert) -> EmailMessage:
    address = settings.SITE_URL + reverse("admin:onboarding_connection_changelist")
    told = {TASK: _tasks, UNDELIVERED: _undelivered}.get(alert.cause, _turn)
    said = told(alert, address)
    closing = "You get one mail for each vendor and cause until it clears."
    subject = f"[{settings.BRAND_NAME}] {alert.vendor}: {alert.cause}"
    return EmailMessage(subject, "\n".join([*said, closing]), to=settings.STAFF_EMAIL)


def _turn(alert: Alert, address: str) -> list[str]:
    waiting = _waiting(alert)
    return [
        f"Something is staff's turn at {alert.vendor}: {alert.cause}.",
        f"Shops that wait for it now: {waiting.count()}.",
        "",
        *{row.detail for row in waiting.exclude(detail="")[:SHOWN]},
        "",
        f"{address}?status__exact=on_it",
    ]


def _undelivered(alert: Alert, address: str) -> list[str]:
    rows = outbox.given_up()
    return [
        f"Mails that could not be sent for three days: {len(rows)}.",
        "",
        *(f"{type(row)._meta.verbose_name}: {row}" for row in rows[:SHOWN]),
        "",
        "They are not tried any more. The log says why; `manage.py doctor` tries the mail server.",
    ]


def _tasks(alert: Alert, address: str) -> list[str]:
    waiting = _waiting(alert)
    return [
        f"Something is to be done by hand at {alert.vendor}.",
        f"Shops with such a task now: {waiting.count()}.",
        "",
        *(f"{row.name}: {row.task}" for row in waiting[:SHOWN]),
        "",
        "When it is done, say so on the shop's page:",
        f"{address}?task=1",
    ]
