"""Backoff after a creation whose answer was lost and which nobody found: it may still arrive."""

from __future__ import annotations

from datetime import datetime, timedelta

from .errors import Unavailable
from .order import text

FIRST_PAUSE = timedelta(seconds=30)


def pause_after(lost_answers: int, *, longest: timedelta) -> timedelta:
    """How long to wait before the next creation; doubles with each lost answer (`lost_answers` ≥ 1)."""
    return min(FIRST_PAUSE * (1 << min(lost_answers - 1, 16)), longest)


def wait_until(paused_until: datetime | None, now: datetime) -> None:
    """Raise Unavailable until the pause is over."""
    if paused_until is not None and paused_until > now:
        note = text("We make sure that nothing is made twice, and go on in a moment.")
        seconds = (paused_until - now).total_seconds()
        raise Unavailable("a lost creation may still arrive", note=note, retry_after=seconds)
