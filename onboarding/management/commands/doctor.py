"""`manage.py doctor`: looks at everything an operator has to get right, and says how to mend it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from onboarding.doctor import Finding, examine

WORDS = {"ok": "ok   ", "note": "note ", "fault": "FAULT"}


class Command(BaseCommand):
    help = "Look at settings, database, cache, mail, workers, keys and vendors. Exit status 1: a fault."
    requires_system_checks = ()  # it reports them itself, beside everything else

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help='{"ok": …, "checks": [{id, level, message, fix}]}'
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(self._told(options["json"]))
        well = all(finding.level != "fault" for finding in found)
        if options["json"]:
            checks = [asdict(finding) for finding in found]
            self.stdout.write(json.dumps({"ok": well, "checks": checks}, indent=2))
        if not well:
            sys.exit(1)

    def _told(self, silently: bool) -> Iterator[Finding]:
        """Each at once, for some take a while."""
        for finding in examine():
            if not silently:
                self.stdout.write(f"{WORDS[finding.level]}  {finding.message}")
                if finding.fix:
                    self.stdout.write(f"       → {finding.fix}")
                self.stdout.flush()
            yield finding
