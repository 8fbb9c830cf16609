"""Schedule of periodic work, like cron: each run has a slot with a unique key in the database.

Any number of workers may call `run`: only the worker that inserts a slot does its work.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction

from onboarding import clock, journey
from onboarding.availability import breaker
from onboarding.catalogue import durations, refresh, requests, uses
from onboarding.models import Connector, Slot
from onboarding.notifications import (
    account_mails,
    address_mails,
    closing_mails,
    guess_warnings,
    invitations,
    mail_log,
    notices,
    security_alerts,
    staff_alerts,
    waitlist,
)
from onboarding.rights import closing
from vendors.contract import Vendor

from . import folding, retention

log = logging.getLogger(__name__)
Submit = Callable[[str, str, Callable[[], None]], object]
SLOTS_STAY = timedelta(days=2)
RUN = "schedule"  # the key of the slot whose time is that of the last run
FIRST_RETRY_DELAY = timedelta(seconds=10)  # between two tries while a catalogue is still empty
DOUBT_PERIOD = timedelta(seconds=5)  # between two probes because a merchant's call was refused


def run(submit: Submit) -> None:
    """Submit what is due: each vendor's catalogue (hourly, and at the first start), probes, how much each
    connector is used and the folding of calls (hourly), retention (daily), the rules of the security log,
    usual times, warnings and reminders (each minute), and mails."""
    hour = clock.now().strftime("%Y-%m-%dT%H")
    for slug, vendor in settings.VENDORS.offered.items():
        slot = f"catalogue:{slug}:{hour}"
        if _claim(slot) or (_still_empty(slug, slot) and _claim(f"first:{slug}:{_retry_number()}")):
            submit(slug, f"{slug}:catalogue", partial(refresh.refresh_catalogue, vendor))
    submit_probes(submit)
    if _claim(f"counts:{hour}"):
        submit("uses", "uses:hour", uses.refresh)
        submit("retention", "retention:calls", folding.run)
    if _claim(f"retention:{hour[:10]}"):
        submit("retention", "retention:day", retention.run)
    minute = clock.now().strftime("%Y-%m-%dT%H:%M")
    if _claim(f"security:{minute}"):
        submit("security", "security:minute", security_alerts.update)
    if _claim(f"connectors:{minute}"):
        submit("uses", "uses:minute", uses.refresh_few)
        submit("durations", "durations:minute", durations.refresh)
    if _claim(f"notices:{minute}"):
        submit("notices", "notices:minute", notices.write_due)
    Slot.objects.filter(at__lt=clock.now() - SLOTS_STAY).delete()
    journey.wake_expired(clock.now())
    submit("closing", "closing:due", closing.proceed_all)
    staff_alerts.clear_resolved()
    submit("mail", "mail:due", mail)  # a dead mail server holds up no shop
    # Somebody waits for these, and whoever asks for many of them holds up no other mail.
    submit("account-mail", "account-mail:due", account_mails.mail_due)


def is_mine(period: float) -> bool:
    """Whether this worker runs the schedule now: in each `period` (seconds) the first that asks.

    If it dies, another one does in the next period.
    """
    now = clock.now()
    slot, made = Slot.objects.get_or_create(key=RUN, defaults={"at": now})
    # Workers ask once in a period too: a moment less, or each would miss every other one.
    before = now - timedelta(seconds=period * 0.9)
    return made or bool(Slot.objects.filter(pk=slot.pk, at__lte=before).update(at=now))


def _still_empty(slug: str, slot: str) -> bool:
    """Whether this slot has passed without a connector: the vendor did not answer at the first start.

    Its catalogue is retried soon then, not after an hour.
    """
    before = clock.now() - FIRST_RETRY_DELAY
    asked = Slot.objects.filter(key=slot, at__lte=before).exists()
    return asked and not Connector.objects.filter(vendor=slug).exists()


def _retry_number() -> int:
    return int(clock.now().timestamp() // FIRST_RETRY_DELAY.total_seconds())


def _claim(key: str) -> bool:
    """True for the one worker that inserts this slot."""
    if Slot.objects.filter(key=key).exists():
        return False
    try:
        with transaction.atomic():
            Slot.objects.create(key=key)
    except IntegrityError:
        return False
    return True


def submit_probes(submit: Submit) -> None:
    """Probe vendors that are down or refuse us once a minute, also while no merchant comes.

    Whether a refusal is meant for all of us is found out at once.
    """
    minute = clock.now().strftime("%Y-%m-%dT%H:%M")
    for slug in breaker.vendors_to_probe():
        _submit_probe(submit, slug, minute)
    for slug in breaker.vendors_in_doubt():
        submit_doubt(submit, slug)


def submit_doubt(submit: Submit, slug: str) -> None:
    """Probe a vendor that has refused somebody's call, now, but not more often than every few seconds."""
    slot = int(clock.now().timestamp() // DOUBT_PERIOD.total_seconds())
    _submit_probe(submit, slug, f"doubt:{slot}")


def _submit_probe(submit: Submit, slug: str, slot: str) -> None:
    vendor = settings.VENDORS.offered.get(slug)
    if vendor and _claim(f"probe:{slug}:{slot}"):
        submit(slug, f"{slug}:probe", partial(_probe, vendor))


def _probe(vendor: Vendor) -> None:
    if breaker.probe(vendor):
        refresh.refresh_soon(vendor)  # its catalogue may not have been refreshed during the outage


def mail() -> None:
    """Send all mails that are due: to staff, invited people, former addresses, members, the waitlist, and to
    those who asked for a shop system."""
    staff_alerts.mail_due()
    invitations.mail_due()
    address_mails.mail_due()
    guess_warnings.mail_due()
    notices.mail_due()
    closing_mails.mail_due()
    waitlist.mail_due()
    requests.mail_due()
    mail_log.end_quiet()
    staff_alerts.open_for_undelivered_mails()
    staff_alerts.clear_told()
