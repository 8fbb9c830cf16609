"""Waitlist of users who could not begin because a vendor does not answer, and the mail when it does.

On screen it is called “Leave it with us”.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.db.models import F, QuerySet
from django.urls import reverse

from onboarding import clock
from onboarding.availability.breaker import outages
from onboarding.models import Connector, MailGroup, Membership, WaitlistEntry
from onboarding.models.catalogue import offered
from onboarding.models.outbox import WANTED
from onboarding.registry import vendor_name

from . import choices, outbox
from .mail import Mail, compose_for, quoted
from .readers import Reader


def join(membership: Membership, connector: Connector, typed: Mapping[str, str]) -> WaitlistEntry:
    """Put the user on the waitlist, with what they typed into the form. A second time updates the entry."""
    entry, _ = WaitlistEntry.objects.update_or_create(
        user=membership.user,
        merchant=membership.merchant,
        connector=connector,
        mailed=None,
        defaults={**WANTED, "dropped": None, "typed": dict(typed)},
    )
    return entry


def latest_entry(membership: Membership, connector: Connector) -> WaitlistEntry | None:
    """This user's newest entry, mailed or not; None if they have begun the connection since."""
    entries = _entries(membership, connector).select_related("user", "merchant")
    return entries.order_by("-pk").first()


def entries_of(membership: Membership) -> list[WaitlistEntry]:
    """What the merchant's members left with us and have not begun since: one for each connector.

    Everybody sees it, so that nobody connects the same shop beside a colleague. The reader's own comes first.
    """
    rows = WaitlistEntry.objects.filter(merchant=membership.merchant)
    rows = rows.select_related("user", "merchant", "connector").order_by("-asked", "-pk")
    found: dict[int, WaitlistEntry] = {}
    for entry in sorted(rows, key=lambda entry: entry.user_id != membership.user_id):
        found.setdefault(entry.connector_id, entry)
    return list(found.values())


def leave(membership: Membership, connector: Connector) -> None:
    """Take the user off the waitlist: they have begun the connection, so they need no mail."""
    _entries(membership, connector).delete()


def _entries(membership: Membership, connector: Connector) -> QuerySet[WaitlistEntry]:
    whose = {"user": membership.user_id, "merchant": membership.merchant_id}
    return WaitlistEntry.objects.filter(**whose, connector=connector)


def is_promised(entry: WaitlistEntry) -> bool:
    """Whether its mail will come: pages say so only then."""
    return entry.is_waiting and choices.wants(entry.user, entry.merchant, MailGroup.TURN)


def wants_mail(membership: Membership) -> bool:
    """Whether somebody who joins the waitlist gets a mail."""
    return choices.wants(membership.user, membership.merchant, MailGroup.TURN)


def mail_due() -> None:
    """Mail the users whose vendor is back. Any number of workers may call it."""
    due = called_back().filter(outbox.due()).select_related("user", "merchant", "connector")
    for entry in due.order_by("pk"):
        if choices.wants(entry.user, entry.merchant, MailGroup.TURN):
            outbox.send_one(entry, _compose)
        else:
            WaitlistEntry.objects.filter(pk=entry.pk, mailed=None).update(dropped=clock.now())


def called_back() -> QuerySet[WaitlistEntry]:
    """Whose vendor is back and who can go on: they are still members, and the connector is offered."""
    waiting = WaitlistEntry.objects.filter(mailed=None, dropped=None, connector__in=offered())
    slugs = set(waiting.values_list("connector__vendor", flat=True))
    if not slugs:
        return waiting.none()
    recovered = slugs - outages(slugs).keys()
    members = waiting.filter(user__is_active=True, merchant__memberships__user=F("user"))
    return members.filter(connector__vendor__in=recovered)


def _compose(entry: WaitlistEntry) -> Mail:
    merchant, connector = entry.merchant, entry.connector
    page = reverse("connect", args=[merchant.reference, connector.slug])
    context = {
        "vendor_name": vendor_name(connector.vendor),
        "connector": connector,
        "business": quoted(merchant.name),
        "address": settings.SITE_URL + page,
    }
    return compose_for(
        Reader(entry.user, merchant),
        "onboarding/email/vendor_back",
        context,
        kind="vendor_back",
        group=MailGroup.TURN,
        merchant=merchant,
    )
