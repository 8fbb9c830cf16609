"""The context processor of all pages: the operator's brand, and the reference to quote to support."""

from __future__ import annotations

from functools import partial

from django.conf import settings
from django.http import HttpRequest

from onboarding.people import guards


def site(request: HttpRequest) -> dict[str, object]:
    """`brand_name`, `brand_logo`, `brand_colour`, `support_email`, `legal_links` [(label, url)],
    `reference`, `demo_mails` when the demo's mail page exists; for “Is it still you?”: `about_to`, and
    `recent_minutes`, after which a sign-in no longer counts as recent."""
    return {
        "brand_name": settings.BRAND_NAME,
        "brand_logo": settings.BRAND_LOGO,
        "brand_colour": settings.BRAND_COLOUR,
        "support_email": settings.SUPPORT_EMAIL,
        "legal_links": settings.LEGAL_LINKS,
        "reference": getattr(request, "reference", ""),
        "demo_mails": settings.DEMO_MAILS,
        "about_to": partial(guards.doing, request),
        "recent_minutes": settings.ACCOUNT_REAUTHENTICATION_TIMEOUT // 60,
    }
