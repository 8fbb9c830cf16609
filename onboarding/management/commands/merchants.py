"""`manage.py merchants export|erase <reference>`: what is held about a business, as a file; and closing it.

Exit status: 0 done or begun, also if it was before; 1 not confirmed; 2 unknown reference or arguments.
"""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError, CommandParser

from onboarding.models import Merchant, SecurityEvent
from onboarding.monitoring import security_log
from onboarding.rights import closing, export, files


class Command(BaseCommand):
    help = "Export what is held about a business as JSON, or close and erase it."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        exporting = actions.add_parser("export", help="what is held, as JSON")
        exporting.add_argument("reference")
        exporting.add_argument("--output", help="a file that its owner alone can read")
        erasing = actions.add_parser("erase", help="close the business; asks before it does")
        erasing.add_argument("reference")
        erasing.add_argument("--dry-run", action="store_true", help="say what would happen")
        erasing.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: object, action: str, reference: str, **options: object) -> None:
        merchant = Merchant.objects.filter(reference=reference).first()
        if merchant is None:
            raise CommandError(f"no merchant has the reference {reference}", returncode=2)
        if action == "export":
            self._export(merchant, str(options["output"] or ""))
            return
        self._say(merchant)
        if merchant.closing_since or options["dry_run"]:
            self.stdout.write("Nothing was changed.")
        elif options["yes"] or files.confirmed(f"Close “{merchant}”? This cannot be undone."):
            closing.begin(merchant)
            self.stdout.write("It is being closed: the worker does the rest.")
        else:
            raise CommandError("Nothing was changed.", returncode=1)

    def _export(self, merchant: Merchant, output: str) -> None:
        kind = SecurityEvent.Kind.DATA_EXPORTED
        security_log.record(kind, merchant=merchant, detail="business, command")
        files.write(export.business(merchant), output, self.stdout)

    def _say(self, merchant: Merchant) -> None:
        left = closing.progress(merchant)
        state = "closed" if merchant.closed_at else "closing" if merchant.closing_since else "open"
        members = merchant.memberships.count()
        self.stdout.write(
            f"{merchant} ({merchant.reference}), {state}: {left.shops} shops to disconnect,"
            f" {left.tasks} tasks of staff, {members} members who lose access"
        )
