"""Evidence of a connected shop from the Tenant API: its root answers, and orders are counted.

An order counts once, by its id. The filter is inclusive, so hashes tell which orders were counted
before. Nothing else of an order is read or stored.
Source: https://developers.sharespine.com/docs/tutorials/tenantapi/orders.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from vendors.contract import Garbled, JsonObject, Refused, Text, VendorError, text

from .client import OrderRow, TenantClient
from .memo import OrderTally, SpaceMemo

SHORT_PERIOD = timedelta(hours=1)  # for a second try, if the first list was longer than we read
CLOCK_SKEW = timedelta(days=1)  # no clock is that wrong: a row beyond it is nonsense
KNOWN = 1000  # an order older than these counts again if it changes


def confirm(api: TenantClient, memo: SpaceMemo, now: datetime) -> tuple[JsonObject, Text]:
    """The account's new memo and the evidence. Raises what the root raises, because it decides.

    Orders are evidence only: a list that fails or cannot be read does not lower the shop.
    """
    _check_root(api, memo.tenant)
    before = memo.tally(now)
    try:
        after = _count(api, before, now)
    except VendorError:
        return memo.unchanged(), _evidence(before, read=False)
    # If nothing could be read, the next period begins later, or it would never be short enough.
    tally = after or replace(before, cursor=max(before.cursor, now - SHORT_PERIOD))
    return memo.counted(tally), _evidence(tally, read=after is not None)


def _check_root(api: TenantClient, tenant: str) -> None:
    try:
        root = api.root()
    except Refused as refusal:
        if refusal.status in (401, 403):
            raise _credentials_refused(refusal, tenant) from None
        raise
    if root.is_off:
        detail = f"GET /api/ says that the API connection of the tenant {tenant} is not active"
        raise Refused(detail, who="staff", code="inactive")


def _credentials_refused(refusal: Refused, tenant: str) -> Refused:
    """Sharespine does not document which of the three reasons it is."""
    reasons = "wrong API password, or the tenant or its API connection is off"
    return Refused(
        f"{refusal.detail} for the tenant {tenant}: {reasons}",
        who="staff",
        status=refusal.status,
        code=refusal.code,
        cause="api-password",
    )


def _count(api: TenantClient, before: OrderTally, now: datetime) -> OrderTally | None:
    """A list that is unreadable, mostly because it is too long, is fetched again for less time."""
    for since in dict.fromkeys((before.cursor, max(before.cursor, now - SHORT_PERIOD))):
        try:
            return add_orders(before, api.orders(since), now)
        except Garbled:
            continue
    return None


def add_orders(before: OrderTally, rows: Iterable[OrderRow], now: datetime) -> OrderTally:
    good = [row for row in rows if before.cursor <= row.modified <= now + CLOCK_SKEW]
    if not good:
        return before
    good.sort(key=lambda row: row.modified)
    changed = {_hash(row): row.modified for row in good}
    older = [key for key in before.known if key not in changed]
    newer = sorted(changed, key=lambda key: changed[key])
    newest = good[-1].modified
    return OrderTally(
        cursor=max(before.cursor, _next_cursor(changed, min(newest, now))),
        count=before.count + len(changed.keys() - set(before.known)),
        last=max(newest, before.last or newest),
        known=tuple([*older, *newer][-KNOWN:]),
    )


def _next_cursor(changed: dict[str, datetime], newest: datetime) -> datetime:
    """Past the newest if more orders changed then than we can know: they would count each time."""
    at_newest = sum(at >= newest for at in changed.values())
    return newest + timedelta(milliseconds=1) if at_newest > KNOWN else newest


def _hash(row: OrderRow) -> str:
    return hashlib.blake2b(row.id.encode(), digest_size=8).hexdigest()


def _evidence(tally: OrderTally, *, read: bool) -> Text:
    if tally.last:
        return text(
            "Sharespine confirms the connection. Orders so far: %(count)s, the last one %(time)s.",
            count=str(tally.count),
            time=tally.last,
        )
    if read:
        return text("Sharespine confirms the connection. No orders yet.")
    return text("Sharespine confirms the connection. We could not read its orders.")
