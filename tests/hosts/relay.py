"""Passes on TCP connections: a host's way to the vendors, and the load balancer before the web hosts.

    python -m tests.hosts.relay PORT ADDRESS:PORT [ADDRESS:PORT …]

Vendors may be called by plain http on this machine only, so each host finds them on its own loopback.
With several targets it is a load balancer: it asks each of them once a second whether it is alive, and
closes the connections to one that does not answer, as a real one does.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from contextlib import suppress
from dataclasses import dataclass, field

ASK_EVERY = 1.0  # seconds
PATIENCE = 2.0  # seconds until an answer counts as none
ALIVE = b"GET /health/live HTTP/1.0\r\n\r\n"


@dataclass
class Target:
    host: str
    port: int
    is_up: bool = True
    open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.wait_for(asyncio.open_connection(self.host, self.port), PATIENCE)

    async def watch(self) -> None:
        while True:
            self.is_up = await self._answers()
            if not self.is_up:
                for writer in list(self.open):
                    writer.transport.abort()
            await asyncio.sleep(ASK_EVERY)

    async def _answers(self) -> bool:
        try:
            reader, writer = await self.connect()
            writer.write(ALIVE)
            line = await asyncio.wait_for(reader.readline(), PATIENCE)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return b" 200 " in line


class Relay:
    def __init__(self, targets: list[Target]) -> None:
        self.targets = targets
        self._turn = itertools.cycle(range(len(targets)))

    async def serve(self, port: int) -> None:
        server = await asyncio.start_server(self._accept, "127.0.0.1", port)
        watching = [asyncio.create_task(each.watch()) for each in self.targets[1:] and self.targets]
        await server.serve_forever()
        await asyncio.gather(*watching)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for target in self._in_turn():
                with suppress(OSError, TimeoutError):
                    await self._pass_on(reader, writer, target, *await target.connect())
                    break
        finally:
            writer.close()

    def _in_turn(self) -> list[Target]:
        first = next(self._turn)
        turned = self.targets[first:] + self.targets[:first]
        return [each for each in turned if each.is_up]

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        target: Target,
        from_target: asyncio.StreamReader,
        to_target: asyncio.StreamWriter,
    ) -> None:
        target.open.add(to_target)
        try:
            await asyncio.gather(_copy(reader, to_target), _copy(from_target, writer))
        finally:
            target.open.discard(to_target)
            to_target.close()


async def _copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    """Copy until either side ends; then the other side is told."""
    with suppress(OSError):
        while data := await source.read(65536):
            to.write(data)
            await to.drain()
    to.close()


def main(port: str, *targets: str) -> None:
    pairs = [target.rsplit(":", 1) for target in targets]
    relay = Relay([Target(host, int(at)) for host, at in pairs])
    with suppress(KeyboardInterrupt):
        asyncio.run(relay.serve(int(port)))


if __name__ == "__main__":
    main(*sys.argv[1:])
