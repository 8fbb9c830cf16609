"""WSGI entry point for gunicorn: `onboarding.wsgi:application`. Refuses to start with invalid settings."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onboarding.settings")

application = get_wsgi_application()

from .doctor.start import refuse_to_start  # noqa: E402  (needs Django set up)

refuse_to_start()
