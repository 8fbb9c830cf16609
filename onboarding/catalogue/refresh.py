"""Catalogue refresh: copies the list of connectors that a vendor offers into `Connector` rows."""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils.text import slugify

from onboarding import clock
from onboarding.availability import breaker
from onboarding.models import Connector, Slot
from vendors.contract import Entry, Vendor, VendorError

from . import readiness

log = logging.getLogger(__name__)


def refresh_soon(vendor: Vendor) -> None:
    """Have the next sweep refresh the catalogue, not the next full hour."""
    Slot.objects.filter(key__startswith=f"catalogue:{vendor.slug}:").delete()


def refresh_catalogue(vendor: Vendor) -> None:
    """Write what the vendor offers. What staff set stays; connectors that vanished are marked as gone.

    An error of the vendor is logged, and the catalogue stays as it is.
    """
    try:
        with breaker.guard(vendor.slug, seconds=breaker.LONG_STEP_SECONDS):
            entries = vendor.connectors()
            needed = readiness.needed(vendor, [entry.key for entry in entries])
    except VendorError as error:
        log.warning("%s connectors: %s %s", vendor.slug, type(error).__name__, error.detail)
        return
    with transaction.atomic():
        for entry in entries:
            _refresh(vendor.slug, entry)
        gone = Connector.objects.filter(vendor=vendor.slug, gone=None)
        gone.exclude(key__in=[entry.key for entry in entries]).exclude(staff_made=True).update(
            gone=clock.now()
        )
        readiness.write(vendor.slug, needed)


def _refresh(vendor: str, entry: Entry) -> None:
    from_vendor = {
        "vendor_name": entry.name,
        "platform": entry.platform,
        "category": entry.category,
        "description": entry.description,
        "takes_any": entry.any_shop,
        "gone": None,
    }
    when_new = {"slug": slugify(f"{vendor}-{entry.key}"), "position": entry.position}
    Connector.objects.update_or_create(
        vendor=vendor,
        key=entry.key,
        staff_made=False,
        defaults=from_vendor,
        create_defaults={**from_vendor, **when_new},
    )
