"""Pages that change by themselves: an element that asks again until it is not there."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from onboarding.background import runner
from onboarding.models import Attempt, Connection, Merchant

SOON, OFTEN, SELDOM = (5, 2), (11, 5), 15  # (up to this look, seconds until it), then 15 seconds
IN_LINE = 10  # seconds at least where there is no news before a line of others is through


@dataclass(frozen=True)
class Poll:
    """`url` holds which look it is and the version that the page shows."""

    url: str
    seconds: int


def poll(name: str, merchant: Merchant, row: Attempt | Connection, look: int = 0) -> Poll:
    """The next look of the page whose fragment has this URL name."""
    vendor = row.connection.vendor if isinstance(row, Attempt) else row.vendor
    least = IN_LINE if runner.executor.crowded(vendor) else 0
    query = urlencode({"look": look, "version": row.version})
    url = f"{reverse(name, args=[merchant.reference, row.reference])}?{query}"
    return Poll(url, max(wait(look), least))


def wait(look: int) -> int:
    """Seconds before a look: 2 for the first five, 5 for the next six, then 15."""
    return next((seconds for last, seconds in (SOON, OFTEN) if look < last), SELDOM)


def seen(request: HttpRequest) -> tuple[int, int]:
    """(look, version) of a request for a fragment; zeros for what cannot be read."""
    look, version = request.GET.get("look", ""), request.GET.get("version", "")
    return _number(look), _number(version)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0
