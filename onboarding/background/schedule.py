"""Periodic work: one slot in time, one unique key, so any number of workers may run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from onboarding.availability import breaker
from onboarding.catalogue import refresh
from onboarding.models import Connector, Slot
from onboarding.notifications import expiry_warnings, invitations, staff_alerts, waitlist
from vendors.contract import Vendor

from . import retention

log = logging.getLogger(__name__)
Submit = Callable[[str, str, Callable[[], None]], object]
KEEP_SLOTS = timedelta(days=2)
AT_FIRST = timedelta(seconds=10)  # between two tries of a catalogue that is still empty


def run(submit: Submit) -> None:
    """The hourly catalogue of each vendor (the first slot is due at start), probes, the daily
    cleaning, and mails."""
    hour = timezone.now().strftime("%Y-%m-%dT%H")
    for slug, vendor in settings.VENDORS.offered.items():
        slot = f"catalogue:{slug}:{hour}"
        if _mine(slot) or (_in_vain(slug, slot) and _mine(f"first:{slug}:{_moment()}")):
            submit(slug, f"{slug}:catalogue", partial(refresh.refresh_catalogue, vendor))
    probe_doubtful(submit)
    if _mine(f"retention:{hour[:10]}"):
        submit("retention", "retention:day", retention.run)
    Slot.objects.filter(at__lt=timezone.now() - KEEP_SLOTS).delete()
    staff_alerts.clear_resolved()
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
    for slug in breaker.vendors_to_probe():
        vendor = settings.VENDORS.offered.get(slug)
        if vendor and _mine(f"probe:{slug}:{minute}"):
            submit(slug, f"{slug}:probe", partial(_probe, vendor))


def _probe(vendor: Vendor) -> None:
    if breaker.probe(vendor):
        refresh.refresh_soon(vendor)  # its connectors may not have come meanwhile


def mail() -> None:
    """What somebody has not heard of yet: staff of alerts, people of invitations and ends."""
    staff_alerts.mail_due()
    invitations.mail_due()
    expiry_warnings.mail_due()
    waitlist.mail_due()
    staff_alerts.open_for_undelivered_mails()
