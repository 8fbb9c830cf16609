"""HTTP server of the sandboxes: Werkzeug's, with keep-alive connections and wire faults."""

from __future__ import annotations

import io
import logging
import socket
import struct
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from .application import Application
from .http import Refused, Request, Response, error_response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = logging.getLogger(__name__)

LARGEST_BODY = 1_000_000
Connection = socket.socket | tuple[bytes, socket.socket]  # socketserver's type of a request


class Server(ThreadedWSGIServer):
    """Serves each connection in its own thread, and can close all connections."""

    request_queue_size = 256
    # Threads of keep-alive connections must not prevent the server from stopping.
    block_on_close = False

    app: Application

    def __init__(self, host: str, port: int, app: Application) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(host, port, app, Handler)

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Connection) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Connection, client_address: object) -> None:
        """Log the traceback. A client that went away is no error: Werkzeug leaves that out."""
        log.exception("the sandbox failed")

    def close_connections(self) -> None:
        """Close keep-alive connections: a client must not get replies from a stopped server."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Handler(WSGIRequestHandler):
    """Handles the requests of one connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        """Handle one request. Werkzeug's own method closes the connection after each response."""
        with self.server.app.sandboxes.busy():
            environ = self.make_environ()
            self._send(environ, self._respond(environ))

    def _respond(self, environ: WSGIEnvironment) -> Response:
        try:
            environ["wsgi.input"] = io.BytesIO(self._body())
        except Refused as no:
            self.close_connection = True
            return error_response(no.code, no.description)
        return self.server.app.respond(Request(environ))

    def _body(self) -> bytes:
        """The whole body, so that the next request on this connection begins after it."""
        if self.request_version != "HTTP/1.1":
            raise Refused(505, "Only HTTP/1.1 is spoken here.")
        if "Transfer-Encoding" in self.headers:
            raise Refused(411, "A body needs a Content-Length.")
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            raise Refused(413, "The body is too large.")
        return self.rfile.read(int(length))

    def _send(self, environ: WSGIEnvironment, response: Response) -> None:
        chunks, status, headers = response.get_wsgi_response(environ)
        body = b"".join(chunks)
        match response.wire_fault:
            case "reset":
                self._reset()
            case "truncated":
                self.close_connection = True
                self.wfile.write(_truncated(self._head(status, headers), body))
            case "drip":
                self._drip(self._head(status, headers) + body, response.interval)
            case _:
                self.wfile.write(self._head(status, headers) + body)

    def _head(self, status: str, headers: Iterable[tuple[str, str]]) -> bytes:
        lines = [f"HTTP/1.1 {status}", f"Date: {self.date_time_string()}"]
        lines += [f"{name}: {value}" for name, value in headers]
        lines += ["Connection: close"] if self.close_connection else []
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _reset(self) -> None:
        # With SO_LINGER 0, close sends RST instead of FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _drip(self, data: bytes, interval: float) -> None:
        for position in range(len(data)):
            self.wfile.write(data[position : position + 1])
            self.server.app.sandboxes.faults.sleep(interval)

    def log(self, type: str, message: str, *args: object) -> None:
        """Log nothing: the text would contain path and query. `Application` logs the route's name."""


def _truncated(head: bytes, body: bytes) -> bytes:
    """Half of the body. Without a body, half of the first line: the head would be a response."""
    return head + body[: len(body) // 2] if body else head[: len("HTTP/1.1")]
