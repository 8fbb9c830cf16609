"""The vendors' sandboxes, with a log of every call: who asked, from which host, for whom, from when to when.

    python -m tests.support.recording PORT FOLDER

Each call is two lines of FOLDER/calls, written as it comes and when it is answered: a host that dies in
between leaves the first one.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from vendors import sandbox
from vendors.sandbox import Request, Response, Sandbox
from vendors.sandbox.routing import Route

LOG = "calls"


@dataclass
class VendorCall:
    """One call as the vendor saw it. `whom`: the user of the vendor; `ended` is None while it lasts."""

    number: int
    peer: str
    vendor: str
    route: str
    thing: str
    whom: str
    began: float
    ended: float | None = None


class Recording(sandbox.Running):
    def __init__(self, folder: Path, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(folder, host, port)
        self._numbers, self._write = count(1), threading.Lock()
        self._log = (folder / LOG).open("a", buffering=1)

    def _respond(self, sandbox: Sandbox, route: Route, request: Request) -> Response:
        if route.page:
            return super()._respond(sandbox, route, request)
        with self._write:
            number = next(self._numbers)
        self._note(
            number=number,
            peer=request.remote_addr,
            vendor=sandbox.slug,
            route=route.name,
            thing="/".join(request.params.values()),
            whom=self._flow(sandbox, request),
            began=time.time(),
        )
        try:
            return super()._respond(sandbox, route, request)
        finally:
            self._note(number=number, ended=time.time())

    def close(self) -> None:
        super().close()
        self._log.close()

    def _note(self, **values: object) -> None:
        with self._write:
            self._log.write(json.dumps(values) + "\n")


def read_calls(folder: Path) -> list[VendorCall]:
    """All calls so far, in the order in which they came."""
    calls: dict[int, VendorCall] = {}
    for line in (folder / LOG).read_text().splitlines():
        values = json.loads(line)
        if "ended" in values:
            calls[values["number"]].ended = values["ended"]
        else:
            calls[values["number"]] = VendorCall(**values)
    return list(calls.values())


def main(port: str, folder: str) -> None:
    running = Recording(Path(folder), "0.0.0.0", int(port))
    running.run(poll_interval=0.5)


if __name__ == "__main__":
    main(*sys.argv[1:])
