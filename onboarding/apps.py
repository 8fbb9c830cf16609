"""Django app config: signal receivers, system checks and observers, connected once in each process."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.core.signals import request_finished

from vendors.http import call_context


class OnboardingConfig(AppConfig):
    name = "onboarding"
    verbose_name = "Gangway"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import clock, journey
        from .availability import host_state
        from .background import runner
        from .conf import checks  # noqa: F401  (registers the system checks)
        from .monitoring import logs
        from .people import allauth_clock, allauth_limits, signals

        call_context.use_clock(clock.now)
        allauth_clock.install()
        allauth_limits.install()
        signals.connect()
        host_state.recovered.connect(journey.wake_after_outage, dispatch_uid="wake-after-outage")
        host_state.doubted.connect(runner.probe_at_once, dispatch_uid="probe-at-once")
        host_state.trial_wanted.connect(journey.wake_for_trial, dispatch_uid="wake-for-trial")
        request_finished.connect(logs.forget_reference, dispatch_uid="forget-reference")
        if settings.LOG_FORMAT == "json":
            logs.log_warnings_and_crashes()
        if settings.METRICS and not settings.DATA_DIR_FAULT:
            # prometheus_client is loaded only where METRICS asks for it.
            from .monitoring import counters, security_log

            call_context.observers.append(counters.observe)
            security_log.observers.append(counters.count_event)
