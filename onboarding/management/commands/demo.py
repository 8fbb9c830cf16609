"""`manage.py demo`: fills the catalogue of a demo, and answers for its staff what vendors ask of them."""

from __future__ import annotations

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from onboarding.catalogue import readiness, refresh
from onboarding.models import Connector
from vendors import sandbox
from vendors.contract import Vendor


class Command(BaseCommand):
    help = "Fill the catalogue from the sandboxes, which must be listening. Safe to repeat."

    def handle(self, *args: object, **options: object) -> None:
        if not (settings.SANDBOX and settings.LOOPBACK):
            raise CommandError("The demo needs SANDBOX=1 and a SITE_URL on a loopback address.")
        for vendor in settings.VENDORS.offered.values():
            refresh.refresh_catalogue(vendor)
            _answer(vendor)


def _answer(vendor: Vendor) -> None:
    """What staff of this demo have answered themselves stays."""
    answers = sandbox.demo_options(vendor.slug)
    for key, options in answers.items():
        Connector.objects.filter(vendor=vendor.slug, key=key, options={}).update(options=options)
    readiness.write(vendor.slug, readiness.needed(vendor, answers))
