"""Refreshes the catalogue from what a vendor offers."""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from onboarding.availability import breaker
from onboarding.models import Connector, Slot
from vendors.contract import Entry, Vendor, VendorError

from . import readiness

log = logging.getLogger(__name__)


def refresh_soon(vendor: Vendor) -> None:
    """Something was changed there: the next sweep looks, not the next hour's."""
    Slot.objects.filter(key__startswith=f"catalogue:{vendor.slug}:").delete()


def refresh_catalogue(vendor: Vendor) -> None:
    """Write what the vendor offers; what staff set stays, what vanished is marked as gone."""
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
            gone=timezone.now()
        )
        readiness.write(vendor.slug, needed)


def _refresh(vendor: str, entry: Entry) -> None:
    theirs = {
        "vendor_name": entry.name,
        "platform": entry.platform,
        "category": entry.category,
        "description": entry.description,
        "gone": None,
    }
    first = {"slug": slugify(f"{vendor}-{entry.key}"), "position": entry.position}
    Connector.objects.update_or_create(
        vendor=vendor,
        key=entry.key,
        staff_made=False,
        defaults=theirs,
        create_defaults={**theirs, **first},
    )
