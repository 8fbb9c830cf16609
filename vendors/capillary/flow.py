"""Access to Capillary's API: a client is made for the merchant, tried out, and shown once.

Nobody is sent anywhere: everything happens between our servers and Capillary's. A lost secret cannot
be read again, so a new client is made, and the old one deleted once the new one works.
Source: "Integrations" of https://github.com/Capillary/api-documentation
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vendors.contract import (
    Connected,
    Done,
    Garbled,
    Item,
    NeedsMerchant,
    Order,
    Progress,
    Rows,
    Step,
    text,
)

from . import profile
from .client import ApiClient
from .offer import CLIENT
from .provisioning import Draft, begun, holds, owner, payload_of, refused, tidy
from .staff import Desk, facts


@dataclass(frozen=True)
class Capillary(Desk):
    # -- connecting ------------------------------------------------------------------------------

    def start(self, order: Order) -> Step:
        """A client that is still valid stays; its secret is not ours to show again."""
        live, draft = order.live.connection, dict(order.memos.connection)
        if not draft and live.get("key") and (found := self._standing(live["key"])):
            return _still(order, found)
        return self._go_on(order, draft or begun(live))

    def answered(self, order: Order, answers: Mapping[str, str]) -> Step:
        """Another name for the client, or the same one after the warning."""
        draft, name = dict(order.memos.connection), tidy(answers.get("name", ""))
        return self._go_on(order, {**draft, "name": name} if name else draft)

    def returned(self, order: Order, params: Mapping[str, str]) -> Step:
        """Nobody is sent away, so nobody comes back."""
        return self.start(order)

    def _go_on(self, order: Order, draft: Draft) -> Step:
        if order.unsure:
            return self._look(order, draft)
        if "secret" in draft:
            return self._try_out(order, draft)
        return self._make(order, draft, self._plan(order))

    def resolve(self, order: Order, found: str | None) -> Step:
        """Its secret was never received: whatever staff found is deleted, and made anew."""
        if order.unsure != CLIENT:
            raise Garbled(f"capillary makes nothing that is called “{order.unsure}”")
        if found is None:
            return Progress()
        client = self._api().get(found)
        if client is None or owner(client) != order.reference or found in holds(order):
            note = text("This is not a client that we could have made just now. Please look again.")
            raise refused(f"not plausible: it bears no [gw:{order.reference}]", "unsure", note)
        self._delete(found)
        return Progress()

    # -- connected -------------------------------------------------------------------------------

    def check(self, order: Order) -> Step:
        key = order.live.connection.get("key")
        found = self._standing(key) if key else None
        return _still(order, found) if found else _gone()

    def end(self, order: Order) -> Step:
        """All that bear our reference, also those whose answer was lost."""
        mine = holds(order)
        rows = self._api().clients()
        keys = [
            row.key
            for row in rows
            if row.valid and (row.key in mine or owner(row) == order.reference)
        ]
        for key in keys:
            self._delete(key)
        here = text("We no longer use or check this connection.")
        if not keys:
            return Done(here=here, there=text("Nothing of it is left at Capillary."), connection={})
        there = text("Your API client is deleted at Capillary: its key opens nothing any more.")
        todo = text("Remove the key and the secret from wherever you entered them.")
        return Done(here=here, there=there, todo=todo, connection={})

    # -- what else merchants and staff can do ----------------------------------------------------

    def act(self, order: Order, key: str, answers: Mapping[str, str]) -> Step:
        live = order.live.connection
        if not live.get("key"):
            return _gone()
        match key:
            case "rotate":
                return self._rotate(order)
            case "retire":
                return self._retire(order)
            case "rescope":
                return self._rescope(order)
            case "edit":
                return self._edit(order, answers)
        return super().act(order, key, answers)

    def _rotate(self, order: Order) -> Step:
        """First the new one, with the same scopes. One that was never said to work makes room for it."""
        live, draft = order.live.connection, dict(order.memos.connection)
        if not draft:
            if not self._standing(live["key"]):
                return _gone()
            old = live.get("old")
            draft = begun(live) | ({"spare": live["key"]} if old else {"old": [live["key"]]})
        if order.unsure:
            return self._look(order, draft)
        if "secret" in draft:
            return self._try_out(order, draft)
        return self._make(order, draft, profile.kept(live))

    def _retire(self, order: Order) -> Step:
        live = order.live.connection
        old = live.get("old", ())
        for key in old:
            self._delete(key)
        said = text("Only your newest key works at Capillary now.")
        return Connected(shop_id=order.shop_id, evidence=said, connection={**live, "old": []})

    def _rescope(self, order: Order) -> Step:
        """To what the connector offers now: staff have changed it, or the merchant took another."""
        live, plan = order.live.connection, self._plan(order)
        present = self._standing(live["key"])
        if not present:
            return _gone()
        self._demand_scopes(plan)
        about = present.description or ""
        payload = payload_of(plan, present.name or live["name"], about)
        if not self._changed(live["key"], payload):
            return _gone()
        said = text("Capillary has set the permissions of your key anew.")
        memo = {**live, **plan.memo()}
        return Connected(shop_id=order.shop_id, evidence=said, connection=memo)

    def run(
        self,
        key: str,
        answers: Mapping[str, str],
        *,
        connector: str = "",
        ids: tuple[str, ...] = (),
    ) -> Done | Rows:
        match key:
            case "clients":
                return self._rows()
            case "edit-client":
                return self._edit_other(ids, answers)
            case "delete-client":
                return self._delete_typed(answers.get("key", "").strip())
        return super().run(key, answers, connector=connector, ids=ids)

    def inventory(self) -> tuple[Item, ...]:
        """Valid clients, but for the one with which we call Capillary ourselves."""
        rows = [row for row in self._api().clients() if row.valid and row.key != self.key]
        return tuple(
            Item(id=row.key, label=row.name or row.key, facts=facts(row), reference=owner(row))
            for row in rows
        )


def _still(order: Order, found: ApiClient) -> Connected:
    """In an attempt, the memo of the working shop becomes its own again."""
    if order.live.connection.get("old"):
        said = text(
            "Capillary says that your key is valid. The key that you had before still works too:"
            " tell us when it is no longer needed."
        )
    else:
        said = text("Capillary says that your key is valid.")
    memo = None if order.purpose == "check" else dict(order.live.connection)
    return Connected(
        shop_id=order.shop_id or order.reference, evidence=said, connection=memo,
        connection_key=found.key, done=(CLIENT, "token"),
    )  # fmt: skip


def _gone() -> NeedsMerchant:
    note = text(
        "Your key is no longer valid: its API client was deleted at Capillary. Reconnect, and you"
        " get a new key and secret."
    )
    return NeedsMerchant(code="client-gone", note=note)
