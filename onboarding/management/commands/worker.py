"""`manage.py worker`: the background worker. Any number of workers may run."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.core.checks import run_checks
from django.core.management.base import BaseCommand

from onboarding.background import runner
from onboarding.background.shutdown import stop_on_signal

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Run the background work until SIGTERM or Ctrl-C."

    def handle(self, *args: object, **options: object) -> None:
        with stop_on_signal() as stop:
            self._report("Worker started")
            if settings.RUNNER == "celery":
                from onboarding.background import celery_transport  # nothing else needs Celery

                celery_transport.work_forever(stop)
            else:
                runner.work_forever(stop)
        self._report("Worker stopped")

    def check(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        """With LOG_FORMAT=json, log warnings as JSON. On an error, the worker does not start."""
        found = run_checks() if settings.LOG_FORMAT == "json" else []
        if not found or any(message.is_serious() for message in found):
            super().check(*args, **options)
            return
        for message in found:
            log.warning("%s (%s)", message.msg, message.id)

    def _report(self, words: str) -> None:
        if settings.LOG_FORMAT == "json":
            log.info(words)
        else:
            self.stdout.write(words)
            self.stdout.flush()
