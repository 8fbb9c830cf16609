"""The frame of the sandboxes: our imitation of the vendors on localhost, over real HTTP.

A vendor's `sandbox` declares its routes on an `Imitation` and says in `environ(base_url)` with
which settings Gangway finds it; each is mounted below `/<slug>/`. A person chooses a case on the
vendor's own pages or on the front page; a test plants faults (`Stage.fault`, or `/_control/fault`).
"""

from __future__ import annotations

import importlib
import logging
import socket
import struct
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from .control import control
from .http import (
    CASE_BUTTONS,
    Answer,
    Html,
    Imitation,
    Refused,
    Request,
    join,
    markup,
    page,
    plain_refusal,
    redirect,
    reply,
)
from .stage import Stage
from .state import Row, Store

__all__ = [
    "CASE_BUTTONS",
    "Answer",
    "Html",
    "Imitation",
    "Refused",
    "Request",
    "Row",
    "Running",
    "Store",
    "environ",
    "join",
    "markup",
    "page",
    "redirect",
    "reply",
    "serve",
    "slugs",
    "start",
]

log = logging.getLogger(__name__)

LARGEST_BODY = 1_000_000
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def slugs() -> tuple[str, ...]:
    """The vendors that have a sandbox: the folders beside ours with a module of that name."""
    folders = Path(__file__).parent.parent.iterdir()
    return tuple(sorted(folder.name for folder in folders if any(folder.glob("sandbox*"))))


def environ(base_url: str, *vendors: str) -> dict[str, str]:
    """The settings that point Gangway at the sandbox of these vendors (default: all)."""
    settings: dict[str, str] = {}
    for slug in vendors or slugs():
        settings |= _module(slug).environ(base_url.rstrip("/"))
    return settings


def serve(host: str, port: int, data_dir: str | Path, vendors: Sequence[str] = ()) -> None:
    """Serve the sandboxes until interrupted; their state is kept below `data_dir`."""
    running = Running(data_dir, host, port, vendors)
    try:
        running.run(poll_interval=0.5)
    except KeyboardInterrupt:
        log.info("sandbox stopped")
    finally:
        running.close()


def start(
    data_dir: str | Path, host: str = "127.0.0.1", port: int = 0, vendors: Sequence[str] = ()
) -> Running:
    """Serve the sandboxes from a thread; port 0 takes a free one."""
    running = Running(data_dir, host, port, vendors)
    running.thread.start()
    return running


class Running(Stage):
    """A listening sandbox. What a test needs is in Stage: fault, arrived, release, counts …"""

    def __init__(
        self, data_dir: str | Path, host: str, port: int, vendors: Sequence[str] = ()
    ) -> None:
        super().__init__(data_dir, [_module(slug).sandbox for slug in vendors or slugs()])
        self._server = Server((host, port), self)
        self.url = f"http://{host}:{self._server.server_port}"
        self.thread = threading.Thread(target=self.run, name="sandbox", daemon=True)

    def run(self, poll_interval: float = 0.005) -> None:
        self._server.serve_forever(poll_interval)

    def stop(self) -> None:
        """Let waiting requests go, stop listening, close the state."""
        self._server.shutdown()
        self.thread.join()
        self.close()

    def close(self) -> None:
        self._server.server_close()
        super().close()
        self._server.hang_up()


def _module(slug: str) -> Any:
    return importlib.import_module(f"vendors.{slug}.sandbox")


class Server(ThreadingHTTPServer):
    request_queue_size = 256
    # Threads of kept connections must not keep a stopped server alive.
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], stage: Stage) -> None:
        self.stage = stage
        self._open: set[socket.socket] = set()
        super().__init__(address, Conversation)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error; everything else is logged with its traceback."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            log.exception("the sandbox failed")

    def hang_up(self) -> None:
        """Close the connections that clients kept, or they would be answered after the end."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Conversation(BaseHTTPRequestHandler):
    """One connection of a client."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "gangway-sandbox"
    sys_version = ""
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        with self.server.stage.visit():
            self._converse()

    # The names that http.server looks for.
    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815

    def _converse(self) -> None:
        began = time.monotonic()
        try:
            request = self._read()
        except Refused as no:
            self.close_connection = True
            self._send(plain_refusal(no.status, no.message))
            return
        name, answer = self._answer(request)
        self._send(answer)
        spent = (time.monotonic() - began) * 1000
        log.info("%s %s %d %s %.0f ms", request.method, name, answer.status, answer.manner, spent)

    def _answer(self, request: Request) -> tuple[str, Answer]:
        origin = request.headers.get("origin", request.origin)
        if request.method == "POST" and origin != request.origin:
            return "-", plain_refusal(403, "This form was sent from another site.")
        own = control(self.server.stage, request)
        if own is not None:
            return request.path, own
        return self.server.stage.perform(request)

    def _read(self) -> Request:
        if self.request_version != "HTTP/1.1":
            raise Refused(505, "Only HTTP/1.1 is spoken here.")
        if "Transfer-Encoding" in self.headers:
            raise Refused(411, "A body needs a Content-Length.")
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            raise Refused(413, "The body is too large.")
        headers = {name.lower(): value for name, value in self.headers.items()}
        path, _, query = self.path.partition("?")
        return Request(self.command, path, query, headers, self.rfile.read(int(length)))

    def _send(self, answer: Answer) -> None:
        try:
            if answer.manner == "reset":
                self._reset()
            elif answer.manner == "drip":
                self._drip(self._bytes(answer), answer.interval)
            else:
                self.wfile.write(self._bytes(answer))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _bytes(self, answer: Answer) -> bytes:
        headers = {"Date": self.date_time_string()} | PAGE_HEADERS | answer.headers
        headers["Content-Length"] = str(len(answer.body))
        if answer.manner == "truncated":
            self.close_connection = True
        if self.close_connection:
            headers["Connection"] = "close"
        lines = [f"HTTP/1.1 {answer.status} {self.responses.get(answer.status, ('',))[0]}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a header with a line break")
        head = "\r\n".join([*lines, "", ""]).encode()
        body = b"" if self.command == "HEAD" else answer.body
        if answer.manner != "truncated":
            return head + body
        # Without a body it ends within its first line: what came would else be a whole answer.
        return head + body[: len(body) // 2] if body else head[: len("HTTP/1.1")]

    def _reset(self) -> None:
        # With a linger of nothing, close sends RST instead of FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _drip(self, data: bytes, interval: float) -> None:
        for position in range(len(data)):
            self.wfile.write(data[position : position + 1])
            self.server.stage.faults.rest(interval)

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the text would hold the path with its query; `_serve` logs the route's name."""
