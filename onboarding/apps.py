"""The site as a Django app."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.signals import request_finished


class OnboardingConfig(AppConfig):
    name = "onboarding"
    verbose_name = "Gangway"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks, middleware  # noqa: F401  (registers the system checks)

        request_finished.connect(middleware.forget, dispatch_uid="forget-reference")
