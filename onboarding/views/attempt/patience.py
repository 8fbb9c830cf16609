"""What a page says while somebody waits: other words after 10 s and after 60 s, and when the next try is.

The page is right when it is loaded, by the time since the wait began; without JavaScript it loads itself
again. With JavaScript `waiting.js` changes the words and counts down without a request.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext

from onboarding import clock

LONGER, LONG = 10, 60  # seconds


@dataclass(frozen=True)
class Patience:
    """The words for now, for after LONGER and for after LONG. `waited`: seconds since the wait began."""

    waited: int
    first: str
    longer: str
    long: str

    @property
    def words(self) -> str:
        if self.waited < LONGER:
            return self.first
        return self.longer if self.waited < LONG else self.long


def patience(since: datetime | None, first: str, *, longer: str = "", long: str = "") -> Patience:
    """For a wait that began at `since`. The later words promise no mail: who knows of one says so."""
    waited = clock.now() - since if since else None
    return Patience(
        waited=max(int(waited.total_seconds()), 0) if waited else 0,
        first=first,
        longer=longer
        or gettext(
            "This is taking longer than usual. You can close this page, and we’ll continue."
        ),
        long=long
        or gettext(
            "This is taking much longer than usual. You can close this page, and we’ll keep trying."
        ),
    )


@dataclass(frozen=True)
class NextTry:
    """When we ask the vendor again by ourselves. `seconds` until then: 0 when it is about to happen."""

    at: datetime
    seconds: int


def next_try(at: datetime | None) -> NextTry | None:
    if at is None:
        return None
    return NextTry(at, max(math.ceil((at - clock.now()).total_seconds()), 0))
