"""How an attempt stands, for its page: what happened, whose turn it is, the one thing to do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from vendors.contract import Vendor

from .. import journey
from ..journey import orders
from ..models import Attempt, Connection, User
from ..situation import Turn, dumped, shown
from . import ends
from .answers import ANSWERS, Outlook, redirect
from .asked import asked

OVER = {"connected", "done"}
RESTING = {"merchant", ""}  # turns in which nothing changes by itself


def outlook(attempt: Attempt, user: User) -> Outlook:
    """How the attempt stands, for this reader."""
    slug = attempt.connection.vendor
    words = {"vendor": orders.vendor_name(slug), "shop": attempt.connection.name}
    if attempt.ended or attempt.answer in OVER:
        return _end(attempt, words)
    if orders.vendor_of(slug) is None:
        return ends.off(words)
    if attempt.answer == "redirect":
        return redirect(attempt, user, words)
    return ANSWERS[attempt.answer](attempt, words)


def _end(attempt: Attempt, words: dict[str, str]) -> Outlook:
    match attempt.answer:
        case "connected" | "done" if attempt.purpose == Attempt.Purpose.ACT:
            return ends.acted(attempt, words)
        case "connected":
            return ends.connected(attempt, words)
        case "done" if attempt.purpose == Attempt.Purpose.PAUSE:
            return ends.paused(attempt, words)
        case "done":
            return ends.disconnected(attempt, words)
        case "expired":
            return ends.expired(attempt, words)
        case "wrong_shop" if journey.found_elsewhere(attempt):
            return ends.kept()
    return ends.stopped(words)


def whose(attempt: Attempt) -> str:
    """Whose turn it is, in words; nothing when it is over."""
    if attempt.ended:
        return ""
    words = {"vendor": orders.vendor_name(attempt.connection.vendor)}
    return {
        "merchant": gettext("It is your turn"),
        "vendor": gettext("%(vendor)s is at work") % words,
        "us": gettext("We are at work"),
        "staff": gettext("Our staff are at work"),
    }.get(attempt.turn, "")


def next_try(attempt: Attempt) -> datetime | None:
    """When we ask the vendor again by ourselves, where that is worth saying."""
    told = attempt.answer in {"unavailable", "waiting"} and attempt.ended is None
    return attempt.due_at if told else None


def link(row: Attempt | Connection) -> str:
    """What the vendor wants opened, if it is an address of the web."""
    return row.link if row.link.startswith(("https://", "http://")) else ""


def moves(attempt: Attempt) -> bool:
    """Whether the page may change while the merchant only looks at it; a form stays as it is."""
    asked_again = attempt.due_at is not None and not asked(attempt)
    return attempt.ended is None and (attempt.turn not in RESTING or asked_again)


def checklist(attempt: Attempt, vendor: Vendor | None) -> list[Mapping[str, Any]]:
    """The vendor's preparations; a tick is a committed checkpoint."""
    if vendor is None:
        return []
    items = [(key, shown(dumped(said))) for key, said in vendor.checklist]
    ahead = [key for key, _ in items if key not in attempt.ticks]
    announced = attempt.connection.account.doing
    doing = announced if announced in ahead else next(iter(ahead), "")
    working = doing if attempt.turn == Turn.US else ""
    states = dict.fromkeys(ahead, "ahead") | {working: "doing"}
    return [{"text": said, "state": states.get(key, "done")} for key, said in items]
