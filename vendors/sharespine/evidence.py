"""What Sharespine itself says of a connected shop: the Tenant API's root, and how many orders flow.

An order counts once, by its id; the filter is inclusive, so what was seen is told apart by a hash.
Nothing else of an order is kept, or read. The account's memo keeps `"orders": {"cursor": time,
"count": number, "last": time | None, "known": [hash]}`: orders belong to the tenant, not to a shop.
Source: https://developers.sharespine.com/docs/tutorials/tenantapi/orders.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from vendors.contract import Garbled, Memo, Refused, Text, VendorError, text

from .client import Seen, TenantClient, moment

FIRST = timedelta(hours=24)  # without a filter, all orders of all time would be returned
SHORT = timedelta(hours=1)  # a second look, when the first was more than we read
AHEAD = timedelta(days=1)  # no clock is that wrong: such a row is nonsense
KNOWN = 1000  # an older order that changes once more counts once more


@dataclass(frozen=True)
class Tally:
    """The orders that we have seen. `cursor`: from where to look next."""

    cursor: datetime
    count: int = 0
    last: datetime | None = None
    known: tuple[str, ...] = ()  # by their last change, the newest last

    def plus(self, rows: Iterable[Seen], now: datetime) -> Tally:
        good = [row for row in rows if self.cursor <= row.modified <= now + AHEAD]
        if not good:
            return self
        good.sort(key=lambda row: row.modified)
        changed = {_key(row): row.modified for row in good}
        kept = [key for key in self.known if key not in changed]
        news = sorted(changed, key=lambda key: changed[key])
        return Tally(
            cursor=self._next(changed, min(good[-1].modified, now)),
            count=self.count + len(changed.keys() - set(self.known)),
            last=max(good[-1].modified, self.last or good[-1].modified),
            known=tuple([*kept, *news][-KNOWN:]),
        )

    def _next(self, changed: dict[str, datetime], newest: datetime) -> datetime:
        """More at one moment than we can know again: past it, or they would count at each look."""
        again = sum(at >= newest for at in changed.values())
        return max(self.cursor, newest + timedelta(milliseconds=1) if again > KNOWN else newest)

    def dump(self) -> dict[str, Any]:
        last = moment(self.last) if self.last else None
        known = list(self.known)
        return {"cursor": moment(self.cursor), "count": self.count, "last": last, "known": known}


def _key(row: Seen) -> str:
    return hashlib.blake2b(row.id.encode(), digest_size=8).hexdigest()


def tally(memo: Memo, now: datetime) -> Tally:
    notes = memo.get("orders")
    if not notes:
        return Tally(cursor=now - FIRST)
    last = datetime.fromisoformat(notes["last"]) if notes["last"] else None
    cursor = datetime.fromisoformat(notes["cursor"])
    return Tally(cursor=cursor, count=notes["count"], last=last, known=tuple(notes["known"]))


def confirm(api: TenantClient, memo: Memo, now: datetime) -> tuple[dict[str, Any], Text]:
    """The account's new memo and the evidence. Raises what the root says: the root decides.

    Orders are evidence only: a list that does not come, or cannot be read, unsettles nothing.
    """
    _ask_root(api, memo["tenant"])
    before = tally(memo, now)
    try:
        after = _look(api, before, now)
    except VendorError:
        return dict(memo), _evidence(before, read=False)
    # Nothing could be read: the next look begins later, or it would never be short enough.
    kept = after or replace(before, cursor=max(before.cursor, now - SHORT))
    return {**memo, "orders": kept.dump()}, _evidence(kept, read=after is not None)


def _ask_root(api: TenantClient, tenant: str) -> None:
    try:
        root = api.root()
    except Refused as no:
        if no.status in (401, 403):
            raise _locked_out(no, tenant) from None
        raise
    if root.off:
        detail = f"GET /api/ says that the API connection of the tenant {tenant} is not active"
        raise Refused(detail, who="staff", code="inactive")


def _locked_out(no: Refused, tenant: str) -> Refused:
    """Which of the three it is, Sharespine does not document."""
    ways = "wrong API password, or the tenant or its API connection is off"
    detail = f"{no.detail} for the tenant {tenant}: {ways}"
    refused = Refused(detail, who="staff", status=no.status, code=no.code)
    refused.cause = "api-password"
    return refused


def _look(api: TenantClient, before: Tally, now: datetime) -> Tally | None:
    """An unreadable list, mostly one that is too long, is asked for once more, and shorter."""
    for since in dict.fromkeys((before.cursor, max(before.cursor, now - SHORT))):
        try:
            return before.plus(api.orders(since), now)
        except Garbled:
            continue
    return None


def _evidence(seen: Tally, *, read: bool) -> Text:
    if seen.last:
        return text(
            "Sharespine confirms the connection. Orders seen: %(count)s, the last at %(time)s.",
            count=str(seen.count),
            time=seen.last,
        )
    if read:
        return text("Sharespine confirms the connection. No orders seen yet.")
    return text("Sharespine confirms the connection. We could not read its orders.")
