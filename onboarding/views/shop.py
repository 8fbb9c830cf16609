"""What we say about a shop: the one next thing, and what we know and how."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from ..models import Attempt, Connection
from ..situation import Status
from .outlook import vendor_name


def hint(shop: Connection) -> str:
    """The one next thing, in a line."""
    words = {"vendor": vendor_name(shop.vendor)}
    if shop.status == Status.CONNECTED and is_doubted(shop):
        return gettext("Connected through %(vendor)s; the last check got no answer") % words
    if shop.status == Status.CONNECTED:
        return gettext("Connected through %(vendor)s") % words
    if shop.status == Status.DISCONNECTED:
        return gettext("Through %(vendor)s") % words
    if shop.answer == "redirect":
        return gettext("Continue at %(vendor)s") % words
    if shop.answer == "progress":
        return gettext("We are working on it at %(vendor)s") % words
    return shop.sentence or gettext("Through %(vendor)s") % words


def is_doubted(shop: Connection) -> bool:
    """Connected as far as we know, but the last check could not confirm it."""
    return shop.status == Status.CONNECTED and shop.answer != "connected"


def evidence(shop: Connection) -> list[dict[str, Any]]:
    """What we know and how, in the order it happened: rows of a key and a moment or a sentence."""
    words = {"vendor": vendor_name(shop.vendor)}
    came, told = gettext("You came back"), gettext("You told us that you have finished")
    confirmed = gettext("Confirmed by %(vendor)s") % words
    known: list[tuple[str, datetime | str | None]] = [
        (came, shop.returned_at),
        (told, shop.told_at),
        (confirmed, _confirmed(shop)),
        (gettext("Last checked"), shop.checked_at),
        (gettext("Not confirmed since"), shop.checked_at if is_doubted(shop) else None),
        (gettext("Ends"), shop.expires),
    ]
    return [{"key": key, "value": value} for key, value in known if value]


def _confirmed(shop: Connection) -> datetime | str | None:
    if shop.status == Status.CONNECTED and shop.confirmed_at is None:
        return gettext("No, it has not told us anything")
    return shop.confirmed_at


def stopped(shop: Connection) -> list[str]:
    """What ended here, what at the vendor, and what the merchant still must do."""
    if shop.status != Status.DISCONNECTED:
        return []
    ends = shop.attempts.filter(purpose=Attempt.Purpose.END, answer="done")
    if (last := ends.first()) is None:
        return []
    return [str(event) for event in last.events.filter(status=Status.DISCONNECTED)]
