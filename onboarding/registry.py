"""Which vendors are offered, what they are called, and where they send merchants back to."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings

from vendors.contract import Vendor


def vendor_of(slug: str) -> Vendor | None:
    """The vendor, if it is offered: rows outlive vendors."""
    offered: Mapping[str, Vendor] = settings.VENDORS.offered
    return offered.get(slug)


def vendor_name(slug: str) -> str:
    """The vendor's name, also when it is switched off."""
    vendor = vendor_of(slug)
    return vendor.name if vendor else slug.replace("-", " ").title()


def return_address(slug: str) -> str:
    """One constant address for each vendor; itembase wants it registered."""
    return f"{settings.SITE_URL}/return/{slug}/"
