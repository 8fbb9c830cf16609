"""What the flow remembers between two calls. Only this module knows the keys.

The connection's memo:

    shop         the vendor's id of the shop, once it is created
    lost         how many answers of creations were lost
    not_before   POSIX seconds: no creation before, because a lost one may still arrive

The account has no memo: what belongs to one shop belongs to its connection.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from vendors.contract import Memo, Order
from vendors.contract.backoff import pause_after

LONGEST_PAUSE = timedelta(hours=1)


class ShopMemo:
    """Reads the memo. What changes it returns the memo as a step stores it."""

    def __init__(self, order: Order) -> None:
        self._draft: Memo = order.memos.connection
        self._known = (
            str(self._draft.get("shop", "")),
            str(order.live.connection.get("shop", "")),  # a reconnect begins with the working shop
            order.connection_key,  # survives a memo that cannot be read any more
        )

    @property
    def shop_id(self) -> str:
        """Empty until a shop is created."""
        return next(filter(None, self._known), "")

    @property
    def paused_until(self) -> datetime | None:
        seconds = self._draft.get("not_before")
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

    def unchanged(self) -> Memo:
        return self._draft

    def answer_lost(self, now: datetime) -> Memo:
        lost = int(self._draft.get("lost", 0)) + 1
        pause = pause_after(lost, longest=LONGEST_PAUSE)
        return {**self._draft, "lost": lost, "not_before": (now + pause).timestamp()}


def created(shop_id: str) -> Memo:
    """The memo once the shop exists."""
    return {"shop": shop_id}
