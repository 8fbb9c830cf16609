"""Fault injection in our client: one call goes to a closed port or to one whose queue is full, or gets a
short time-out. All other calls are unchanged.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from vendors.http.api import Api

FULL = 6  # connections that are never accepted: more than fit into a queue of one


@dataclass
class ClientFault:
    """`change`: fields of the `Api` that are replaced for calls of `route`, after the first `skip`."""

    vendor: str = ""
    route: str = ""
    skip: int = 0
    change: dict[str, Any] = field(default_factory=dict)
    hits: int = 0

    def inject(self, vendor: str, route: str, skip: int, **change: Any) -> None:
        self.vendor, self.route, self.skip, self.change = vendor, route, skip, change

    def clear(self) -> None:
        self.change, self.hits = {}, 0

    def applied_to(self, api: Api, method: str, path: str) -> Api:
        where = urlsplit(api.base_url).path.removeprefix(f"/{self.vendor}") + path
        if not self.change or plain(f"{method} {where}") != plain(self.route):
            return api
        if self.skip:
            self.skip -= 1
            return api
        self.hits += 1
        return replace(api, **self.change)


def plain(route: str) -> str:
    """The route without the names of its parameters, which client and sandbox choose freely."""
    return re.sub(r"\{[^}]*\}", "{}", route)


def install(monkeypatch: pytest.MonkeyPatch, client_fault: ClientFault) -> None:
    send, rows = Api.send, Api.rows

    def faulty_send(api: Api, method: str, path: str, *given: Any, **more: Any) -> Any:
        return send(client_fault.applied_to(api, method, path), method, path, *given, **more)

    def faulty_rows(api: Api, path: str, *given: Any, **more: Any) -> Any:
        return rows(client_fault.applied_to(api, "GET", path), path, *given, **more)

    monkeypatch.setattr(Api, "send", faulty_send)
    monkeypatch.setattr(Api, "rows", faulty_rows)


@contextmanager
def closed_port() -> Iterator[str]:
    """A URL at which connections are refused: the port is bound, but not listening."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@contextmanager
def full_port() -> Iterator[str]:
    """A URL at which connecting never ends: the queue is full, and nothing accepts from it."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting = [_connect(listening.getsockname()) for _ in range(FULL)]
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        for connecting in waiting:
            connecting.close()


def _connect(address: tuple[str, int]) -> socket.socket:
    connecting = socket.socket()
    connecting.setblocking(False)
    with suppress(BlockingIOError):
        connecting.connect(address)
    return connecting


class UnexpectedHost:
    """A server that no setting names: nothing may ever connect to it."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.setblocking(False)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/v1/elsewhere"

    def was_contacted(self) -> bool:
        """Whether a connection waits in its queue."""
        with suppress(BlockingIOError):
            self._listening.accept()[0].close()
            return True
        return False

    def close(self) -> None:
        self._listening.close()
