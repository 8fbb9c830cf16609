"""Waitlist of users who could not begin because a vendor does not answer, and the mail when it does.

On screen it is called “Leave it with us”.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from onboarding.availability.breaker import outages
from onboarding.models import Connector, Membership, WaitlistEntry
from onboarding.models.catalogue import offered
from onboarding.registry import vendor_name

from . import outbox


def join(membership: Membership, connector: Connector, typed: Mapping[str, str]) -> WaitlistEntry:
    """Put the user on the waitlist, with what they typed into the form. A second time updates the entry."""
    entry, _ = WaitlistEntry.objects.update_or_create(
        user=membership.user,
        merchant=membership.merchant,
        connector=connector,
        mailed=None,
        defaults={"typed": dict(typed)},
    )
    return entry


def latest_entry(membership: Membership, connector: Connector) -> WaitlistEntry | None:
    """This user's newest entry, mailed or not; None if they have begun the connection since."""
    return _entries(membership, connector).order_by("-pk").first()


def entries_of(membership: Membership) -> list[WaitlistEntry]:
    """What the merchant's members left with us and have not begun since: one for each connector.

    Everybody sees it, so that nobody connects the same shop beside a colleague. The reader's own comes first.
    """
    rows = WaitlistEntry.objects.filter(merchant=membership.merchant)
    rows = rows.select_related("user", "connector").order_by("-asked", "-pk")
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


def mail_due() -> None:
    """Mail the users whose vendor is back. Any number of workers may call it.

    Users who could not go on get no mail: they are no members any more, or the connector is not offered.
    """
    waiting = WaitlistEntry.objects.filter(mailed=None, connector__in=offered())
    slugs = set(waiting.values_list("connector__vendor", flat=True))
    if not slugs:
        return
    recovered = slugs - outages(slugs).keys()
    members = waiting.filter(user__is_active=True, merchant__memberships__user=F("user"))
    rows = members.filter(connector__vendor__in=recovered)
    outbox.send_due(rows.select_related("user", "merchant", "connector"), _compose)


def _compose(entry: WaitlistEntry) -> EmailMessage:
    merchant, connector = entry.merchant, entry.connector
    page = reverse("connect", args=[merchant.reference, connector.slug])
    context = {
        "vendor_name": vendor_name(connector.vendor),
        "connector": connector,
        "merchant": merchant,
        "address": settings.SITE_URL + page,
        "brand_name": settings.BRAND_NAME,
        "support_email": settings.SUPPORT_EMAIL,
        "site_url": settings.SITE_URL,
    }
    with translation.override(merchant.language):
        subject = render_to_string("onboarding/email/waitlist_subject.txt", context)
        body = render_to_string("onboarding/email/waitlist_message.txt", context)
    return EmailMessage(" ".join(subject.split()), body, to=[entry.user.email])
