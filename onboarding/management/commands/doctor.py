"""`manage.py doctor`: which vendors are offered, what is still missing, what is wrong."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.checks import WARNING, run_checks
from django.core.management.base import BaseCommand

import vendors
from vendors.contract import Vendor


class Command(BaseCommand):
    help = "Say of each vendor whether it is offered and what is missing. Exit status 1: a fault."
    requires_system_checks = ()  # it reports them itself, beside everything else

    def handle(self, *args: Any, **options: Any) -> None:
        found = [message for message in run_checks() if message.level >= WARNING]
        for message in found:
            word = "FAULT" if message.is_serious() else "note "
            self.stdout.write(f"{word}  {message.msg} ({message.id})")
        for vendor in vendors.ALL:
            self.stdout.write("\n".join(about(vendor)))
        if any(message.is_serious() for message in found):
            sys.exit(1)


def about(vendor: type[Vendor]) -> list[str]:
    """The lines on one vendor: offered or what is missing, and its return address."""
    missing = settings.VENDORS.missing.get(vendor.slug, ())
    if vendor.slug in settings.VENDORS.offered:
        state = "offered"
    else:
        state = f"not offered; still to be set: {', '.join(missing)}" if missing else "not offered"
    address = f"{settings.SITE_URL}/return/{vendor.slug}/"
    return [f"{vendor.name}: {state}", f"    return address {address}"]
