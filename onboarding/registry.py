"""Registry of vendors: which are offered, their names, and their return addresses."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings

from vendors.contract import Vendor


def vendor_of(slug: str) -> Vendor | None:
    """The vendor; None if it is not offered any more, for rows stay when a vendor is switched off."""
    offered: Mapping[str, Vendor] = settings.VENDORS.offered
    return offered.get(slug)


def vendor_name(slug: str) -> str:
    """The vendor's name; made from its slug if it is switched off."""
    vendor = vendor_of(slug)
    return vendor.name if vendor else slug.replace("-", " ").title()


def return_address(slug: str) -> str:
    """The URL that a vendor's pages redirect back to. It is constant, as some vendors have it registered."""
    return f"{settings.SITE_URL}/return/{slug}/"
