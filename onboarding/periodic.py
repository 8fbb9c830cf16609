"""Periodic work: one slot in time, one unique key, so any number of workers may run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify

from vendors.contract import Entry, Vendor, VendorError

from . import breaker, mails, notices, readiness, retention, standby, team
from .journey.shops import TASK
from .models import Alert, Attempt, Connection, Connector, Slot

log = logging.getLogger(__name__)
Submit = Callable[[str, str, Callable[[], None]], object]
KEEP_SLOTS = timedelta(days=2)
AT_FIRST = timedelta(seconds=10)  # between two tries of a catalogue that is still empty
SHOWN = 5  # shops that a mail tells about
MAIL, UNDELIVERED = "mail", "undelivered"


def run(submit: Submit) -> None:
    """The hourly catalogue of each vendor (the first slot is due at start), probes, the daily
    cleaning, and mails."""
    hour = timezone.now().strftime("%Y-%m-%dT%H")
    for slug, vendor in settings.VENDORS.offered.items():
        slot = f"catalogue:{slug}:{hour}"
        if _mine(slot) or (_in_vain(slug, slot) and _mine(f"first:{slug}:{_moment()}")):
            submit(slug, f"{slug}:catalogue", partial(refresh_catalogue, vendor))
    probe_doubtful(submit)
    if _mine(f"retention:{hour[:10]}"):
        submit("retention", "retention:day", retention.run)
    Slot.objects.filter(at__lt=timezone.now() - KEEP_SLOTS).delete()
    clear_alerts()
    submit("mail", "mail:due", mail)  # a dead mail server holds up no shop


def _in_vain(slug: str, slot: str) -> bool:
    """A vendor that did not answer at the very start is not left out for an hour."""
    before = timezone.now() - AT_FIRST
    asked = Slot.objects.filter(key=slot, at__lte=before).exists()
    return asked and not Connector.objects.filter(vendor=slug).exists()


def _moment() -> int:
    return int(timezone.now().timestamp() // AT_FIRST.total_seconds())


def _mine(key: str) -> bool:
    """True for the one worker that takes this slot."""
    if Slot.objects.filter(key=key).exists():
        return False
    try:
        with transaction.atomic():
            Slot.objects.create(key=key)
    except IntegrityError:
        return False
    return True


def probe_doubtful(submit: Submit) -> None:
    """A vendor that was silent or refused us is asked once a minute, also while no merchant comes."""
    minute = timezone.now().strftime("%Y-%m-%dT%H:%M")
    for slug in breaker.doubtful():
        vendor = settings.VENDORS.offered.get(slug)
        if vendor and _mine(f"probe:{slug}:{minute}"):
            submit(slug, f"{slug}:probe", partial(_probe, vendor))


def _probe(vendor: Vendor) -> None:
    if breaker.probe(vendor):
        refresh_soon(vendor)  # its connectors may not have come meanwhile


def refresh_soon(vendor: Vendor) -> None:
    """Something was changed there: the next sweep looks, not the next hour's."""
    Slot.objects.filter(key__startswith=f"catalogue:{vendor.slug}:").delete()


def refresh_catalogue(vendor: Vendor) -> None:
    """Write what the vendor offers; what staff set stays, what vanished is marked as gone."""
    try:
        with breaker.heed(vendor.slug, seconds=breaker.AT_LENGTH):
            entries = vendor.connectors()
            needed = readiness.needed(vendor, [entry.key for entry in entries])
    except VendorError as error:
        log.warning("%s connectors: %s %s", vendor.slug, type(error).__name__, error.detail)
        return
    with transaction.atomic():
        for entry in entries:
            _refresh(vendor.slug, entry)
        gone = Connector.objects.filter(vendor=vendor.slug, gone=None)
        gone.exclude(key__in=[entry.key for entry in entries]).exclude(staff_made=True).update(
            gone=timezone.now()
        )
        readiness.write(vendor.slug, needed)


def _refresh(vendor: str, entry: Entry) -> None:
    theirs = {
        "vendor_name": entry.name,
        "platform": entry.platform,
        "category": entry.category,
        "description": entry.description,
        "gone": None,
    }
    first = {"slug": slugify(f"{vendor}-{entry.key}"), "position": entry.position}
    Connector.objects.update_or_create(
        vendor=vendor,
        key=entry.key,
        staff_made=False,
        defaults=theirs,
        create_defaults={**theirs, **first},
    )


def clear_alerts() -> None:
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


def mail() -> None:
    """What somebody has not heard of yet: staff of alerts, people of invitations and ends."""
    if settings.STAFF_EMAIL:
        mails.send_due(Alert.objects.filter(cleared=None), _alert)
    team.mail_invitations()
    notices.mail_due()
    standby.mail_due()
    _tell_of_the_undelivered()


def _tell_of_the_undelivered() -> None:
    """Mails that were given up are staff's: they may know another way to their reader."""
    if mails.given_up():
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
    rows = mails.given_up()
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
