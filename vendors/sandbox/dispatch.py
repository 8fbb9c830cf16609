"""Request dispatch of the sandboxes: routes, fault injection, call counts and state."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypedDict

from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from .faults import PLAYS, Fault, Faults, apply_after, response_instead
from .http import Refused, Request, Response
from .pages import page
from .routing import Route, Sandbox
from .state import Database, Line, Row, Store


class Counts(TypedDict):
    """`calls`: route → number of calls since the start. `made`: kind → number of rows ever made."""

    calls: dict[str, int]
    made: dict[str, int]


class Sandboxes:
    """The sandboxes of some vendors with one database. Thread-safe."""

    def __init__(self, data_dir: str | Path, sandboxes: Sequence[Sandbox]) -> None:
        self.vendors = {sandbox.slug: sandbox for sandbox in sandboxes}
        self.faults = Faults()
        self._database = Database(Path(data_dir) / "sandbox.sqlite3")
        self._stores = {slug: Store(self._database, slug) for slug in self.vendors}
        self._calls: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._busy = 0

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Wraps every request: `close` waits until no request is being served."""
        with self._lock:
            self._busy += 1
        try:
            yield
        finally:
            with self._idle:
                self._busy -= 1
                self._idle.notify_all()

    def dispatch(self, request: Request) -> tuple[str, Response] | None:
        """The name of the route, which contains no secrets, for the log; and the response.

        None if the path belongs to no vendor.
        """
        slug, _, rest = request.raw_path.removeprefix("/").partition("/")
        sandbox = self.vendors.get(slug)
        if sandbox is None:
            return None
        request.mount(slug)
        try:
            route, request.params = sandbox.find(request.method, f"/{rest}")
        except Refused as no:
            return f"/{slug}/-", _refusal(sandbox, no)
        with self._lock:
            self._calls[slug, route.name] += 1
        return f"/{slug}{route.path}", self._respond(sandbox, route, request)

    def _respond(self, sandbox: Sandbox, route: Route, request: Request) -> Response:
        """The response of the route's handler, changed or replaced by an injected fault."""
        flow = self._flow(sandbox, request)
        fault = self.faults.take(sandbox.slug, route.name, route.page, flow)
        self.faults.pause(fault, route.name, "before")
        response = (response_instead(fault) if fault else None) or self._handle(
            sandbox, route, request
        )
        if response.play:
            case, of, routes = response.play
            self.play(sandbox.slug, case, routes, flow=of)
        self.faults.pause(fault, route.name, "after")
        if fault and fault.when == "after":
            return apply_after(fault, response) or response
        return response

    def _flow(self, sandbox: Sandbox, request: Request) -> str:
        try:
            with self._database.transaction():
                return sandbox.flow(request, self._stores[sandbox.slug])
        except HTTPException:
            return ""

    def _handle(self, sandbox: Sandbox, route: Route, request: Request) -> Response:
        try:
            if request.method == "GET" and request.get_data():
                raise Refused(400, "A GET carries no body.")
            with self._database.transaction():
                return route.handler(request, self._stores[sandbox.slug])
        except HTTPException as no:
            return _error_page(sandbox, no) if route.page else _refusal(sandbox, no)

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
        **params: object,
    ) -> None:
        """Inject a fault into the next `times` calls of a route, after the first `skip` calls.

        `times=None`: into all calls, for `lasts` seconds. `kind`, `when` and `params` are in faults.py.
        `route` is a declared name such as "POST /reseller/tenant", or a pattern with `*`, which
        matches API calls only. `flow` limits it to one user of the vendor (`Sandbox.flow`).
        Raises ValueError for a route, kind or parameter that does not exist.
        """
        self._known(vendor, route)
        self.faults.plant(Fault(vendor, route, kind, times, when, flow, lasts, skip, params))

    def play(self, vendor: str, case: str, route: str = "*", flow: str = "") -> None:
        """Inject the faults of a case: slow, dead, garbled or lost. Raises ValueError for any other case."""
        if case not in PLAYS:
            raise ValueError(f"unknown case; one of {', '.join(PLAYS)}")
        self.fault(vendor, route, flow=flow, **PLAYS[case])

    def clear(self, vendor: str = "") -> None:
        """Remove the faults (of one vendor) and release all held requests."""
        self.faults.clear(vendor)

    def wait_until_held(
        self, vendor: str, route: str = "*", count: int = 1, timeout: float = 10
    ) -> list[str]:
        """Wait until `count` requests are held (fault "hold"), and return their routes.

        Raises TimeoutError after `timeout` seconds.
        """
        self._known(vendor, route)
        return self.faults.wait_until_held(vendor, route, count, timeout)

    def release(self, vendor: str, route: str = "*", count: int = 1) -> int:
        """Release the `count` requests that were held first. Raises LookupError if fewer are held."""
        self._known(vendor, route)
        return self.faults.release(vendor, route, count)

    def counts(self, vendor: str) -> Counts:
        """Calls by route since the start, and rows ever made by kind."""
        with self._lock:
            calls = {name: n for (slug, name), n in self._calls.items() if slug == vendor}
        return {"calls": calls, "made": self._store(vendor).count()}

    def state(self, vendor: str) -> dict[str, list[Row]]:
        """All rows of this vendor, by kind."""
        return self._store(vendor).dump()

    def change(self, vendor: str, kind: str, where: Mapping[str, object], **fields: object) -> int:
        """Change rows directly, such as the expiry of tokens; returns the number of rows."""
        with self._database.transaction():
            rows = self._store(vendor).rows(kind, **where)
            for row in rows:
                self._store(vendor).change(kind, row["id"], **fields)
        return len(rows)

    def reset(self) -> None:
        """Delete everything: rows, counts, faults."""
        self.clear()
        with self._lock, self._database.transaction():
            self._calls.clear()
            for store in self._stores.values():
                store.empty()

    def snapshot(self) -> list[Line]:
        """All rows of all vendors, for `restore`."""
        return self._database.run("SELECT number, vendor, kind, id, body FROM thing")

    def restore(self, snapshot: list[Line]) -> None:
        """Remove all faults and restore the rows of a `snapshot`. Counts of calls stay."""
        self.clear()
        with self._database.transaction():
            self._database.run("DELETE FROM thing")
            for row in snapshot:
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
        routes = self.vendors[vendor].routes
        if not any(r.name == route or (not r.page and fnmatchcase(r.name, route)) for r in routes):
            raise ValueError(f"{vendor} has no route {route!r}")


def _error_page(sandbox: Sandbox, no: HTTPException) -> Response:
    body = Markup("<p>{message}</p>").format(message=no.description)
    return page(sandbox.name, "That did not work", body, no.code or 500)


def _refusal(sandbox: Sandbox, no: HTTPException) -> Response:
    """The error in the vendor's own shape, with the headers of the refusal."""
    response = sandbox.refuse(no.code or 500, no.description or "")
    response.headers.update(no.headers if isinstance(no, Refused) else {})
    return response
