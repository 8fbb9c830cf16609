"""How an attempt stands, for its page: what happened, whose turn it is, the one thing to do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from vendors.contract import Vendor

from ..journey import orders
from ..models import Attempt, Connection, User
from ..situation import Turn, dumped, shown
from .answers import ANSWERS, Outlook, connected, disconnected, expired, off, redirect, stopped

RESTING = {"merchant", ""}  # turns in which nothing changes by itself


def vendor_name(slug: str) -> str:
    """The vendor's name, also when it is switched off."""
    vendor = orders.vendor_of(slug)
    return vendor.name if vendor else slug.replace("-", " ").title()


def outlook(attempt: Attempt, user: User) -> Outlook:
    """How the attempt stands, for this reader."""
    slug = attempt.connection.vendor
    words = {"vendor": vendor_name(slug), "shop": attempt.connection.name}
    if attempt.answer == "connected":
        return connected(attempt, words)
    if attempt.answer == "done":
        return disconnected(attempt, words)
    if attempt.ended:
        return expired(attempt, words) if attempt.answer == "expired" else stopped(words)
    if orders.vendor_of(slug) is None:
        return off(words)
    if attempt.answer == "redirect":
        return redirect(attempt, user, words)
    return ANSWERS[attempt.answer](attempt, words)


def whose(attempt: Attempt) -> str:
    """Whose turn it is, in words; nothing when it is over."""
    if attempt.ended:
        return ""
    words = {"vendor": vendor_name(attempt.connection.vendor)}
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
    """Whether the page may change while the merchant only looks at it."""
    return attempt.ended is None and attempt.turn not in RESTING


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
