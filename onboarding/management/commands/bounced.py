"""`manage.py bounced <address> …`: these addresses do not exist, as the mail provider tells by a bounce.

We read no mailbox. A mail provider reports bounces to a webhook or a log; whatever reads that calls this
command. From then on the address gets nothing but codes, and the person reads so on their next page.
With `--works`, the addresses work again.

Exit status: 0 noted; 2 one is no address of a person here.
"""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError, CommandParser

from onboarding.models import RefusedAddress
from onboarding.notifications import refused_addresses


class Command(BaseCommand):
    help = "Note addresses that a mail provider has reported as bounced: we no longer mail them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("addresses", nargs="+", metavar="address")
        parser.add_argument("--works", action="store_true", help="they work again")

    def handle(
        self, *args: object, addresses: list[str], works: bool = False, **options: object
    ) -> None:
        change = self._works if works else self._bounced
        unknown = [each for each in addresses if not change(each)]
        if unknown:
            said = "not noted, because nobody here has confirmed it: "
            raise CommandError(said + ", ".join(unknown), returncode=2)

    def _bounced(self, address: str) -> bool:
        found = refused_addresses.note(address, refused_addresses.BOUNCED)
        if found:
            self.stdout.write(f"{address}: no longer mailed.")
        return bool(found)

    def _works(self, address: str) -> bool:
        rows = RefusedAddress.objects.filter(email=address.lower())
        if found := rows.delete()[0]:
            self.stdout.write(f"{address}: mailed again.")
        return bool(found)
