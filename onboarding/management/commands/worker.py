"""`manage.py worker`: does what is due when no merchant is waiting. Any number may run."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from onboarding import runner
from onboarding.signals import stop_on_signal


class Command(BaseCommand):
    help = "Run the background work until SIGTERM or Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        with stop_on_signal() as stop:
            self.stdout.write("Worker started")
            self.stdout.flush()
            runner.work_forever(stop)
        self.stdout.write("Worker stopped")
