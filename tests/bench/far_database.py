"""A TCP proxy that puts the database further away: what passes arrives a little later, in order.

    python -m tests.bench.far_database <port> <port of the database> <milliseconds one way>

Each direction has a queue of what is under way, so a longer way costs time and no throughput.
"""

from __future__ import annotations

import asyncio
import selectors
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from tests.support.site import ROOT, free_port, wait_until

HOST = "127.0.0.1"
ROUND_TRIP = 2.5  # milliseconds to the far database and back


class Timer(Protocol):
    """What a line needs of asyncio's loop."""

    def time(self) -> float: ...

    def call_at(self, when: float, callback: Callable[[], None], /) -> object: ...


class Way(Protocol):
    """What a line needs of a transport."""

    def write(self, data: bytes, /) -> None: ...

    def close(self) -> None: ...


class Line:
    """One direction of a connection: sends each piece on after `delay` seconds, in order."""

    def __init__(self, delay: float, loop: Timer) -> None:
        self._delay, self._loop = delay, loop
        self._under_way: deque[tuple[float, bytes]] = deque()  # an empty piece: the end
        self._to: Way | None = None

    def open(self, to: Way) -> None:
        self._to = to
        self._deliver()

    def send(self, piece: bytes) -> None:
        self._under_way.append((self._loop.time() + self._delay, piece))
        if self._to and len(self._under_way) == 1:
            self._loop.call_at(self._under_way[0][0], self._deliver)

    def _deliver(self) -> None:
        assert self._to
        now = self._loop.time()
        while self._under_way and self._under_way[0][0] <= now:
            _, piece = self._under_way.popleft()
            if piece:
                self._to.write(piece)
            else:
                self._to.close()
        if self._under_way:
            self._loop.call_at(self._under_way[0][0], self._deliver)


class End(asyncio.Protocol):
    """One end of a connection: what comes in goes into `out`; `into` is what leads here."""

    def __init__(self, out: Line, into: Line) -> None:
        self._out, self._into = out, into

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._into.open(transport)

    def data_received(self, data: bytes) -> None:
        self._out.send(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._out.send(b"")


class Client(End):
    """The end at which a client has connected: connects to the database behind it."""

    def __init__(self, port: int, delay: float) -> None:
        self._loop, self._port = asyncio.get_running_loop(), port
        super().__init__(Line(delay, self._loop), Line(delay, self._loop))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        other = End(self._into, self._out)
        connecting = self._loop.create_connection(lambda: other, HOST, self._port)
        self._connecting = self._loop.create_task(connecting)  # asyncio itself does not keep it


async def serve(port: int, database: int, delay: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Client(database, delay), HOST, port, backlog=1024)
    await server.serve_forever()


def run(port: int, database: int, milliseconds: float) -> None:
    """With `select`, because `epoll` rounds waits up to whole milliseconds."""
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    loop.run_until_complete(serve(port, database, milliseconds / 1000))


@contextmanager
def far_database(port: int) -> Iterator[int]:
    """The port of the proxy, whose database listens at `port` of this machine."""
    own = free_port()
    arguments = [str(own), str(port), str(ROUND_TRIP / 2)]
    command = [sys.executable, "-m", "tests.bench.far_database", *arguments]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        wait_until("the proxy listens", lambda: _listens(own))
        yield own
    finally:
        process.kill()
        process.wait(10)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


if __name__ == "__main__":
    run(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
