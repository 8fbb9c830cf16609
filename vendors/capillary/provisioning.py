"""Provisioning at Capillary: one API client for each connection, created, tried out, revealed.

Our reference stands in a client's description: `… [gw:abc]`. Such a client that no memo knows is an
orphan: its secret never reached us, so it is of no use to anybody, and it is deleted.
Source: "Integrations" of https://github.com/Capillary/api-documentation
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from vendors.contract import (
    Ask,
    Connected,
    Garbled,
    Order,
    Progress,
    Question,
    Refused,
    Step,
    Text,
    Waiting,
    text,
)
from vendors.contract.backoff import raise_while_paused

from . import profile
from .client import TOKEN_EXPIRED, ApiClient, NewClient, Token
from .memo import ClientMemo, Draft
from .offer import CLIENT, Offer
from .profile import Profile

MOST_CLIENTS = 15  # valid ones of an organisation
LONGEST_NAME = 60
TAG = re.compile(r"\[gw:([a-z0-9]+)\]")
LAST_TAG = re.compile(TAG.pattern + r"\s*\Z")  # before it stand names that merchants choose


@dataclass(frozen=True)
class Provisioning(Offer):
    """Capillary as far as the API client of a connection."""

    def _provision(self, order: Order, draft: Draft, plan: Profile) -> Step:
        """Create the client. Everything that can be known before is checked before."""
        if order.announced == CLIENT:
            return self._create(order, draft, plan)
        raise_while_paused(draft.paused_until, order.now)
        self._require_scopes(plan)
        rows = self.client().clients()
        if orphaned := orphans(order, rows):
            self._delete(orphaned[0])
            return Progress(connection=draft.memo())
        _require_room(rows)
        draft.name_if_new(_name(order))
        if draft.number == 1 and _is_name_taken(draft, rows):
            return _ask_for_name(draft, rows)
        return Progress(announce=CLIENT, connection=draft.memo())

    def _create(self, order: Order, draft: Draft, plan: Profile) -> Step:
        """Counted once more: from here on nobody else creates one (`serial`)."""
        api = self.client()
        _require_room(api.clients())
        name = draft.name if draft.number == 1 else f"{draft.name} ({draft.number})"
        created = api.create(new_client(plan, name, _description(order)))
        # While an older key works, it stays the connection's key until the new one is revealed.
        return Progress(
            connection=draft.created(plan, created.key, created.secret),
            connection_key="" if order.shop_id else created.key,
            done=(CLIENT,),
        )

    def _find(self, order: Order, draft: Draft) -> Step:
        """After a lost answer. If a client is found, `_provision` deletes it; else it may still arrive."""
        draft.count_lost_answer()
        if draft.lost_answers > 1 or not orphans(order, self.client().clients()):
            draft.pause(order.now)
        return Progress(connection=draft.memo())

    def _try_out(self, order: Order, draft: Draft) -> Step:
        """Get a token for the new key and secret; only then the merchant gets them."""
        try:
            token = self.client().generate_token(draft.key, draft.secret)
        except Refused as refusal:
            if refusal.status not in (401, TOKEN_EXPIRED):
                raise
            note = text("Capillary created your key, but does not accept it yet. We keep trying.")
            again, until = timedelta(minutes=5), timedelta(hours=1)
            return Waiting(
                note=note, poll_every=again, give_up_after=until, connection=draft.memo()
            )
        if (spare := draft.take_spare()) and not self._is_deleted(spare):
            draft.note_undeleted(spare)
        return _revealed(order, draft, token)

    # -- checks before the creation --------------------------------------------------------------

    def _plan(self, order: Order) -> Profile:
        """The profile that staff set on the connector, which anybody may have mistyped."""
        if faults := profile.faults(order.options, None, self.till_id):
            detail = f"the connector's profile of scopes is wrong at {', '.join(sorted(faults))}"
            raise Refused(detail, who="staff", cause="profile")
        return profile.read(order.options, self.till_id)

    def _require_scopes(self, plan: Profile) -> None:
        missing = plan.ids() - {scope.id for scope in self.client().scopes()}
        if missing:
            raise Refused(str(profile.not_listed(missing)), who="staff", cause="scopes")

    def _valid_client(self, key: str) -> ApiClient | None:
        """None only if the list of clients says so too, because a wrong address answers 404 as well."""
        api = self.client()
        found = api.get(key) or next((row for row in api.clients() if row.key == key), None)
        return found if found and found.valid else None

    # -- changes and deletions -------------------------------------------------------------------

    def _update(self, key: str, payload: NewClient) -> bool:
        """False if there is no such client. Raises Garbled if it then has other scopes."""
        client = self.client().update(key, payload)
        wanted = {(grant["entityId"], grant["permission"]) for grant in payload["scopes"]}
        if client and client.scopes is not None:
            got = {(grant.entity_id, grant.permission) for grant in client.scopes}
            if got != wanted:
                raise Garbled("PUT /v3/integrations/clients/{key} answered with other scopes")
        return client is not None and client.valid

    def _is_deleted(self, key: str) -> bool:
        """A refusal must not keep the new key from the merchant; then the old one is remembered."""
        try:
            self._delete(key)
        except Refused:
            return False
        return True

    def _delete(self, key: str) -> None:
        if key == self.key:
            raise Garbled("this is the key with which we call Capillary: it must not be deleted")
        self.client().delete(key)


def orphans(order: Order, rows: Iterable[ApiClient]) -> list[str]:
    """Keys of valid clients that bear our reference and that no memo knows."""
    known = known_keys(order)
    return [
        row.key
        for row in rows
        if row.valid and reference_of(row) == order.reference and row.key not in known
    ]


def known_keys(order: Order) -> set[str]:
    live, draft = ClientMemo.live(order), Draft(order.memos.connection)
    return {key for key in (live.key, draft.key, *live.old_keys) if key}


def reference_of(row: ApiClient) -> str:
    """The reference of the connection for which a client was created, or ""."""
    found = LAST_TAG.search(row.description or "")
    return found[1] if found else ""


def new_client(plan: Profile, name: str, description: str) -> NewClient:
    return {
        "name": name,
        "description": description,
        "expirationTokenTime": plan.expiry,
        "defaultTillId": plan.till,
        "scopes": list(plan.scopes),
    }


def _require_room(rows: Iterable[ApiClient]) -> None:
    if sum(row.valid for row in rows) >= MOST_CLIENTS:
        note = text(
            "Our limit for keys at Capillary is reached, so nothing was created yet."
            " Our staff know and are making room."
        )
        detail = f"{MOST_CLIENTS} valid API clients, the limit of an organisation: delete one"
        raise Refused(detail, who="staff", cause="clients-full", note=note)


# -- names ---------------------------------------------------------------------------------------


def clean_name(name: str) -> str:
    return " ".join(name.split())[:LONGEST_NAME].strip()


def _name(order: Order) -> str:
    return clean_name(f"{order.merchant.name or order.merchant.reference} {order.shop_name}")


def _description(order: Order) -> str:
    return f"Made by Gangway for {_name(order)} [gw:{order.reference}]"


def _is_name_taken(draft: Draft, rows: Iterable[ApiClient]) -> bool:
    """A warning only: a merchant who keeps the name after the warning gets it."""
    return not draft.is_warned and draft.name.casefold() in _names(rows)


def _names(rows: Iterable[ApiClient]) -> set[str]:
    return {(row.name or "").casefold() for row in rows if row.valid}


def _ask_for_name(draft: Draft, rows: Iterable[ApiClient]) -> Ask:
    taken, name = _names(rows), draft.name
    free = next(each for n in range(2, 99) if (each := f"{name} {n}").casefold() not in taken)
    note = text(
        "Capillary already has a key named “%(name)s”. Choose another name to tell"
        " them apart, or use the same one.",
        name=name,
    )
    question = Question(key="name", label=text("Name of your key"), initial=free)
    draft.note_warned()
    return Ask(note=note, questions=(question,), connection=draft.memo())


# -- the new key ---------------------------------------------------------------------------------


def _revealed(order: Order, draft: Draft, token: Token) -> Connected:
    """The secret leaves the memo: from here on it is in `reveal` alone."""
    return Connected(
        shop_id=order.shop_id or order.reference,
        evidence=_evidence(draft, token),
        reveal={text("Key").id: draft.key, text("Secret").id: draft.secret},
        connection=draft.live_memo(),
        connection_key=draft.key,
        done=("token",),
    )


def _evidence(draft: Draft, token: Token) -> Text:
    """The docs say seconds, the user interface minutes: only a token shows which it is."""
    wanted = str(draft.expiry)
    got = wanted if token.seconds is None else str(token.seconds)
    if got != wanted:
        return text(
            "Your key works, but each sign-in with it lasts %(got)s seconds instead of %(wanted)s."
            " Please tell us.",
            got=got, wanted=wanted,
        )  # fmt: skip
    if draft.old_keys:
        return text(
            "Your new key works. Your old key works too, until you tell us that you no longer use it."
        )
    return text("Your key works.")
