"""`manage.py worker`: the background worker. Any number of workers may run."""

from __future__ import annotations

import logging

from django.conf import settings
from django.core.management.base import BaseCommand

from onboarding.background import worker
from onboarding.background.shutdown import stop_on_signal
from onboarding.doctor import start

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Run the background work until SIGTERM or Ctrl-C."
    requires_system_checks = ()  # `start` runs them, and writes a line of the log for each message

    def handle(self, *args: object, **options: object) -> None:
        start.refuse_to_start(warn=True)
        with stop_on_signal() as stop:
            self._report("Worker started")
            worker.work_forever(stop)
        self._report("Worker stopped")

    def _report(self, words: str) -> None:
        if settings.LOG_FORMAT == "json":
            log.info(words)
        else:
            self.stdout.write(words)
            self.stdout.flush()
