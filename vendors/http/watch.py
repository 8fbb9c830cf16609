"""What stands around the calls of one step: its deadline, the hosts that rest, a record of each call.

The vendor library only tells and asks; what a failure means for other calls, and where a record goes, is
the site's business (`Watch.rest`, `observers`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

Credentials = Literal["", "accepted", "doubted", "refused"]


@dataclass(frozen=True, kw_only=True)
class Called:
    """One call that was made: nothing of its answer, no id, no query.

    `call` is method and path template. `outcome` is the status, "time-out" or "no answer".
    `unavailable`: the host did not do its work (no answer, 408, 429, 5xx). `retry_after` is in seconds.
    `credentials`: what the vendor said of the operator's: a 401 refuses them, a 403 may be about the one
    thing that was asked for ("doubted"); "" when it was not about them. `at`: when it was over.
    `ahead`: seconds by which the vendor's clock is ahead of ours, when it says what time it is there.
    """

    vendor: str
    host: str
    call: str
    outcome: str
    seconds: float
    unavailable: bool
    retry_after: float | None = None
    credentials: Credentials = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    ahead: float | None = None


@dataclass
class Watch:
    """The calls of one step. `rest(host)`: seconds until the host may be called; 0: now."""

    seconds: float
    rest: Callable[[str], float] = lambda host: 0.0
    calls: list[Called] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """Seconds until the step has to be over."""
        return self.seconds - (time.monotonic() - self._began)


_current: ContextVar[Watch | None] = ContextVar("watch", default=None)
observers: list[Callable[[Called], None]] = []  # of every call of this process


@contextmanager
def watched(watch: Watch) -> Iterator[Watch]:
    """All calls of the block, in this thread, are those of one step."""
    token = _current.set(watch)
    try:
        yield watch
    finally:
        _current.reset(token)


def rest(host: str) -> float:
    """Seconds until this host may be called; 0: now."""
    watch = _current.get()
    return watch.rest(host) if watch else 0.0


def left(seconds: float) -> float:
    """What is left of `seconds`, and of the step."""
    watch = _current.get()
    return min(seconds, watch.left()) if watch else seconds


def tell(called: Called) -> None:
    if watch := _current.get():
        watch.calls.append(called)
    for observer in observers:
        observer(called)
