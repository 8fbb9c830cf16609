"""What we say about a shop: the one next thing, and what we know and how."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext, ngettext

from onboarding.models import Connection
from onboarding.models.status import Answer, Status
from onboarding.registry import vendor_name

RESTING = {Status.PAUSED, Status.DISCONNECTED}
SENTENCES = 3  # of a Done: here, there, and what is left to do


def hint(shop: Connection) -> str:
    """The one next thing, in a line."""
    words = {"vendor": vendor_name(shop.vendor)}
    if shop.secret_waits and shop.status == Status.CONNECTED:
        return gettext("Something is ready that is shown only once: look at it")
    if shop.status == Status.CONNECTED and is_doubted(shop):
        return gettext("Connected through %(vendor)s; the last check got no answer") % words
    if shop.status == Status.CONNECTED:
        return gettext("Connected through %(vendor)s") % words
    if shop.status == Status.DISCONNECTED:
        return gettext("Through %(vendor)s") % words
    if shop.answer == Answer.REDIRECT:
        return gettext("Continue at %(vendor)s") % words
    if shop.answer == Answer.PROGRESS:
        return gettext("We are working on it at %(vendor)s") % words
    return shop.sentence or gettext("Through %(vendor)s") % words


def is_doubted(shop: Connection) -> bool:
    """Connected as far as we know, but the last check could not confirm it."""
    return shop.status == Status.CONNECTED and shop.answer != Answer.CONNECTED


def evidence(shop: Connection) -> list[dict[str, Any]]:
    """What we know and how, in the order it happened: rows of a key and a moment or a sentence."""
    words = {"vendor": vendor_name(shop.vendor)}
    came, told = gettext("You came back"), gettext("You told us that you have finished")
    confirmed = gettext("Confirmed by %(vendor)s") % words
    known: list[tuple[str, datetime | str | None]] = [
        (came, shop.returned_at),
        (told, shop.merchant_finished_at),
        (confirmed, _confirmed(shop)),
        (gettext("Last checked"), shop.checked_at),
        (gettext("Not confirmed since"), shop.checked_at if is_doubted(shop) else None),
    ]
    rows: list[dict[str, Any]] = [{"key": key, "value": value} for key, value in known if value]
    return [*rows, *_end(shop)]


def _end(shop: Connection) -> list[dict[str, Any]]:
    """When it ends, and how many days are left until then."""
    if shop.expires_at is None or shop.status == Status.DISCONNECTED:
        return []
    left = shop.expires_at - timezone.now()
    if left < timedelta(0):
        return [{"key": gettext("Ended"), "value": shop.expires_at}]
    said = gettext("less than a day left")
    if left.days:
        said = ngettext("%(n)s day left", "%(n)s days left", left.days) % {"n": left.days}
    return [{"key": gettext("Ends on"), "value": shop.expires_at, "more": said}]


def _confirmed(shop: Connection) -> datetime | str | None:
    if shop.status == Status.CONNECTED and shop.confirmed_at is None:
        return gettext("No, it has not told us anything")
    return shop.confirmed_at


def changed(shop: Connection) -> list[str]:
    """Of a paused or disconnected shop: what changed here, at the vendor, what is left to do."""
    if shop.status not in RESTING:
        return []
    told = list(shop.events.exclude(status="").order_by("-at", "-pk")[:SENTENCES])
    last = [event for event in told if event.attempt_id == told[0].attempt_id]
    same = takewhile(lambda event: event.status == shop.status, last)
    return [str(event) for event in reversed(list(same))]
