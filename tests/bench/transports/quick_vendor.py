"""The vendor of the engine's bench: answers checks from memory, and counts how often each shop is asked.

    python -m tests.bench.transports.quick_vendor <port>

It stands for Capillary, whose check is one GET of the shop's client. Our sandbox would cost more CPU than
the engine that asks it. It keeps connections open, and answers after a delay that the bench sets:

    GET /v3/integrations/clients/<key>    Capillary's "Get Client Details": the client is valid
    GET /bench/begin?ms=<delay>           forgets all counts
    GET /bench/asked                      {"calls": in all, "shops": different ones, "twice": more than once}
    GET /bench/first?key=<key>            {"at": POSIX seconds of its first call, or null}
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from tests.support.site import ROOT, free_port, wait_until

CLIENTS = "/v3/integrations/clients/"
KEY = "client-{}"  # of the shop with this number
END_OF_HEAD = b"\r\n\r\n"
Json = dict[str, object]


def environ(url: str) -> dict[str, str]:
    """The settings that point Gangway at this vendor: Basic, so that no token has to be renewed."""
    return {
        "CAPILLARY_API_URL": url,
        "CAPILLARY_AUTH": "basic",
        "CAPILLARY_USERNAME": "till",
        "CAPILLARY_PASSWORD": "password",
        "CAPILLARY_TILL_ID": "75030000",
    }


# -- the process -----------------------------------------------------------------------------------


@dataclass
class Counts:
    """How often each client was asked for, and when first. `delay`: seconds until an answer."""

    delay: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    first: dict[str, float] = field(default_factory=dict)

    def count(self, key: str) -> None:
        self.calls[key] += 1
        self.first.setdefault(key, time.time())

    def begin(self, delay: float) -> None:
        self.delay = delay
        self.calls.clear()
        self.first.clear()

    def asked(self) -> Json:
        twice = sum(times > 1 for times in self.calls.values())
        return {"calls": self.calls.total(), "shops": len(self.calls), "twice": twice}


def client_details(key: str) -> Json:
    till = {"id": 75030000, "code": "till", "description": "", "name": "till", "type": "TILL"}
    created = "2020-04-15T14:14:06.104+0530"
    return {
        "data": {
            "id": 880,
            "attribution": {
                "createdOn": created,
                "lastUpdatedOn": created,
                "lastUpdatedBy": till,
                "createdBy": till,
            },
            "name": "A shop",
            "clientKey": key,
            "isValid": True,
            "description": "",
            "expirationTokenTime": 3600,
            "defaultTillId": 75030000,
            "scopes": [{"permission": "READWRITE", "entityId": 2}],
        },
        "errors": None,
    }


class Conversation(asyncio.Protocol):
    """One kept-alive connection: requests without a body, one after the other."""

    transport: asyncio.Transport

    def __init__(self, counts: Counts) -> None:
        self._counts, self._received = counts, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while END_OF_HEAD in self._received:
            head, _, self._received = self._received.partition(END_OF_HEAD)
            self._answer(head.split(b" ", 2)[1].decode())

    def _answer(self, target: str) -> None:
        if not target.startswith(CLIENTS):
            self._send(self._control(target))
            return
        key = target.removeprefix(CLIENTS)
        self._counts.count(key)
        if self._counts.delay:
            loop = asyncio.get_running_loop()
            loop.call_later(self._counts.delay, self._send, client_details(key))
        else:
            self._send(client_details(key))

    def _control(self, target: str) -> Json:
        parts = urlsplit(target)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/bench/begin":
            self._counts.begin(float(asked["ms"]) / 1000)
        if parts.path == "/bench/first":
            return {"at": self._counts.first.get(asked["key"])}
        return self._counts.asked()

    def _send(self, answer: Json) -> None:
        body = json.dumps(answer).encode()
        head = (
            f"HTTP/1.1 200 OK\r\nDate: {formatdate(usegmt=True)}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)


async def serve(port: int) -> None:
    counts = Counts()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Conversation(counts), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


# -- what the bench sees of it ---------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """`calls` in all, about so many `shops`, of which some were asked `twice` or more often."""

    calls: int
    shops: int
    twice: int


@dataclass(frozen=True)
class QuickVendor:
    url: str
    _session: requests.Session = field(default_factory=requests.Session)

    def begin(self, delay: float = 0.0) -> None:
        """Forget all counts, and answer after so many milliseconds from now on."""
        self._get(f"/bench/begin?ms={delay}")

    def asked(self) -> Asked:
        counts = self._get("/bench/asked")
        return Asked(counts["calls"], counts["shops"], counts["twice"])

    def first_call(self, key: str) -> float | None:
        """POSIX seconds of the first call about this client; None: there was none yet."""
        at: float | None = self._get(f"/bench/first?key={key}")["at"]
        return at

    def _get(self, path: str) -> dict[str, Any]:  # Any: counts, or a moment that may be missing
        found: dict[str, Any] = self._session.get(f"{self.url}{path}", timeout=30).json()
        return found

    def answers(self) -> bool:
        try:
            return self.asked().calls >= 0
        except requests.ConnectionError:
            return False


@contextmanager
def quick_vendor() -> Iterator[QuickVendor]:
    """The vendor as a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.transports.quick_vendor", str(port)]
    process = subprocess.Popen(command, cwd=ROOT)
    vendor = QuickVendor(f"http://127.0.0.1:{port}")
    try:
        wait_until("the vendor answers", vendor.answers)
        yield vendor
    finally:
        process.kill()
        process.wait(10)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
