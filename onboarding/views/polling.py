"""Polling: an element that requests its page's fragment again until the fragment has no such element."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from onboarding.background import runner
from onboarding.models import Attempt, Connection, Merchant
from onboarding.models.status import Answer

INTERVALS = ((5, 2), (11, 5))  # (up to this many polls, seconds between them)
LONGEST_INTERVAL = 15  # seconds, after those
CROWDED_INTERVAL = 10  # seconds at least while many others wait for the same vendor


@dataclass(frozen=True)
class Poll:
    """The next poll: after `seconds`, of `url`, which holds its number and the version on the page."""

    url: str
    seconds: int


def poll(name: str, merchant: Merchant, row: Attempt | Connection, number: int = 0) -> Poll:
    """The next poll of a page. `name`: the URL name of its fragment; `number` counts without news."""
    vendor = row.connection.vendor if isinstance(row, Attempt) else row.vendor
    is_crowded = row.answer == Answer.PROGRESS and runner.is_crowded(
        vendor
    )  # who has no answer yet
    least = CROWDED_INTERVAL if is_crowded else 0
    query = urlencode({"look": number, "version": row.version})
    url = f"{reverse(name, args=[merchant.reference, row.reference])}?{query}"
    return Poll(url, max(interval(number), least))


def interval(number: int) -> int:
    """Seconds before a poll: 2 for the first five, 5 for the next six, then 15."""
    return next((seconds for upto, seconds in INTERVALS if number < upto), LONGEST_INTERVAL)


def polled(request: HttpRequest) -> tuple[int, int]:
    """(number, version) of a poll; zeros for what is not a number."""
    number, version = request.GET.get("look", ""), request.GET.get("version", "")
    return _parse(number), _parse(version)


def _parse(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0
