"""WSGI entry point for gunicorn: `onboarding.wsgi:application`. Refuses to start with invalid settings."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from io import BytesIO
from wsgiref.types import StartResponse, WSGIEnvironment

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onboarding.settings")

_django = get_wsgi_application()


from . import write_lock  # noqa: E402
from .doctor.start import refuse_to_start  # noqa: E402

refuse_to_start()
write_lock.limit_waiting(max(settings.WEB_THREADS // 2, 1))

_BOUNDARY = re.compile(r"[^;]*multipart/form-data\s*;.*?(boundary=[^;]+)", re.IGNORECASE)


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Django, which gets a Content-Type without parameters and a body of known length."""
    environ["CONTENT_TYPE"] = _content_type(environ.get("CONTENT_TYPE", ""))
    if "HTTP_TRANSFER_ENCODING" in environ:
        _measure_body(environ)
    return _django(environ, start_response)


def _content_type(given: str) -> str:
    """Everything is UTF-8, whatever the parameters name.

    Django looks codecs up while it builds the request, where nobody turns an error into a page.
    """
    kept = _BOUNDARY.match(given)
    return given.partition(";")[0].lower() + (f"; {kept[1]}" if kept else "")


def _measure_body(environ: WSGIEnvironment) -> None:
    """Django takes a body in chunks for an empty one, because it has no Content-Length."""
    most = settings.LONGEST_BODY
    try:
        body = environ["wsgi.input"].read(most + 1)
    except OSError:  # the web server has read no more of a body that is too long
        body = b"x" * (most + 1)
    environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
