"""Clients that hold connections open. Bounded in count and time, and only against this machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: slow\r\n"
WHOLE = HEAD + b"\r\n"
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
    "500 at once": Attack(WHOLE, count=500, reads=True),
}


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
