"""The context processor of all pages: the operator's brand, and the reference to quote to support."""

from __future__ import annotations

from functools import partial

from django.conf import settings
from django.http import HttpRequest

from onboarding.models import RefusedAddress, User
from onboarding.notifications.refused_addresses import main_one
from onboarding.people import guards

# Pages for everybody. Search engines know each by one address, whatever query a visitor came with.
PUBLIC = {"start", "catalogue", "platform", "account_login"}


def site(request: HttpRequest) -> dict[str, object]:
    """`brand_name`, `brand_logo`, `brand_colour`, `brand_url`, `support_email`, `legal_links` [(label, url)],
    `reference`, `canonical` (the one address of a public page), `demo_mails` when the demo's mail page
    exists, `refused_address` (the reader's, if a mail server has refused it); for “Is it still you?”:
    `about_to`, and `recent_minutes`, after which a sign-in no longer counts as recent."""
    return {
        "brand_name": settings.BRAND_NAME,
        "brand_logo": settings.BRAND_LOGO,
        "brand_colour": settings.BRAND_COLOUR,
        "brand_url": settings.BRAND_URL,
        "support_email": settings.SUPPORT_EMAIL,
        "legal_links": settings.LEGAL_LINKS,
        "reference": getattr(request, "reference", ""),
        "canonical": f"{settings.SITE_URL}{request.path}" if is_public(request) else "",
        "refused_address": partial(_refused_address, request),
        "demo_mails": settings.DEMO_MAILS,
        "about_to": partial(guards.doing, request),
        "recent_minutes": settings.ACCOUNT_REAUTHENTICATION_TIMEOUT // 60,
    }


def _refused_address(request: HttpRequest) -> RefusedAddress | None:
    return main_one(request.user) if isinstance(request.user, User) else None


def is_public(request: HttpRequest) -> bool:
    found = request.resolver_match
    return found is not None and found.url_name in PUBLIC
