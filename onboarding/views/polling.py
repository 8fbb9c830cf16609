"""Polling: an element that requests its page's fragment again until the fragment has no such element.

Without JavaScript, the page loads itself again. Neither keeps a session alive: nobody need be there.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode

from onboarding import clock
from onboarding.background import runner
from onboarding.models import Attempt, Connection, Merchant
from onboarding.models.status import Answer

View = Callable[..., HttpResponseBase]
RELOAD = "reload"  # in the query of a page that loads itself again (_refresh.html)
FOR_EVER = sys.maxsize  # polls
CROWDED_INTERVAL = 10  # seconds at least while many others wait for the same vendor


class Pace(Enum):
    """How often a page asks: (up to this many polls without news, seconds between them)."""

    LIVELY = ((5, 2), (11, 5), (FOR_EVER, 15))  # somebody waits for what happens next
    QUIET = ((10, 30), (FOR_EVER, 60))  # news is rare, and a hidden tab does not ask at all


@dataclass(frozen=True)
class Poll:
    """The next poll: after `seconds`, of `url`, which holds its number and the version on the page."""

    url: str
    seconds: int
    pace: Pace

    @property
    def is_quiet(self) -> bool:
        return self.pace is Pace.QUIET


def poll(
    name: str,
    merchant: Merchant,
    row: Attempt | Connection,
    number: int = 0,
    pace: Pace = Pace.LIVELY,
) -> Poll:
    """The next poll of a page. `name`: the URL name of its fragment; `number` counts without news."""
    vendor = row.connection.vendor if isinstance(row, Attempt) else row.vendor
    is_crowded = row.answer == Answer.PROGRESS and runner.is_crowded(
        vendor
    )  # who has no answer yet
    least = CROWDED_INTERVAL if is_crowded else 0
    query = urlencode({"look": number, "version": row.version})
    url = f"{reverse(name, args=[merchant.reference, row.reference])}?{query}"
    return Poll(url, max(min(interval(number, pace), _until_next_try(row)), least), pace)


def _until_next_try(row: Attempt | Connection) -> int:
    """Seconds until there may be news, where the page counts down to it."""
    left = (row.due_at - clock.now()).total_seconds() if row.due_at else 0
    return math.ceil(left) + 1 if left > 0 else FOR_EVER


def interval(number: int, pace: Pace = Pace.LIVELY) -> int:
    """Seconds before a poll."""
    intervals: tuple[tuple[int, int], ...] = pace.value
    return next(seconds for upto, seconds in intervals if number < upto)


def polled(request: HttpRequest) -> tuple[int, int]:
    """(number, version) of a poll; zeros for what is not a number."""
    number, version = request.GET.get("look", ""), request.GET.get("version", "")
    return _parse(number), _parse(version)


def _parse(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def asked_by_itself(view: View) -> View:
    """A view that a page asks for without anybody doing anything."""
    view.asked_by_itself = True  # type: ignore[attr-defined]
    return view


def is_poll(request: HttpRequest, view: object) -> bool:
    """Whether the page asks for this by itself."""
    return getattr(view, "asked_by_itself", False) or RELOAD in request.META.get(
        "QUERY_STRING", ""
    ).split("&")
