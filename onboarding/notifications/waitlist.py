"""Leaving it with us: who could not begin because a vendor is not there, and the mail when it is."""

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


def leave(membership: Membership, connector: Connector, typed: Mapping[str, str]) -> WaitlistEntry:
    """Remember it; pressed twice, the same row with what was typed last."""
    row, _ = WaitlistEntry.objects.update_or_create(
        user=membership.user,
        merchant=membership.merchant,
        connector=connector,
        mailed=None,
        defaults={"typed": dict(typed)},
    )
    return row


def latest(membership: Membership, connector: Connector) -> WaitlistEntry | None:
    """What this user has left with us, waiting or mailed, until it was begun."""
    return _of(membership, connector).order_by("-pk").first()


def begun(membership: Membership, connector: Connector) -> None:
    """They went on, by the mail's link or before it came: there is nothing left to tell them."""
    _of(membership, connector).delete()


def _of(membership: Membership, connector: Connector) -> QuerySet[WaitlistEntry]:
    whose = {"user": membership.user_id, "merchant": membership.merchant_id}
    return WaitlistEntry.objects.filter(**whose, connector=connector)


def mail_due() -> None:
    """Tell those whose vendor is back; any number of workers may call it.

    Whoever can no longer go on hears nothing: no member any more, or the connector is not offered.
    """
    waiting = WaitlistEntry.objects.filter(mailed=None, connector__in=offered())
    slugs = set(waiting.values_list("connector__vendor", flat=True))
    if not slugs:
        return
    back = slugs - outages(slugs).keys()
    there = waiting.filter(user__is_active=True, merchant__memberships__user=F("user"))
    rows = there.filter(connector__vendor__in=back)
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
