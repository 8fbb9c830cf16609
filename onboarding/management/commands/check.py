"""`manage.py check`: Django's own, and here also the database, MEMO_KEYS, Redis and the mail server."""

from __future__ import annotations

from typing import Any

from django.core.checks import run_checks
from django.core.management.base import SystemCheckError
from django.core.management.commands import check

from onboarding.doctor import start


class Command(check.Command):
    def check(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        """Not for a part of the checks (`check onboarding`, `check --tag security`)."""
        everything = not (options.get("app_configs") or options.get("tags"))
        settings_are_fine = not any(message.is_serious() for message in run_checks())
        if everything and settings_are_fine and (faults := list(start.faults())):
            lines = ["System check identified some issues:", "", "ERRORS:", *map(str, faults)]
            raise SystemCheckError("\n".join(lines))
        super().check(*args, **options)
        if everything:
            for message in start.services():  # the site starts without them
                self.stderr.write(self.style.WARNING(str(message)))
