"""Clients that hold connections open, or send too much. Bounded in count and time; only this machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: slow\r\n"
WHOLE = HEAD + b"\r\n"
LIVE = WHOLE.replace(b"GET / ", b"GET /health/live ")
FORM = (
    b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n"
)
BODY = FORM + b"Content-Length: 20000\r\n\r\nemail="
CHUNKED = FORM + b"Transfer-Encoding: chunked\r\n\r\n4e20\r\nemail="
# The largest file that the site serves; Django's admin brings it along.
FILE = b"GET /static/admin/js/vendor/xregexp/xregexp.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
CLOSING = HEAD + b"Connection: close\r\n\r\n"


@dataclass(frozen=True)
class Attack:
    """What every connection sends at once, and what it adds each second. `reads`: it takes the answer."""

    at_once: bytes
    each_second: bytes = b""
    count: int = 50
    reads: bool = False


ATTACKS = {
    "heads that trickle": Attack(HEAD, b"X"),
    "bodies that trickle": Attack(BODY, b"x"),
    "chunked bodies that trickle": Attack(CHUNKED, b"x"),
    "connected and silent": Attack(b""),
    "answers that nobody reads": Attack(FILE * 20),
    "closing clients that stay": Attack(CLOSING),
    "200 idle connections": Attack(WHOLE, count=200, reads=True),
    "500 at once": Attack(LIVE, count=500, reads=True),
}


@dataclass(frozen=True)
class Upload:
    """A form, which a few clients send again and again: its type, and a piece that is repeated."""

    content_type: str
    piece: bytes
    pieces: int
    clients: int = 4
    start: bytes = b""

    def pour(self, client: socket.socket) -> None:
        length = len(self.start) + len(self.piece) * self.pieces
        head = "POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        head += f"Cookie: gangway_csrf={'t' * 32}\r\n"  # so that the CSRF check reads the form
        head += f"Content-Type: {self.content_type}\r\nContent-Length: {length}\r\n\r\n"
        client.sendall(head.encode() + self.start)
        for _ in range(self.pieces):
            client.sendall(self.piece)


URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
FILE_PART = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
UPLOADS = {
    "a form of 20 MB": Upload(URLENCODED, b"x" * 100_000, 200, start=b"email="),
    "a file of 400 MB": Upload(MULTIPART, b"x" * 1_000_000, 400, clients=2, start=FILE_PART),
    "20,000 fields": Upload(URLENCODED, b"field=1&" * 100, 200),
}


@contextmanager
def under_uploads(upload: Upload, port: int) -> Iterator[None]:
    """The block runs while these clients send."""
    over = threading.Event()

    def send() -> None:
        while not over.is_set():
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 30) as client:
                upload.pour(client)
                client.recv(1000)

    threads = [threading.Thread(target=send, daemon=True) for _ in range(upload.clients)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def connected(port: int) -> socket.socket:
    """A connection with a receive buffer that is as small as the kernel makes it."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    made.settimeout(5)
    made.connect(("127.0.0.1", port))
    made.setblocking(False)
    return made


@contextmanager
def under(attack: Attack, port: int) -> Iterator[Callable[[], int]]:
    """The block runs while the attack does. It gets a function: how many connections are still open."""
    clients: list[socket.socket] = []
    over = threading.Event()

    def connect() -> None:
        with suppress(OSError):
            clients.append(client := connected(port))
            client.send(attack.at_once)

    def trickle() -> None:
        for _ in range(attack.count):
            connect()
        while not over.wait(1):
            for client in clients:
                with suppress(OSError):
                    client.send(attack.each_second)
                    if attack.reads:
                        client.recv(65_536)

    thread = threading.Thread(target=trickle, daemon=True)
    thread.start()
    try:
        yield lambda: sum(_is_open(client) for client in clients)
    finally:
        over.set()
        thread.join()
        for client in clients:
            client.close()


def _is_open(client: socket.socket) -> bool:
    try:
        return client.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
