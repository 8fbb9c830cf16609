"""WSGI application of the sandboxes: the vendors' routes, the control API and the front page."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .control import control
from .dispatch import Sandboxes
from .http import Request, Response, error_response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class Application:
    """The sandboxes as a WSGI application.

    Our own server calls `respond`, because a WSGI response cannot carry a wire fault.
    """

    def __init__(self, sandboxes: Sandboxes) -> None:
        self.sandboxes = sandboxes

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self.respond(Request(environ))(environ, start_response)

    def respond(self, request: Request) -> Response:
        """The response to any request. The log has the route but not the path, which may contain secrets."""
        began = time.monotonic()
        name, response = self._dispatch(request)
        for header, value in HEADERS.items():
            response.headers.setdefault(header, value)
        spent = (time.monotonic() - began) * 1000
        sent = response.wire_fault or "whole"
        log.info("%s %s %d %s %.0f ms", request.method, name, response.status_code, sent, spent)
        return response

    def _dispatch(self, request: Request) -> tuple[str, Response]:
        if request.method == "POST" and request.is_cross_site():
            return "-", error_response(403, "This form was sent from another site.")
        return self.sandboxes.dispatch(request) or control(self.sandboxes, request)
