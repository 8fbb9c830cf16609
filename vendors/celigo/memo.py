"""Celigo's memo: the licence of each connection.

It is part of the account's memo, below the connection's reference, because it must outlive attempts
that were given up, and a disconnect: `{"licences": {reference: {...}}}`, each with

    email, before   for whom a licence was announced, and the ids that were listed for them before
    id              of the licence, once it is created
    former          when it would have ended, stored when a disconnect ends it ("": it had no end)
    lost, pause     how often an answer was lost and nothing was found; until when we wait then
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from vendors.contract import JsonObject, Memo, Order
from vendors.contract.backoff import pause_after

from .client import format_time

LONGEST_PAUSE = timedelta(minutes=15)


class LicenceMemo:
    """Reads what is stored for the order's connection. What changes it returns the account's memo."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._licences: Mapping[str, Memo] = order.memos.account.get("licences", {})
        self._fields: Memo = self._licences.get(order.reference, {})

    @property
    def email(self) -> str:
        """Empty until a licence is announced."""
        return str(self._fields.get("email", ""))

    @property
    def announced_email(self) -> str:
        """Raises KeyError if no licence was announced."""
        return str(self._fields["email"])

    @property
    def listed_before(self) -> list[str]:
        return list(self._fields.get("before", ()))

    @property
    def licence_id(self) -> str:
        """The licence that was created for this connection, or that it is connected with; or ""."""
        return str(self._fields.get("id") or self._order.shop_id)

    @property
    def is_ended(self) -> bool:
        """Whether a disconnect has ended the licence."""
        return "former" in self._fields

    @property
    def former_end(self) -> datetime | None:
        return self._time("former")

    @property
    def lost_answers(self) -> int:
        return int(self._fields.get("lost", 0))

    @property
    def paused_until(self) -> datetime | None:
        return self._time("pause")

    def _time(self, key: str) -> datetime | None:
        written = self._fields.get(key)
        return datetime.fromisoformat(written) if written else None

    def belongs_to_sibling(self, licence_id: str) -> bool:
        """Whether another shop of this merchant has the licence, though it is not installed yet."""
        return any(
            fields.get("id") == licence_id
            for reference, fields in self._licences.items()
            if reference != self._order.reference
        )

    # -- changes ---------------------------------------------------------------------------------

    def unchanged(self) -> JsonObject:
        return self._account(self._fields)

    def announced(self, email: str, listed: Iterable[str]) -> JsonObject:
        """The count of lost answers stays for the same address."""
        same = self.email == email
        lost = {"lost": self.lost_answers} if same and self.lost_answers else {}
        return self._account({"email": email, "before": list(listed), **lost})

    def created(self, email: str, licence_id: str) -> JsonObject:
        return self._account({"email": email, "id": licence_id})

    def answer_lost(self) -> JsonObject:
        """Nothing was found after a lost answer. It may still arrive, so the pauses grow."""
        lost_answers = self.lost_answers + 1
        pause = self._order.now + pause_after(lost_answers, longest=LONGEST_PAUSE)
        return self._account({**self._fields, "lost": lost_answers, "pause": pause.isoformat()})

    def ended(self, licence_id: str, former_end: datetime | None) -> JsonObject:
        former = format_time(former_end) if former_end else ""
        return self._account({**self._fields, "id": licence_id, "former": former})

    def renewed_while_ended(self, end: datetime) -> JsonObject:
        """A reconnect will let the licence run until `end`."""
        return self._account({**self._fields, "former": format_time(end)})

    def not_ended(self) -> JsonObject:
        fields = {key: self._fields[key] for key in self._fields if key != "former"}
        return self._account(fields)

    def deleted(self) -> JsonObject:
        return self._account({})

    def _account(self, fields: Memo) -> JsonObject:
        licences = {**self._licences, self._order.reference: dict(fields)}
        return {**self._order.memos.account, "licences": licences}
