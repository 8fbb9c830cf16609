"""What was left with us until a vendor is back, on the page of all shops: continue, or forget it."""

from __future__ import annotations

from typing import TypedDict

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext

from onboarding.availability.breaker import Outage, outages
from onboarding.methods import require_read_or_post
from onboarding.models import Connector, Membership, WaitlistEntry
from onboarding.models.catalogue import offered
from onboarding.notifications import waitlist
from onboarding.registry import vendor_name
from onboarding.views.access import Request, for_member


class WaitingRow(TypedDict):
    """A row of _waiting.html. `href`: where the reader continues; "" if it is no longer offered."""

    title: str
    hint: str
    platform: str
    href: str
    forget: str
    is_back: bool


def waiting_rows(membership: Membership) -> list[WaitingRow]:
    entries = waitlist.entries_of(membership)
    connectors = {entry.connector for entry in entries}
    down = outages({connector.vendor for connector in connectors}) if entries else {}
    still_offered = set(offered().values_list("pk", flat=True)) if entries else set()
    return [
        _row(
            membership, entry, down.get(entry.connector.vendor), entry.connector_id in still_offered
        )
        for entry in entries
    ]


def _row(
    membership: Membership, entry: WaitlistEntry, outage: Outage | None, is_offered: bool
) -> WaitingRow:
    connector, is_own = entry.connector, entry.user_id == membership.user_id
    args = [membership.merchant.reference, connector.slug]
    return {
        "title": connector.title,
        "hint": _hint(entry, outage, is_offered, is_own),
        "platform": connector.platform,
        "href": reverse("connect", args=args) if is_offered else "",
        "forget": reverse("forget-it", args=args) if is_own else "",
        "is_back": is_offered and outage is None,
    }


def _hint(entry: WaitlistEntry, outage: Outage | None, is_offered: bool, is_own: bool) -> str:
    words = {
        "vendor": vendor_name(entry.connector.vendor),
        "email": entry.user.email,
        "person": entry.user.get_short_name(),
    }
    if not is_offered:
        return gettext("This is no longer offered.")
    if outage is None:
        return gettext("%(vendor)s is back. You can continue now.") % words
    if entry.mailed or entry.dropped:
        return gettext("%(vendor)s was back, and is down again.") % words
    if not waitlist.is_promised(entry):
        return gettext("Waiting for %(vendor)s.") % words
    if is_own:
        return gettext("Waiting for %(vendor)s. We’ll email %(email)s when it is back.") % words
    return gettext("Waiting for %(vendor)s. %(person)s gets an email when it is back.") % words


@require_read_or_post
@for_member
def forget(request: Request, membership: Membership, slug: str) -> HttpResponse:
    """Take the reader off the waitlist. What colleagues left with us stays.

    A GET comes from somebody who had to sign in first: they press the button again.
    """
    if request.method == "POST":
        waitlist.leave(membership, get_object_or_404(Connector, slug=slug))
    return redirect(membership.merchant)
