"""Shops at itembase in words, so that a merchant can tell them apart.

itembase gives a shop neither a name nor a date, so its label says what is known here: what the merchant
called it, its address, until when it was connected, when it was first listed, and the end of its id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from vendors.contract import Order, Text, text

from .client import Instance
from .memo import Draft
from .offer import platform_name

VALID, PENDING = "connection.valid", "connection.pending"
ID_END = 6  # characters of an id that tell it from others of one merchant
State = Literal["valid", "pending", "attention"]


def needs_attention(shop: Instance) -> bool:
    """Statuses of a connection beyond valid and pending are undocumented."""
    status = shop.status or ""
    return status.startswith("connection.") and status not in (VALID, PENDING)


def choices(shops: Sequence[Instance], order: Order, draft: Draft) -> tuple[tuple[str, Text], ...]:
    """The shops as choices of a question."""
    return tuple((shop.id, _label(shop, order, draft)) for shop in shops)


def connected(shops: Sequence[Instance], order: Order) -> Text | None:
    """Which of the merchant's shops at itembase are connected already; None if none is."""
    known = [shop for each in shops if (shop := order.known_shop(each.id))]
    if not known:
        return None
    names = ", ".join(f"“{shop.name}”" for shop in known)
    return text("Already connected: %(names)s.", names=names)


def _label(shop: Instance, order: Order, draft: Draft) -> Text:
    """By what is known, the most telling first."""
    state, known, last = _state(shop), order.known_shop(shop.id), order.last_used(shop.id)
    words: dict[str, str | datetime] = {
        "platform": platform_name(order.connector), "end": shop.id[-ID_END:],
    }  # fmt: skip
    if known and last:
        words |= {"name": known.name, "address": known.address, "time": last}
        return _with_address(state, words) if known.address else _with_name(state, words)
    if last:
        return _used(state, {**words, "time": last})
    words["time"] = draft.first_seen(shop.id, order.now)
    is_new = draft.was_listed and shop.id not in draft.listed_before
    return _added(state, words) if is_new else _seen(state, words)


def _state(shop: Instance) -> State:
    if shop.status == VALID:
        return "valid"
    return "attention" if needs_attention(shop) else "pending"


def _with_address(state: State, words: Mapping[str, str | datetime]) -> Text:
    said: Mapping[State, Text] = {
        "valid": text("“%(name)s”, %(address)s, connected to us until %(time)s", **words),
        "pending": text(
            "“%(name)s”, %(address)s, connected to us until %(time)s, being checked by itembase",
            **words,
        ),
        "attention": text(
            "“%(name)s”, %(address)s, connected to us until %(time)s, needs attention at itembase",
            **words,
        ),
    }
    return said[state]


def _with_name(state: State, words: Mapping[str, str | datetime]) -> Text:
    said: Mapping[State, Text] = {
        "valid": text("“%(name)s”, connected to us until %(time)s", **words),
        "pending": text(
            "“%(name)s”, connected to us until %(time)s, being checked by itembase", **words
        ),
        "attention": text(
            "“%(name)s”, connected to us until %(time)s, needs attention at itembase", **words
        ),
    }
    return said[state]


def _used(state: State, words: Mapping[str, str | datetime]) -> Text:
    """A shop that another business here had."""
    said: Mapping[State, Text] = {
        "valid": text(
            "%(platform)s shop with the itembase ID …%(end)s, connected to us until %(time)s",
            **words,
        ),
        "pending": text(
            "%(platform)s shop with the itembase ID …%(end)s, connected to us until %(time)s, being"
            " checked by itembase",
            **words,
        ),
        "attention": text(
            "%(platform)s shop with the itembase ID …%(end)s, connected to us until %(time)s, needs"
            " attention at itembase",
            **words,
        ),
    }
    return said[state]


def _added(state: State, words: Mapping[str, str | datetime]) -> Text:
    """A shop that was not there before the merchant left for itembase."""
    said: Mapping[State, Text] = {
        "valid": text(
            "%(platform)s shop added %(time)s, not connected to us yet, itembase ID …%(end)s",
            **words,
        ),
        "pending": text(
            "%(platform)s shop added %(time)s, being checked by itembase, itembase ID …%(end)s",
            **words,
        ),
        "attention": text(
            "%(platform)s shop added %(time)s, needs attention at itembase, itembase ID …%(end)s",
            **words,
        ),
    }
    return said[state]


def _seen(state: State, words: Mapping[str, str | datetime]) -> Text:
    """A shop of which nothing else is known than when itembase first listed it to us."""
    said: Mapping[State, Text] = {
        "valid": text(
            "%(platform)s shop first seen %(time)s, not connected to us yet, itembase ID …%(end)s",
            **words,
        ),
        "pending": text(
            "%(platform)s shop first seen %(time)s, being checked by itembase, itembase ID …%(end)s",
            **words,
        ),
        "attention": text(
            "%(platform)s shop first seen %(time)s, needs attention at itembase, itembase ID …%(end)s",
            **words,
        ),
    }
    return said[state]
