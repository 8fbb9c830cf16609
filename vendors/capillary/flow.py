"""Access to Capillary's API: a client is created for the merchant and tried out, and its key shown.

Nobody is sent anywhere: everything happens between our servers and Capillary's. A lost secret cannot
be read again, so another client is created, and the old one deleted once the new one works.
Source: "Integrations" of https://github.com/Capillary/api-documentation
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vendors.contract import Connected, Done, NeedsMerchant, Order, Step, text

from .client import ApiClient
from .memo import ClientMemo, Draft
from .offer import CLIENT
from .profile import Profile
from .provisioning import clean_name, known_keys, new_client, reference_of
from .staff import Staff


@dataclass(frozen=True)
class Capillary(Staff):
    # -- connecting ------------------------------------------------------------------------------

    def start(self, order: Order) -> Step:
        """A client that is still valid stays; its secret is not ours to show again."""
        live, draft = ClientMemo.live(order), Draft(order.memos.connection)
        if draft.is_empty and live.key and (found := self._valid_client(live.key)):
            return _still_valid(order, found)
        return self._go_on(order, live.next_draft() if draft.is_empty else draft)

    def answered(self, order: Order, answers: Mapping[str, str]) -> Step:
        """Another name for the client, or the same one after the warning."""
        draft = Draft(order.memos.connection)
        if name := clean_name(answers.get("name", "")):
            draft.rename(name)
        return self._go_on(order, draft)

    def returned(self, order: Order, params: Mapping[str, str]) -> Step:
        """Nobody is sent away, so nobody comes back."""
        return self.start(order)

    def _go_on(self, order: Order, draft: Draft, plan: Profile | None = None) -> Step:
        """`plan` is that of the connector, unless another one is given."""
        if order.unsure:
            return self._find(order, draft)
        if draft.secret:
            return self._try_out(order, draft)
        return self._provision(order, draft, plan or self._plan(order))

    # -- connected -------------------------------------------------------------------------------

    def check(self, order: Order) -> Step:
        key = ClientMemo.live(order).key
        found = self._valid_client(key) if key else None
        return _still_valid(order, found) if found else _gone()

    def end(self, order: Order) -> Step:
        """Delete all clients that bear our reference, also those whose answer was lost."""
        known = known_keys(order)
        keys = [
            row.key
            for row in self.client().clients()
            if row.valid and (row.key in known or reference_of(row) == order.reference)
        ]
        for key in keys:
            self._delete(key)
        here = text("We no longer use or check this connection.")
        if not keys:
            return Done(
                here=here,
                there=text("Nothing of this connection is left at Capillary."),
                connection={},
            )
        there = text("We deleted your key at Capillary. It no longer works.")
        todo = text("Remove the key and secret wherever you entered them.")
        return Done(here=here, there=there, todo=todo, connection={})

    # -- actions of the merchant -----------------------------------------------------------------

    def act(self, order: Order, key: str, answers: Mapping[str, str]) -> Step:
        live = ClientMemo.live(order)
        if not live.key:
            return _gone()
        match key:
            case "rotate":
                return self._rotate(order, live)
            case "retire":
                return self._retire(order, live)
            case "rescope":
                return self._rescope(order, live)
        return super().act(order, key, answers)

    def _rotate(self, order: Order, live: ClientMemo) -> Step:
        """Another client with the same profile. One that the merchant never confirmed is deleted."""
        draft = Draft(order.memos.connection)
        if draft.is_empty:
            if not self._valid_client(live.key):
                return _gone()
            draft = live.next_draft()
            if live.old_keys:
                draft.note_spare(live.key)
            else:
                draft.replace_key(live.key)
        return self._go_on(order, draft, live.profile)

    def _retire(self, order: Order, live: ClientMemo) -> Step:
        for key in live.old_keys:
            self._delete(key)
        evidence = text("Only your newest key works now.")
        return Connected(
            shop_id=order.shop_id, evidence=evidence, connection=live.without_old_keys()
        )

    def _rescope(self, order: Order, live: ClientMemo) -> Step:
        """To the connector's profile: staff have changed it, or the merchant chose another one."""
        plan = self._plan(order)
        present = self._valid_client(live.key)
        if not present:
            return _gone()
        self._require_scopes(plan)
        description = present.description or ""
        payload = new_client(plan, present.name or live.name, description)
        if not self._update(live.key, payload):
            return _gone()
        evidence = text("Capillary updated the permissions of your key.")
        return Connected(
            shop_id=order.shop_id, evidence=evidence, connection=live.with_profile(plan)
        )


def _still_valid(order: Order, found: ApiClient) -> Connected:
    """In an attempt, the memo of the working shop becomes its own again."""
    if ClientMemo.live(order).old_keys:
        evidence = text(
            "Your key works. Your old key works too: tell us when you no longer use it."
        )
    else:
        evidence = text("Capillary confirms that your key is valid.")
    memo = None if order.purpose == "check" else ClientMemo.live(order).unchanged()
    return Connected(
        shop_id=order.shop_id or order.reference, evidence=evidence, connection=memo,
        connection_key=found.key, done=(CLIENT, "token"),
    )  # fmt: skip


def _gone() -> NeedsMerchant:
    note = text(
        "Your key was deleted at Capillary and no longer works. Reconnect to get a"
        " new key and secret."
    )
    return NeedsMerchant(code="client-gone", note=note)
