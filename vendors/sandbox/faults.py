"""Fault injection: kinds of faults, which calls they hit, and the barrier that holds requests.

    status     another HTTP status       html, empty, half, types, oversized, replace   another body
    bom, texts                           a byte order mark before the body; other texts in it
    reset      the connection is reset   truncated, drip   half of the body; one byte after another
    redirect   a redirect                slow, hold        later; not until it is released

A fault happens "before" the handler runs (nothing is done) or "after" it (only the reply is lost).
"""

from __future__ import annotations

import codecs
import json
import threading
import time
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from .http import Response
from .state import JsonObject

DEFAULT_WHEN = {
    "status": "before",
    "reset": "before",
    "truncated": "after",
    "html": "after",
    "empty": "after",
    "slow": "after",
    "drip": "after",
    "hold": "after",
    "replace": "after",
    "half": "after",
    "types": "after",
    "oversized": "after",
    "bom": "after",
    "texts": "after",
    "redirect": "before",
}
ALWAYS_AFTER = {"truncated", "replace", "drip", "half", "types", "oversized", "bom", "texts"}
PARAMS = {
    "status": {"status", "body", "headers"},
    "html": {"status"},
    "slow": {"seconds"},
    "drip": {"interval"},
    "replace": {"body", "merge", "remove", "status"},
    "oversized": {"size"},
    "texts": {"before"},
    "redirect": {"to", "status"},
}
MINUTE = 60.0
PLAYS: dict[str, JsonObject] = {
    "slow": {"kind": "slow", "times": None, "lasts": MINUTE, "seconds": 4},
    "dead": {"kind": "reset", "times": None, "lasts": MINUTE},
    "garbled": {"kind": "html", "times": None, "lasts": MINUTE},
    "lost": {"kind": "reset", "when": "after"},
}
LARGE = 2_100_000  # bytes: more than Gangway reads of most replies
ODD = {"odd": True}
ERROR_PAGE = b"<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(eq=False)
class Fault:
    """One injected fault. `times`: how many calls it hits (None: all). `lasts`: its lifetime in seconds.

    `skip`: how many matching calls pass before the first hit. Raises ValueError for an unknown kind,
    moment (`when`) or parameter.
    """

    vendor: str
    route: str
    kind: str
    times: int | None = 1
    when: str = ""
    flow: str = ""
    lasts: float | None = None
    skip: int = 0
    params: JsonObject = field(default_factory=dict)
    planted_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        if self.kind not in DEFAULT_WHEN:
            raise ValueError(f"unknown kind {self.kind!r}; one of {', '.join(DEFAULT_WHEN)}")
        self.when = self.when or DEFAULT_WHEN[self.kind]
        if self.when not in {"before", "after"} or (
            self.kind in ALWAYS_AFTER and self.when == "before"
        ):
            raise ValueError(f"{self.kind} cannot happen {self.when!r}")
        unknown = set(self.params) - PARAMS.get(self.kind, set())
        if unknown:
            raise ValueError(f"{self.kind} does not take {', '.join(sorted(unknown))}")
        if self.kind == "redirect" and "to" not in self.params:
            raise ValueError("redirect needs `to`, the address that it names")

    def is_over(self) -> bool:
        gone = self.lasts is not None and time.monotonic() > self.planted_at + self.lasts
        return gone or self.times == 0

    def matches(self, vendor: str, route: str, page: bool, flow: str) -> bool:
        named = self.route == route or (not page and fnmatchcase(route, self.route))
        return self.vendor == vendor and named and self.flow in {"", flow} and not self.is_over()


@dataclass(eq=False)
class Arrival:
    """A request that is held at the barrier."""

    vendor: str
    route: str
    go: threading.Event = field(default_factory=threading.Event)


class Faults:
    """All faults and all held requests of one server. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._planted: list[Fault] = []
        self._waiting: list[Arrival] = []
        self._stopping = threading.Event()

    def plant(self, fault: Fault) -> None:
        with self._changed:
            self._planted = [each for each in self._planted if not each.is_over()] + [fault]

    def take(self, vendor: str, route: str, page: bool, flow: str) -> Fault | None:
        """The oldest fault that matches this call, or None; it counts as one of the fault's `times`."""
        with self._changed:
            found = [f for f in self._planted if f.matches(vendor, route, page, flow)]
            fault = next((f for f in found if not f.skip), None)
            for spared in found[: found.index(fault) if fault else None]:
                spared.skip -= 1
            if fault and fault.times is not None:
                fault.times -= 1
            return fault

    def clear(self, vendor: str = "") -> None:
        """Remove the faults (of one vendor) and release all held requests."""
        with self._changed:
            self._planted = [f for f in self._planted if vendor and f.vendor != vendor]
            for arrival in self._waiting:
                if vendor in {"", arrival.vendor}:
                    arrival.go.set()

    def stop(self) -> None:
        self._stopping.set()
        self.clear()

    def hold(self, vendor: str, route: str) -> None:
        """Block until the request is released, or the server stops."""
        arrival = Arrival(vendor, route)
        with self._changed:
            if self._stopping.is_set():
                return
            self._waiting.append(arrival)
            self._changed.notify_all()
        arrival.go.wait()
        with self._changed:
            self._waiting.remove(arrival)

    def wait_until_held(self, vendor: str, route: str, count: int, timeout: float) -> list[str]:
        """Wait until `count` requests are held, and return their routes. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(
                lambda: len(self._held(vendor, route)) >= count, timeout=timeout
            ):
                raise TimeoutError(f"{count} of {route} did not arrive within {timeout} s")
            return [arrival.route for arrival in self._held(vendor, route)]

    def release(self, vendor: str, route: str, count: int) -> int:
        """Release the `count` requests that were held first. Raises LookupError if fewer are held."""
        with self._changed:
            held = self._held(vendor, route)
            if len(held) < count:
                raise LookupError(f"only {len(held)} of {route} wait at the barrier")
            for arrival in held[:count]:
                arrival.go.set()
            return count

    def _held(self, vendor: str, route: str) -> list[Arrival]:
        waiting = (a for a in self._waiting if a.vendor == vendor and not a.go.is_set())
        return [a for a in waiting if a.route == route or fnmatchcase(a.route, route)]

    def pause(self, fault: Fault | None, route: str, when: str) -> None:
        """Hold or delay the call on `route`, if that is what the fault does at this moment."""
        if fault is None or fault.when != when:
            return
        if fault.kind == "hold":
            self.hold(fault.vendor, route)
        elif fault.kind == "slow":
            self.sleep(float(fault.params.get("seconds", 4)))

    def sleep(self, seconds: float) -> None:
        """Sleep, or until the server stops."""
        self._stopping.wait(seconds)


def response_instead(fault: Fault) -> Response | None:
    """The response in place of the handler's, or None if the handler must run."""
    return apply_after(fault, Response()) if fault.when == "before" else None


def apply_after(fault: Fault, response: Response) -> Response | None:
    """The changed response; None for the kinds that only delay it."""
    params = fault.params
    match fault.kind:
        case "status":
            return _status(int(params.get("status", 503)), params)
        case "html":
            return Response(ERROR_PAGE, int(params.get("status", 200)), mimetype="text/html")
        case "redirect":
            headers = {"Location": str(params["to"])}
            return Response(status=int(params.get("status", 307)), headers=headers)
        case "reset" | "truncated" | "drip":
            response.wire_fault = fault.kind
            response.interval = float(params.get("interval", 0.5))
            return response
    return _other_body(fault.kind, response, params)


def _other_body(kind: str, response: Response, params: JsonObject) -> Response | None:
    """The response with a wrong body; None for the kinds that leave the body alone."""
    body = response.get_data()
    match kind:
        case "empty":
            response.set_data(b"")
            return response
        case "replace":
            return _replaced(response, params)
        case "half":
            return _with(response, body[: len(body) // 2] or b"{")
        case "types":
            return _with(response, json.dumps(_odd(json.loads(body or b"{}"))).encode())
        case "bom":
            return _with(response, codecs.BOM_UTF8 + body) if body else None
        case "texts" if body:
            changed = _with_text(json.loads(body), str(params.get("before", "\0")))
            return _with(response, json.dumps(changed).encode())
        case "oversized":
            return _with(response, (body or b"{}").ljust(int(params.get("size", LARGE))))
    return None


def _with(response: Response, body: bytes) -> Response:
    """The response with another body, and never with 204, which allows no body."""
    response.status_code = 200 if response.status_code == 204 else response.status_code
    response.set_data(body)
    return response


def _odd(value: object) -> object:
    """The same structure, in which every value has another type than it had."""
    if isinstance(value, dict) and value:
        return {name: _odd(each) for name, each in value.items()}
    if isinstance(value, list) and value:
        return [_odd(each) for each in value]
    return ODD


def _with_text(value: object, before: str) -> object:
    """The same, with `before` in front of every text; names of fields stay."""
    if isinstance(value, dict):
        return {name: _with_text(each, before) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_text(each, before) for each in value]
    return before + value if isinstance(value, str) else value


def _status(status: int, params: JsonObject) -> Response:
    body = params.get("body", {"message": "A fault that was asked for."})
    text = body if isinstance(body, str) else json.dumps(body)
    kind = "text/plain" if isinstance(body, str) else "application/json"
    given = {str(name): str(value) for name, value in params.get("headers", {}).items()}
    return Response(text, status, {"Content-Type": kind} | given)


def _replaced(response: Response, params: JsonObject) -> Response:
    if "body" in params:
        data = params["body"]
    else:
        merged = json.loads(response.get_data()) | dict(params.get("merge", {}))
        data = {name: merged[name] for name in merged if name not in params.get("remove", ())}
    response.status_code = int(params.get("status", response.status_code))
    response.set_data(json.dumps(data))
    return response
