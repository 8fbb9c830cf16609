"""`manage.py doctor`: diagnoses the installation, and says how to fix each fault."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from json import dumps

from django.core.management.base import BaseCommand, CommandParser

from onboarding.doctor import Finding, examine

WORDS = {"ok": "ok   ", "note": "note ", "fault": "FAULT"}


class Command(BaseCommand):
    help = (
        "Check settings, database, cache, mail, workers, keys and vendors. Exit status 1: a fault."
    )
    requires_system_checks = ()  # `examine` runs them and reports their messages as findings

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help='{"ok": …, "checks": [{id, level, message, fix}]}'
        )

    def handle(self, *args: object, json: bool, **options: object) -> None:
        found = list(self._findings(show=not json))
        ok = all(finding.level != "fault" for finding in found)
        if json:
            checks = [asdict(finding) for finding in found]
            self.stdout.write(dumps({"ok": ok, "checks": checks}, indent=2))
        if not ok:
            sys.exit(1)

    def _findings(self, show: bool) -> Iterator[Finding]:
        """Run all checks. `show`: print each finding as soon as it is there, because some take a while."""
        for finding in examine():
            if show:
                self.stdout.write(f"{WORDS[finding.level]}  {finding.message}")
                if finding.fix:
                    self.stdout.write(f"       → {finding.fix}")
                self.stdout.flush()
            yield finding
