"""The context processor of all pages: the operator's brand, and the reference to quote to support."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    """`brand_name`, `brand_logo`, `brand_colour`, `support_email`, `legal_links` [(label, url)],
    `reference`, and `demo_mails` when the demo's mail page exists."""
    return {
        "brand_name": settings.BRAND_NAME,
        "brand_logo": settings.BRAND_LOGO,
        "brand_colour": settings.BRAND_COLOUR,
        "support_email": settings.SUPPORT_EMAIL,
        "legal_links": settings.LEGAL_LINKS,
        "reference": getattr(request, "reference", ""),
        "demo_mails": settings.DEMO_MAILS,
    }
