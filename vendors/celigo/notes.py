"""What we keep of a connection's licence.

It stands in the account's memo, below the connection's reference, because it must outlive attempts
that were given up, and a disconnect: `{"licences": {reference: {...}}}`, each with

    email, before   for whom a licence was announced, and the ids that were listed for them before
    id              of the licence, once it is made
    former          when it would have ended, kept when it is ended by a disconnect
    lost, pause     how often an answer was lost and nothing was found; until when we wait then
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from vendors.contract import Order, Unavailable, text

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=15)


def mine(order: Order) -> dict[str, Any]:
    """This connection's notes, to be changed and handed to `kept`."""
    return dict(order.memos.account.get("licences", {}).get(order.reference, {}))


def kept(order: Order, note: Mapping[str, Any]) -> dict[str, Any]:
    """The account's memo with these notes of the connection."""
    memo = order.memos.account
    return {**memo, "licences": {**memo.get("licences", {}), order.reference: dict(note)}}


def without(note: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: note[key] for key in note if key not in keys}


def licence_id(order: Order) -> str:
    """The licence that was made for this connection, or found to be its own."""
    return str(mine(order).get("id") or order.shop_id)


def sibling(order: Order, id: str) -> bool:
    """Whether another shop of this merchant has the licence, though it is not installed yet."""
    notes: Mapping[str, Mapping[str, Any]] = order.memos.account.get("licences", {})
    return any(
        note.get("id") == id for reference, note in notes.items() if reference != order.reference
    )


def at(written: str) -> datetime:
    return datetime.fromisoformat(written)


def time(note: Mapping[str, Any], key: str) -> datetime | None:
    return at(note[key]) if note.get(key) else None


def same(one: str, other: str) -> bool:
    """E-mail addresses are compared as integrator.io does: whatever their case."""
    return one.strip().casefold() == other.strip().casefold()


def lost(order: Order, note: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing was found after a lost answer. It may still arrive: ever longer pauses."""
    times = int(note.get("lost", 0)) + 1
    pause = min(FIRST_PAUSE * (1 << min(times - 1, 10)), LONGEST_PAUSE)
    return {**note, "lost": times, "pause": (order.now + pause).isoformat()}


def rest(order: Order, note: Mapping[str, Any]) -> None:
    """Raises Unavailable until the pause is over."""
    until = time(note, "pause")
    if until is not None and until > order.now:
        said = text("We make sure that nothing is made twice, and go on in a moment.")
        left = (until - order.now).total_seconds()
        raise Unavailable("a lost creation may still arrive", note=said, retry_after=left)
