"""Sharespine's memo: the merchant's space there. It belongs to the account; a connection has none.

tenant       code name of the tenant
users        our user id → login of that member's tenant user
api_user     login of the API user
connection   id of the API connection, which is created last
active       False once we have switched the tenant off, or asked Sharespine to
orders       what was counted (see `OrderTally`): orders belong to the tenant, not to a shop
forgotten    keys of things that were created, or not, before an unreadable memo was replaced
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from vendors.contract import JsonObject, Memo, Order

from .client import format_time

CREATIONS = ("tenant", "user", "api_user", "connection")  # in this order
FIRST_PERIOD = timedelta(hours=24)  # without a filter, all orders of all time would be returned


@dataclass(frozen=True)
class OrderTally:
    """The orders counted so far. `cursor` is where to look next; `known` are hashes of their ids."""

    cursor: datetime
    count: int = 0
    last: datetime | None = None
    known: tuple[str, ...] = ()  # by their last change, the newest last

    @classmethod
    def read(cls, fields: Memo | None, now: datetime) -> OrderTally:
        if not fields:
            return cls(cursor=now - FIRST_PERIOD)
        last = datetime.fromisoformat(fields["last"]) if fields["last"] else None
        cursor = datetime.fromisoformat(fields["cursor"])
        return cls(cursor=cursor, count=fields["count"], last=last, known=tuple(fields["known"]))

    def fields(self) -> JsonObject:
        last = format_time(self.last) if self.last else None
        known = list(self.known)
        return {
            "cursor": format_time(self.cursor),
            "count": self.count,
            "last": last,
            "known": known,
        }


class SpaceMemo:
    """Reads the account's memo. What changes it returns the memo as a step stores it."""

    def __init__(self, order: Order) -> None:
        self._fields: Memo = order.memos.account

    @property
    def tenant(self) -> str:
        """Empty until it is created."""
        return str(self._fields.get("tenant") or "")

    def login(self, user_id: str) -> str:
        """Of a member for whom a user was created."""
        return str(self._fields["users"][user_id])

    @property
    def api_login(self) -> str:
        return str(self._fields["api_user"])

    @property
    def connection_id(self) -> str:
        return str(self._fields["connection"])

    @property
    def is_complete(self) -> bool:
        return "connection" in self._fields

    @property
    def is_switched_off(self) -> bool:
        return self._fields.get("active") is False

    def missing(self, user_id: str) -> list[str]:
        """Keys of what must still be created before this member can sign in."""
        has_user = user_id in self._fields.get("users", {})
        return [
            key for key in CREATIONS if not (has_user if key == "user" else self._fields.get(key))
        ]

    def is_forgotten(self, key: str) -> bool:
        return key in self._fields.get("forgotten", ())

    def tally(self, now: datetime) -> OrderTally:
        return OrderTally.read(self._fields.get("orders"), now)

    # -- changes ---------------------------------------------------------------------------------

    def unchanged(self) -> JsonObject:
        return dict(self._fields)

    def switched(self, *, active: bool) -> JsonObject:
        return switched(self._fields, active=active)

    def counted(self, tally: OrderTally) -> JsonObject:
        return {**self._fields, "orders": tally.fields()}

    def created(self, key: str, id: str, user_id: str) -> JsonObject:
        fields = self.settled(key)
        if key == "user":
            return {**fields, "users": {**fields.get("users", {}), user_id: id}}
        return {**fields, key: id}

    def missed(self, key: str) -> JsonObject:
        """Staff found nothing. What they may have entered before was wrong."""
        fields = self.settled(key)
        return {name: fields[name] for name in fields if name != key}

    def settled(self, key: str) -> JsonObject:
        """It is known now whether this was created."""
        others = [each for each in self._fields.get("forgotten", ()) if each != key]
        fields = {name: self._fields[name] for name in self._fields if name != "forgotten"}
        return {**fields, "forgotten": others} if others else fields


def switched(memo: Memo, *, active: bool) -> JsonObject:
    return {**memo, "active": active}


def restored_memo(tenant: str) -> JsonObject:
    """The memo of an account of which only the tenant is still known: staff look for the rest."""
    return {"tenant": tenant, "forgotten": list(CREATIONS[1:])}
