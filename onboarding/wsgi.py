"""WSGI entry point for gunicorn: `onboarding.wsgi:application`. Refuses to start with invalid settings."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onboarding.settings")

_django = get_wsgi_application()

from django.conf import settings  # noqa: E402  (needs Django set up)

from . import write_lock  # noqa: E402
from .doctor.start import refuse_to_start  # noqa: E402

refuse_to_start()
write_lock.limit_waiting(max(settings.WEB_THREADS // 2, 1))

_BOUNDARY = re.compile(r"[^;]*multipart/form-data\s*;.*?(boundary=[^;]+)", re.IGNORECASE)


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Django, without the parameters of a Content-Type: everything is UTF-8, whatever that names.

    Django looks codecs up while it builds the request, where nobody turns an error into a page.
    """
    given = environ.get("CONTENT_TYPE", "")
    kept = _BOUNDARY.match(given)
    environ["CONTENT_TYPE"] = given.partition(";")[0].lower() + (f"; {kept[1]}" if kept else "")
    return _django(environ, start_response)
