"""Context of one step's HTTP calls: its time budget, the circuit breaker, and a record of each call.

The vendor library asks the breaker (`CallContext.pause_of`) and hands over records (`observers`). Which
failures open the breaker, where records are stored, and by which clock, is decided by the site.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from vendors.contract import Why


def _own() -> datetime:
    return datetime.now(UTC)


_clock: Callable[[], datetime] = _own


def use_clock(now: Callable[[], datetime]) -> None:
    """From now on, moments of calls are by this clock."""
    global _clock  # one clock for the process
    _clock = now


def now() -> datetime:
    return _clock()


# What a reply says of the operator's credentials. "refused": 401. "unclear": 403, which may be about the
# one thing that was asked for. "": nothing, or the credentials were a merchant's.
Credentials = Literal["", "accepted", "unclear", "refused"]


@dataclass(frozen=True, kw_only=True)
class CallRecord:
    """Record of one HTTP call. It holds no id, no query and nothing of the reply's body.

    `call` is method and path template. `outcome` is the status, "time-out" or "no answer".
    `unavailable`: the host did not do its work (no answer, 408, 429, 5xx), and `why` says what happened
    instead. `seconds` is the duration and `at` its end. `retry_after` is in seconds, None if the vendor
    named none. `clock_ahead` is by how many seconds the vendor's clock is ahead of ours, None if its
    reply has no Date.
    """

    vendor: str
    host: str
    call: str
    outcome: str
    seconds: float
    unavailable: bool
    retry_after: float | None = None
    credentials: Credentials = ""
    at: datetime = field(default_factory=now)
    clock_ahead: float | None = None
    why: Why = Why.UNKNOWN


@dataclass(frozen=True)
class Pause:
    """A host must not be called for so many seconds, because of `why`.

    `asked_until`: the vendor asked us to wait until then.
    """

    seconds: float
    why: Why = Why.UNKNOWN
    asked_until: datetime | None = None


@dataclass
class CallContext:
    """The calls of one step, which may take `seconds` together.

    `pause_of(host)` asks the circuit breaker; None: the host may be called now.
    """

    seconds: float
    pause_of: Callable[[str], Pause | None] = lambda host: None
    calls: list[CallRecord] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    def remaining(self) -> float:
        """Seconds until the deadline of the step; negative after it."""
        return self.seconds - (time.monotonic() - self._began)


_current: ContextVar[CallContext | None] = ContextVar("call_context", default=None)
observers: list[
    Callable[[CallRecord], None]
] = []  # called with the record of every call of this process


@contextmanager
def use_context(context: CallContext) -> Iterator[CallContext]:
    """Let all calls of the block, in this thread, belong to `context`."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)


def pause_of(host: str) -> Pause | None:
    """How long the circuit breaker holds calls to this host back; None: it may be called now."""
    context = _current.get()
    return context.pause_of(host) if context else None


def remaining(seconds: float) -> float:
    """`seconds`, but not more than the step has left."""
    context = _current.get()
    return min(seconds, context.remaining()) if context else seconds


def record(call: CallRecord) -> None:
    """Add a call to the step's calls and hand it to the observers."""
    if context := _current.get():
        context.calls.append(call)
    for observer in observers:
        observer(call)
