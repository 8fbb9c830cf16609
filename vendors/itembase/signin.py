"""The merchant's sign-in at itembase: OAuth tokens as the account's memo keeps them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from vendors.contract import Memo, Order

from .client import Grant

ACCESS_SECONDS = 3600  # the shortest life the guide names, for a reply without `expires_in`
YEAR = 365 * 86400
YOUNG_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """Tokens and whose they are; `user` is "" until itembase was asked. Times are POSIX seconds."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    at: float
    until: float
    user: str = ""

    def memo(self) -> dict[str, Any]:
        return asdict(self)

    def of(self, user: str) -> SignIn:
        return replace(self, user=user)

    def renewed(self, grant: Grant, now: datetime) -> SignIn:
        """A refresh token that the answer leaves out stays valid (RFC 6749, section 6)."""
        return replace(signed_in(grant, now, old_refresh=self.refresh), user=self.user)

    def young(self, now: datetime) -> bool:
        """Just issued and not over by its own account: renewing it once more would not help."""
        return now.timestamp() - self.at < YOUNG_SECONDS and not self.expired(now)

    def expired(self, now: datetime) -> bool:
        return now.timestamp() >= self.until


def signed_in(grant: Grant, now: datetime, old_refresh: str = "") -> SignIn:
    life = seconds(grant.expires_in, ACCESS_SECONDS)
    return SignIn(
        access=grant.access_token,
        refresh=grant.refresh_token or old_refresh,
        at=now.timestamp(),
        until=now.timestamp() + max(life, 1),  # one that lasts no time would be renewed for ever
    )


def seconds(given: int | None, default: int) -> int:
    """A documented life time, kept within what a calendar can hold."""
    return default if given is None else min(max(given, 0), YEAR)


def signed_out(order: Order) -> dict[str, Any]:
    """A draft that forgets dead tokens; its time lets a later sign-in of a sibling win."""
    return {"at": order.now.timestamp()}


def current(order: Order) -> SignIn | None:
    """The newest sign-in: the attempt's own, or the live one if a sibling renewed it since."""
    draft, live = order.memos.account, order.live.account
    if _when(live) > _when(draft):
        draft = live
    if not draft.get("access"):
        return None
    return SignIn(**{name: draft[name] for name in SignIn.__dataclass_fields__})


def _when(memo: Memo) -> float:
    return float(memo.get("at", 0))
