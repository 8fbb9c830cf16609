"""The ways in which a call can fail, how each is made, and what it means for whoever called.

The sandbox makes most of them over real HTTP; where no server could, the call is bent aside (bend.py).
Each lasts until it is cleared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tests.faults.bend import Bend, Stranger
from vendors.sandbox import Running

Means = Literal["unsent", "limit", "lost", "odd", "no", "nothing"]
HURRY = 0.3  # seconds for one read, or for a whole call, while a slow answer is played
NO_WAY = 0.05  # seconds for a connection that will not come
LATER = 120  # seconds, as Retry-After says
LARGE = 8_100_000  # bytes: more than Gangway reads of any answer


@dataclass(frozen=True)
class Ground:
    """Where faults are planted."""

    stage: Running
    bend: Bend
    stranger: Stranger
    closed: str
    full: str

    def clear(self) -> None:
        self.stage.clear()
        self.bend.clear()


@dataclass(frozen=True)
class Call:
    """Of `route`, all calls after the first `skip`."""

    vendor: str
    route: str
    skip: int = 0


@dataclass(frozen=True, kw_only=True)
class Fault:
    """`deed`: the vendor has done what it was asked for, and only its answer fails."""

    name: str
    how: str
    means: Means
    deed: bool = False
    waits: int = 0  # seconds that the vendor asks for
    plant: Callable[[Ground, Call], None]


def at(kind: str, **params: Any) -> Callable[[Ground, Call], None]:
    """Planted in the sandbox."""

    def plant(ground: Ground, call: Call) -> None:
        given = {"times": None, "skip": call.skip, **params}
        ground.stage.fault(call.vendor, call.route, kind=kind, **given)

    return plant


def _bent(**change: Any) -> Callable[[Ground, Call], None]:
    def plant(ground: Ground, call: Call) -> None:
        ground.bend.plant(call.vendor, call.route, call.skip, **change)

    return plant


def _elsewhere(name: str) -> Callable[[Ground, Call], None]:
    def plant(ground: Ground, call: Call) -> None:
        _bent(base_url=getattr(ground, name), connect=NO_WAY)(ground, call)

    return plant


def _slow(kind: str, change: Mapping[str, float], **params: Any) -> Callable[[Ground, Call], None]:
    def plant(ground: Ground, call: Call) -> None:
        at(kind, **params)(ground, call)
        _bent(**change)(ground, call)

    return plant


def _refusing(status: int, **headers: str) -> Callable[[Ground, Call], None]:
    """In the vendor's own shape of an error."""

    def plant(ground: Ground, call: Call) -> None:
        told = ground.stage.vendors[call.vendor].refuse(status, "A fault that was asked for.")
        body = told.get_data(as_text=True)
        at("status", status=status, body=body, headers=headers)(ground, call)

    return plant


def _astray(ground: Ground, call: Call) -> None:
    at("redirect", to=ground.stranger.url)(ground, call)


GATEWAY = "<html><body><h1>Bad Gateway</h1></body></html>"
RETRY = {"Retry-After": str(LATER)}

FAULTS = (
    Fault(name="refused", means="unsent", how="the connection is refused: nobody listens there",
          plant=_elsewhere("closed")),
    Fault(name="connect time-out", means="unsent",
          how="the connection is never taken: the server's queue is full", plant=_elsewhere("full")),
    Fault(name="read time-out", means="lost", deed=True,
          how="the deed is done, and no answer comes in time",
          plant=_slow("hold", {"read": HURRY})),
    Fault(name="reset before", means="lost",
          how="the connection is reset before the vendor does anything", plant=at("reset")),
    Fault(name="reset after", means="lost", deed=True,
          how="the connection is reset after the deed", plant=at("reset", when="after")),
    Fault(name="500", means="lost", how="500 in the vendor's shape of an error",
          plant=_refusing(500)),
    Fault(name="502", means="lost", how="502 with a gateway's page",
          plant=at("status", status=502, body=GATEWAY)),
    Fault(name="503", means="lost", how="503 without Retry-After", plant=_refusing(503)),
    Fault(name="503, Retry-After", means="lost", how=f"503 with Retry-After: {LATER}", waits=LATER,
          plant=_refusing(503, **RETRY)),
    Fault(name="429", means="limit", how="429 without Retry-After", plant=_refusing(429)),
    Fault(name="429, Retry-After", means="limit", how=f"429 with Retry-After: {LATER}", waits=LATER,
          plant=_refusing(429, **RETRY)),
    Fault(name="401", means="no", how="401 in the vendor's shape of an error",
          plant=_refusing(401)),
    Fault(name="403", means="no", how="403 in the vendor's shape of an error",
          plant=_refusing(403)),
    Fault(name="cut off", means="lost", deed=True,
          how="the deed is done, and the connection ends in the middle of the answer",
          plant=at("truncated")),
    Fault(name="half the JSON", means="odd", deed=True,
          how="the deed is done, and a whole answer holds half of its JSON", plant=at("half")),
    Fault(name="HTML", means="odd", deed=True, how="the deed is done, and a page comes with 200",
          plant=at("html")),
    Fault(name="empty", means="odd", deed=True,
          how="the deed is done, and the body of the answer is empty", plant=at("empty")),
    Fault(name="wrong types", means="odd", deed=True,
          how="the deed is done, and every value of the answer is of another type",
          plant=at("types")),
    Fault(name="redirect", means="odd",
          how="307 to another host, which must never be followed nor told anything", plant=_astray),
    Fault(name="oversized", means="odd", deed=True,
          how="the deed is done, and the answer is larger than we read",
          plant=at("oversized", size=LARGE)),
    Fault(name="slow drip", means="lost", deed=True,
          how="the deed is done, and the answer comes a byte at a time, for ever",
          plant=_slow("drip", {"total": HURRY}, interval=0.02)),
)  # fmt: skip
