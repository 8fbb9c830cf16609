"""One call bent aside before it leaves us: to a port where nobody listens, to one whose queue is full,
or made by somebody in a hurry. All other calls go where they always go.
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

FULL = 6  # connections that nobody takes: more than fit into a queue of one


@dataclass
class Bend:
    """`change`: fields of the `Api` that the calls of `route` get instead, after `skip` of them."""

    vendor: str = ""
    route: str = ""
    skip: int = 0
    change: dict[str, Any] = field(default_factory=dict)
    struck: int = 0

    def plant(self, vendor: str, route: str, skip: int, **change: Any) -> None:
        self.vendor, self.route, self.skip, self.change = vendor, route, skip, change

    def clear(self) -> None:
        self.change, self.struck = {}, 0

    def of(self, api: Api, method: str, path: str) -> Api:
        where = urlsplit(api.base_url).path.removeprefix(f"/{self.vendor}") + path
        if not self.change or plain(f"{method} {where}") != plain(self.route):
            return api
        if self.skip:
            self.skip -= 1
            return api
        self.struck += 1
        return replace(api, **self.change)


def plain(route: str) -> str:
    """Parameters are named by whoever writes the route."""
    return re.sub(r"\{[^}]*\}", "{}", route)


def install(monkeypatch: pytest.MonkeyPatch, bend: Bend) -> None:
    send, rows = Api.send, Api.rows

    def bent_send(api: Api, method: str, path: str, *given: Any, **more: Any) -> Any:
        return send(bend.of(api, method, path), method, path, *given, **more)

    def bent_rows(api: Api, path: str, *given: Any, **more: Any) -> Any:
        return rows(bend.of(api, "GET", path), path, *given, **more)

    monkeypatch.setattr(Api, "send", bent_send)
    monkeypatch.setattr(Api, "rows", bent_rows)


@contextmanager
def closed_port() -> Iterator[str]:
    """An address where connecting is refused: the port is ours, and nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@contextmanager
def full_port() -> Iterator[str]:
    """An address where connecting takes for ever: the queue is full, and nobody takes from it."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting = [_knock(listening.getsockname()) for _ in range(FULL)]
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        for knocking in waiting:
            knocking.close()


def _knock(address: tuple[str, int]) -> socket.socket:
    knocking = socket.socket()
    knocking.setblocking(False)
    with suppress(BlockingIOError):
        knocking.connect(address)
    return knocking


class Stranger:
    """A server that no setting names: whatever arrives there has gone astray."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.setblocking(False)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/v1/elsewhere"

    def visited(self) -> bool:
        """Connections wait in its queue, answered or not."""
        with suppress(BlockingIOError):
            self._listening.accept()[0].close()
            return True
        return False

    def close(self) -> None:
        self._listening.close()
