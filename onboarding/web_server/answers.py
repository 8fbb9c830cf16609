"""What the web server itself answers, beside the site: pages for requests that cannot be read.

gunicorn decides the status. Its own answers are bare, quote the request and name the server.
"""

from __future__ import annotations

from gunicorn import util
from gunicorn.http import wsgi

from .connection import Outgoing

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Response(wsgi.Response):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's response, without the name of the server."""

    def can_sendfile(self) -> bool:
        """The kernel would send a file to the socket itself, and block."""
        return False

    def default_headers(self) -> list[str]:
        return [line for line in super().default_headers() if not line.startswith("Server:")]


def write_error(sock: Outgoing, status: int, reason: str, message: str) -> None:
    """Answer with a page of the site. `message` quotes the request, so it stays in the log."""
    # The site is loaded after gunicorn has read its configuration, of which this module is a part.
    from onboarding.views import errors

    page = errors.unread(status)
    head = [
        f"HTTP/1.1 {status} {reason}",
        f"Date: {util.http_date()}",
        "Connection: close",
        f"Content-Length: {len(page.content)}",
        *(f"{name}: {value}" for name, value in page.items()),
    ]
    sock.sendall("\r\n".join([*head, "", ""]).encode("latin-1") + page.content)


def install() -> None:
    """Make gunicorn use these; it has no setting for them."""
    wsgi.Response = Response
    util.write_error = write_error
