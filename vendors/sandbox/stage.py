"""The stage on which the imitations play: finds the route, plays the faults, does the deed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypedDict

from .faults import Fault, Faults, instead, spoil
from .http import Answer, Imitation, Refused, Request, Route, markup, page, plain_refusal
from .state import Database, Row, Store

MINUTE = 60.0
PLAYS: dict[str, dict[str, Any]] = {
    "slow": {"kind": "slow", "times": None, "lasts": MINUTE, "seconds": 4},
    "dead": {"kind": "reset", "times": None, "lasts": MINUTE},
    "garbled": {"kind": "html", "times": None, "lasts": MINUTE},
    "lost": {"kind": "reset", "when": "after"},
}


class Counts(TypedDict):
    calls: dict[str, int]
    made: dict[str, int]


class Stage:
    """The sandboxes of some vendors over one state file. Thread-safe."""

    def __init__(self, data_dir: str | Path, imitations: Sequence[Imitation]) -> None:
        self.imitations = {imitation.slug: imitation for imitation in imitations}
        self.faults = Faults()
        self._database = Database(Path(data_dir) / "sandbox.sqlite3")
        self._stores = {slug: Store(self._database, slug) for slug in self.imitations}
        self._calls: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._busy = 0

    @contextmanager
    def visit(self) -> Iterator[None]:
        """Around every request: `close` waits until nobody is inside."""
        with self._lock:
            self._busy += 1
        try:
            yield
        finally:
            with self._idle:
                self._busy -= 1
                self._idle.notify_all()

    def perform(self, request: Request) -> tuple[str, Answer]:
        """The name of the route (for the log: it holds no secrets) and the answer."""
        slug, _, rest = request.path.removeprefix("/").partition("/")
        vendor = self.imitations.get(slug)
        if vendor is None:
            return "-", plain_refusal(404, "No such vendor in this sandbox.")
        try:
            route, call = _find(vendor, replace(request, path=f"/{rest}"))
        except Refused as no:
            return f"/{slug}/-", _refusal(vendor, no)
        with self._lock:
            self._calls[slug, route.name] += 1
        return f"/{slug}{route.path}", self._play(vendor, route, call)

    def _play(self, vendor: Imitation, route: Route, request: Request) -> Answer:
        flow = self._flow(vendor, request)
        fault = self.faults.take(vendor.slug, route.name, route.page, flow)
        self.faults.pause(fault, route.name, "before")
        answer = (instead(fault) if fault else None) or self._deed(vendor, route, request)
        if answer.play:
            case, of, routes = answer.play
            self.play(vendor.slug, case, routes, flow=of)
        self.faults.pause(fault, route.name, "after")
        if fault and fault.when == "after":
            return spoil(fault, answer) or answer
        return answer

    def _flow(self, vendor: Imitation, request: Request) -> str:
        try:
            with self._database.turn():
                return vendor.flow(request, self._stores[vendor.slug])
        except Refused:
            return ""

    def _deed(self, vendor: Imitation, route: Route, request: Request) -> Answer:
        try:
            if request.method == "GET" and request.body:
                raise Refused(400, "A GET carries no body.")
            with self._database.turn():
                return route.handler(request, self._stores[vendor.slug])
        except Refused as no:
            return _told(vendor, no) if route.page else _refusal(vendor, no)

    def fault(
        self,
        vendor: str,
        route: str = "*",
        *,
        kind: str,
        times: int | None = 1,
        when: str = "",
        flow: str = "",
        lasts: float | None = None,
        skip: int = 0,
        **params: Any,
    ) -> None:
        """Plant a fault on the next `times` calls (None: all, for `lasts` seconds) of a route,
        after sparing `skip` of them.

        `route` is a declared name such as "POST /reseller/tenant", or a pattern with `*`, which
        stands for API calls only. `flow` limits it to one itembase user or Sharespine codeName.
        Raises ValueError for a route, kind or parameter that does not exist.
        """
        self._known(vendor, route)
        self.faults.plant(Fault(vendor, route, kind, times, when, flow, lasts, skip, params))

    def play(self, vendor: str, case: str, route: str = "*", flow: str = "") -> None:
        """Play one of the cases slow, dead, garbled, lost on the next calls."""
        if case not in PLAYS:
            raise ValueError(f"unknown case; one of {', '.join(PLAYS)}")
        self.fault(vendor, route, flow=flow, **PLAYS[case])

    def clear(self, vendor: str = "") -> None:
        """Everything works again; whoever waits at the barrier goes on."""
        self.faults.clear(vendor)

    def arrived(
        self, vendor: str, route: str = "*", count: int = 1, timeout: float = 10
    ) -> list[str]:
        """Wait until `count` requests wait at the barrier; their routes. Raises TimeoutError."""
        self._known(vendor, route)
        return self.faults.arrived(vendor, route, count, timeout)

    def release(self, vendor: str, route: str = "*", count: int = 1) -> int:
        """Let the `count` that waited longest go on. Raises LookupError if fewer are waiting."""
        self._known(vendor, route)
        return self.faults.release(vendor, route, count)

    def counts(self, vendor: str) -> Counts:
        """Calls for each route since the start, and things ever made, by kind."""
        with self._lock:
            calls = {name: n for (slug, name), n in self._calls.items() if slug == vendor}
        return {"calls": calls, "made": self._store(vendor).count()}

    def state(self, vendor: str) -> dict[str, list[Row]]:
        """All that this vendor remembers, by kind."""
        return self._store(vendor).dump()

    def change(self, vendor: str, kind: str, where: Mapping[str, Any], **fields: Any) -> int:
        """Alter things behind the vendor's back, e.g. let tokens expire; how many."""
        with self._database.turn():
            rows = self._store(vendor).rows(kind, **where)
            for row in rows:
                self._store(vendor).change(kind, row["id"], **fields)
        return len(rows)

    def reset(self) -> None:
        """Forget everything: things, counts, faults."""
        self.clear()
        with self._lock, self._database.turn():
            self._calls.clear()
            for store in self._stores.values():
                store.empty()

    def snapshot(self) -> list[tuple[Any, ...]]:
        """All that the vendors remember now, for `restore`."""
        return self._database.run("SELECT number, vendor, kind, id, body FROM thing")

    def restore(self, kept: list[tuple[Any, ...]]) -> None:
        """Everything works again, and is as it was at a `snapshot`. Calls stay counted."""
        self.clear()
        with self._database.turn():
            self._database.run("DELETE FROM thing")
            for row in kept:
                self._database.run("INSERT INTO thing VALUES (?, ?, ?, ?, ?)", *row)

    def close(self) -> None:
        self.faults.stop()
        with self._idle:
            self._idle.wait_for(lambda: not self._busy, timeout=5)
        self._database.close()

    def _store(self, vendor: str) -> Store:
        if vendor not in self._stores:
            raise ValueError(f"no sandbox of {vendor!r}")
        return self._stores[vendor]

    def _known(self, vendor: str, route: str) -> None:
        self._store(vendor)
        routes = self.imitations[vendor].routes
        if not any(r.name == route or (not r.page and fnmatchcase(r.name, route)) for r in routes):
            raise ValueError(f"{vendor} has no route {route!r}")


def _find(vendor: Imitation, request: Request) -> tuple[Route, Request]:
    found = [(r, m) for r in vendor.routes if (m := r.match(request.path)) is not None]
    for route, params in found:
        if route.method == request.method:
            return route, replace(request, params=params)
    if found:
        allowed = ", ".join(route.method for route, _ in found)
        raise Refused(405, "Method not allowed.", {"Allow": allowed})
    raise Refused(404, "Not found.")


def _told(vendor: Imitation, no: Refused) -> Answer:
    body = markup("<p>{message}</p>", message=no.message)
    return page(vendor.name, "That did not work", body, no.status)


def _refusal(vendor: Imitation, no: Refused) -> Answer:
    answer = vendor.refuse(no.status, no.message)
    return replace(answer, headers=answer.headers | no.headers)
