"""Kinds of fault: the ways in which a call can fail, how each is injected, and what it means for the caller.

The sandbox injects most of them over real HTTP; the others are injected in our client (client_faults.py).
Each lasts until it is cleared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tests.faults.client_faults import ClientFault, UnexpectedHost
from vendors.sandbox import Running

# "text": the answer has its shape, but its texts are of no use. Where none is read, that does not matter.
Means = Literal["unsent", "limit", "lost", "odd", "text", "no", "nothing"]
SHORT_TIMEOUT = 0.3  # seconds for one read or for a whole call, while the vendor is slow
CONNECT_TIMEOUT = 0.05  # seconds
RETRY_AFTER = 120  # seconds
LONG = 5000  # letters: more than any column, header or link takes
LARGE = 8_100_000  # bytes: more than Gangway reads of any response


@dataclass(frozen=True)
class Injector:
    """Where faults are injected: in the sandboxes, or in our client."""

    stage: Running
    client_fault: ClientFault
    unexpected_host: UnexpectedHost
    closed: str
    full: str

    def clear(self) -> None:
        self.stage.clear()
        self.client_fault.clear()


@dataclass(frozen=True)
class Call:
    """Of `route`, all calls after the first `skip`."""

    vendor: str
    route: str
    skip: int = 0


@dataclass(frozen=True, kw_only=True)
class Fault:
    """`executed`: the vendor has carried out the request, and only its response fails."""

    name: str
    how: str
    means: Means
    executed: bool = False
    waits: int = 0  # seconds that the vendor asks for
    inject: Callable[[Injector, Call], None]


def in_sandbox(kind: str, **params: Any) -> Callable[[Injector, Call], None]:
    """Inject it in the sandbox."""

    def inject(injector: Injector, call: Call) -> None:
        given = {"times": None, "skip": call.skip, **params}
        injector.stage.fault(call.vendor, call.route, kind=kind, **given)

    return inject


def _on_client(**change: Any) -> Callable[[Injector, Call], None]:
    def inject(injector: Injector, call: Call) -> None:
        injector.client_fault.inject(call.vendor, call.route, call.skip, **change)

    return inject


def _to_address(name: str) -> Callable[[Injector, Call], None]:
    def inject(injector: Injector, call: Call) -> None:
        _on_client(base_url=getattr(injector, name), connect=CONNECT_TIMEOUT)(injector, call)

    return inject


def _slow(
    kind: str, change: Mapping[str, float], **params: Any
) -> Callable[[Injector, Call], None]:
    def inject(injector: Injector, call: Call) -> None:
        in_sandbox(kind, **params)(injector, call)
        _on_client(**change)(injector, call)

    return inject


def _refusing(status: int, **headers: str) -> Callable[[Injector, Call], None]:
    """An error in the vendor's own format."""

    def inject(injector: Injector, call: Call) -> None:
        response = injector.stage.vendors[call.vendor].refuse(status, "A fault that was asked for.")
        body = response.get_data(as_text=True)
        in_sandbox("status", status=status, body=body, headers=headers)(injector, call)

    return inject


def _redirected(injector: Injector, call: Call) -> None:
    in_sandbox("redirect", to=injector.unexpected_host.url)(injector, call)


GATEWAY = "<html><body><h1>Bad Gateway</h1></body></html>"
RETRY = {"Retry-After": str(RETRY_AFTER)}

FAULTS = (
    Fault(name="refused", means="unsent", how="the connection is refused: nobody listens there",
          inject=_to_address("closed")),
    Fault(name="connect time-out", means="unsent",
          how="the connection is never taken: the server's queue is full", inject=_to_address("full")),
    Fault(name="read time-out", means="lost", executed=True,
          how="the request is carried out, and no answer comes in time",
          inject=_slow("hold", {"read": SHORT_TIMEOUT})),
    Fault(name="reset before", means="lost",
          how="the connection is reset before the vendor does anything", inject=in_sandbox("reset")),
    Fault(name="reset after", means="lost", executed=True,
          how="the connection is reset after the request is carried out",
          inject=in_sandbox("reset", when="after")),
    Fault(name="500", means="lost", how="500 in the vendor's shape of an error",
          inject=_refusing(500)),
    Fault(name="502", means="lost", how="502 with a gateway's page",
          inject=in_sandbox("status", status=502, body=GATEWAY)),
    Fault(name="503", means="lost", how="503 without Retry-After", inject=_refusing(503)),
    Fault(name="503, Retry-After", means="lost",
          how=f"503 with Retry-After: {RETRY_AFTER}", waits=RETRY_AFTER,
          inject=_refusing(503, **RETRY)),
    Fault(name="429", means="limit", how="429 without Retry-After", inject=_refusing(429)),
    Fault(name="429, Retry-After", means="limit",
          how=f"429 with Retry-After: {RETRY_AFTER}", waits=RETRY_AFTER,
          inject=_refusing(429, **RETRY)),
    Fault(name="401", means="no", how="401 in the vendor's shape of an error",
          inject=_refusing(401)),
    Fault(name="403", means="no", how="403 in the vendor's shape of an error",
          inject=_refusing(403)),
    Fault(name="cut off", means="lost", executed=True,
          how="the request is carried out, and the connection ends in the middle of the answer",
          inject=in_sandbox("truncated")),
    Fault(name="half the JSON", means="odd", executed=True,
          how="the request is carried out, and a whole answer holds half of its JSON",
          inject=in_sandbox("half")),
    Fault(name="HTML", means="odd", executed=True,
          how="the request is carried out, and a page comes with 200",
          inject=in_sandbox("html")),
    Fault(name="empty", means="odd", executed=True,
          how="the request is carried out, and the body of the answer is empty", inject=in_sandbox("empty")),
    Fault(name="wrong types", means="odd", executed=True,
          how="the request is carried out, and every value of the answer is of another type",
          inject=in_sandbox("types")),
    Fault(name="byte order mark", means="nothing", executed=True,
          how="the request is carried out, and U+FEFF stands before the JSON of the answer",
          inject=in_sandbox("bom")),
    Fault(name="U+0000", means="text", executed=True,
          how="the request is carried out, and every text of the answer begins with U+0000",
          inject=in_sandbox("texts", before="\0")),
    Fault(name="long ids", means="text", executed=True,
          how=f"the request is carried out, and every text of the answer has {LONG} letters more",
          inject=in_sandbox("texts", before="x" * LONG)),
    Fault(name="ids not in ASCII", means="text", executed=True,
          how="the request is carried out, and every text of the answer begins with “ł”",
          inject=in_sandbox("texts", before="ł")),
    Fault(name="redirect", means="odd",
          how="307 to another host, to which nothing may ever be sent", inject=_redirected),
    Fault(name="oversized", means="odd", executed=True,
          how="the request is carried out, and the answer is larger than our limit",
          inject=in_sandbox("oversized", size=LARGE)),
    Fault(name="slow drip", means="lost", executed=True,
          how="the request is carried out, and the answer comes a byte at a time, for ever",
          inject=_slow("drip", {"total": SHORT_TIMEOUT}, interval=0.02)),
)  # fmt: skip
