"""Backoff between creations: exponential pauses after a creation whose answer was lost.

The vendor lists nothing of it, but it may still arrive: the next creation waits for the pause.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from .errors import Unavailable
from .order import text

FIRST_PAUSE = timedelta(seconds=30)


def pause_after(lost_answers: int, *, longest: timedelta) -> timedelta:
    """The pause before the next creation: 30 s, doubled with each lost answer (`lost_answers` ≥ 1)."""
    return min(FIRST_PAUSE * (1 << min(lost_answers - 1, 16)), longest)


def raise_while_paused(paused_until: datetime | None, now: datetime) -> None:
    """Raise Unavailable, with `retry_after`, until the pause is over. None: there is no pause."""
    if paused_until is not None and paused_until > now:
        note = text("We try again in a moment. We wait so that nothing is created twice.")
        seconds = (paused_until - now).total_seconds()
        raise Unavailable("a lost creation may still arrive", note=note, retry_after=seconds)
