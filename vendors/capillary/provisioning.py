"""One API client for each connection: counted, announced, made, tried out; and made anew when lost.

The connection's memo: `{"key", "name", "number", "scopes", "expiry", "till", "old": [keys]}`. `number`
counts the clients that this connection has had; `old` are the keys that still work beside `key`.
A draft also keeps `"secret"` until it is revealed, `"spare"` (a key to be deleted after that),
`"warned"` (a name) before anything is made, and after a lost answer `"lost"` (how often) and
`"not_before"` (POSIX seconds).

Our reference stands in a client's description: `… [gw:abc]`. Such a client that no memo holds is one
whose secret we never received: it is of no use to anybody, so it is deleted.
Source: "Integrations" of https://github.com/Capillary/api-documentation
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

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
    Unavailable,
    Waiting,
    text,
)

from . import profile
from .client import ApiClient, Made, NewClient, Token
from .offer import CLIENT, Offer
from .profile import Profile

ROOM = 15  # valid clients of an organisation
LONGEST_NAME = 60
TAG = re.compile(r"\[gw:([a-z0-9]+)\]")
LAST_TAG = re.compile(TAG.pattern + r"\s*\Z")  # before it stand names that merchants choose
PATIENCE = 30.0  # seconds, for a creation that may still arrive although its answer was lost
LONGEST_PATIENCE = 3600.0
LIVE = ("key", "name", "number", "scopes", "expiry", "till", "old")
Draft = dict[str, Any]


@dataclass(frozen=True)
class Making(Offer):
    """Capillary as far as making a client."""

    def _make(self, order: Order, draft: Draft, plan: Profile) -> Step:
        """Everything that can be known before is looked at before anything is made."""
        if order.announced == CLIENT:
            return self._create(order, draft, plan)
        _wait(order, draft)
        self._demand_scopes(plan)
        rows = self._api().clients()
        if left := leftovers(order, rows):
            self._delete(left[0])
            return Progress(connection=draft)
        _demand_room(rows)
        draft.setdefault("name", _name(order))
        if draft["number"] == 1 and _clash(draft, rows):
            return _ask_for_name(draft, rows)
        return Progress(announce=CLIENT, connection=draft)

    def _create(self, order: Order, draft: Draft, plan: Profile) -> Step:
        """Counted once more: from here on nobody else makes one (`serial`)."""
        api = self._api()
        _demand_room(api.clients())
        name, number = draft["name"], draft["number"]
        payload = payload_of(plan, name if number == 1 else f"{name} ({number})", _about(order))
        return _made(draft, plan, api.create(payload), bool(order.shop_id))

    def _look(self, order: Order, draft: Draft) -> Step:
        """After a lost answer. Found: `_make` deletes it. Not found: it may still arrive.

        Lost again and again: ever slower, for each time costs Capillary a client.
        """
        lost = draft["lost"] = draft.get("lost", 0) + 1
        if lost > 1 or not leftovers(order, self._api().clients()):
            wait = min(PATIENCE * 2 ** (lost - 1), LONGEST_PATIENCE)
            draft["not_before"] = order.now.timestamp() + wait
        return Progress(connection=draft)

    def _try_out(self, order: Order, draft: Draft) -> Step:
        """A token for the new key and secret; only then the merchant gets them."""
        try:
            token = self._api().generate(draft["key"], draft["secret"])
        except Refused as no:
            if no.status not in (401, 498):
                raise
            note = text("Capillary has made your key, but does not accept it yet.")
            again, until = timedelta(minutes=5), timedelta(hours=1)
            return Waiting(note=note, poll_every=again, give_up_after=until, connection=draft)
        if spare := draft.pop("spare", ""):
            draft["old"] = [*draft["old"], *self._undeleted(spare)]
        return _revealed(order, draft, token)

    # -- what is looked at before ----------------------------------------------------------------

    def _plan(self, order: Order) -> Profile:
        """The profile that staff set on the connector, which anybody may have mistyped."""
        if faults := profile.faults(order.options, None, self.till_id):
            detail = f"the connector's profile of scopes is wrong at {', '.join(sorted(faults))}"
            raise refused(detail, "profile")
        return profile.read(order.options, self.till_id)

    def _demand_scopes(self, plan: Profile) -> None:
        outside = plan.ids() - {scope.id for scope in self._api().scopes()}
        if outside:
            raise refused(str(profile.outside(outside)), "scopes")

    def _standing(self, key: str) -> ApiClient | None:
        """The client, if it is there and valid. Its absence needs two witnesses: a wrong address
        answers 404 too."""
        api = self._api()
        found = api.get(key) or next((row for row in api.clients() if row.key == key), None)
        return found if found and found.valid else None

    def _undeleted(self, key: str) -> list[str]:
        """A no must not keep the merchant from the new key: then the other one is kept in mind."""
        try:
            self._delete(key)
        except Refused:
            return [key]
        return []

    def _delete(self, key: str) -> None:
        if key == self.key:
            raise Garbled("that would be the key that we call Capillary with")
        self._api().delete(key)


def begun(memo: Mapping[str, Any]) -> Draft:
    """The draft of the next client of a connection: it keeps the name."""
    draft = {"number": memo.get("number", 0) + 1, "old": list(memo.get("old", ()))}
    return {**draft, "name": memo["name"]} if "name" in memo else draft


def leftovers(order: Order, rows: Iterable[ApiClient]) -> list[str]:
    """Keys of valid clients that bear our reference and that no memo holds."""
    held = holds(order)
    return [
        row.key
        for row in rows
        if row.valid and owner(row) == order.reference and row.key not in held
    ]


def holds(order: Order) -> set[str]:
    live, draft = order.live.connection, order.memos.connection
    return {str(key) for key in (live.get("key"), draft.get("key"), *live.get("old", ())) if key}


def owner(row: ApiClient) -> str:
    """The reference of the connection that a client was made for, or ""."""
    found = LAST_TAG.search(row.description or "")
    return found[1] if found else ""


def payload_of(plan: Profile, name: str, description: str) -> NewClient:
    return {
        "name": name,
        "description": description,
        "expirationTokenTime": plan.expiry,
        "defaultTillId": plan.till,
        "scopes": list(plan.scopes),
    }


def refused(detail: str, cause: str, note: Text | None = None) -> Refused:
    """For staff."""
    error = Refused(detail, who="staff", note=note)
    error.cause = cause
    return error


def _wait(order: Order, draft: Draft) -> None:
    left = draft.get("not_before", 0.0) - order.now.timestamp()
    if left > 0:
        note = text("We make sure that nothing is made twice, and go on in a moment.")
        raise Unavailable("a lost creation may still arrive", note=note, retry_after=left)


def _demand_room(rows: Iterable[ApiClient]) -> None:
    if sum(row.valid for row in rows) >= ROOM:
        note = text(
            "There is no room for another API client at Capillary at the moment. Our staff know,"
            " and make room. Nothing was made."
        )
        detail = f"{ROOM} valid API clients, which is all that Capillary allows: delete one"
        raise refused(detail, "clients-full", note)


# -- names ---------------------------------------------------------------------------------------


def _name(order: Order) -> str:
    return tidy(f"{order.merchant.name or order.merchant.reference} {order.shop_name}")


def tidy(name: str) -> str:
    return " ".join(name.split())[:LONGEST_NAME].strip()


def _about(order: Order) -> str:
    return f"Made by Gangway for {_name(order)} [gw:{order.reference}]"


def _clash(draft: Draft, rows: Iterable[ApiClient]) -> bool:
    """A warning only: whoever keeps the name after it has been warned."""
    return draft["name"] != draft.get("warned") and draft["name"].casefold() in _names(rows)


def _names(rows: Iterable[ApiClient]) -> set[str]:
    return {(row.name or "").casefold() for row in rows if row.valid}


def _ask_for_name(draft: Draft, rows: Iterable[ApiClient]) -> Ask:
    taken, name = _names(rows), draft["name"]
    free = next(each for n in range(2, 99) if (each := f"{name} {n}").casefold() not in taken)
    note = text(
        "There is already an API client named “%(name)s” at Capillary. Choose another name, so"
        " that you can tell them apart, or keep this one.",
        name=name,
    )
    question = Question(key="name", label=text("Name of your API client"), initial=free)
    return Ask(note=note, questions=(question,), connection={**draft, "warned": name})


# -- what was made -------------------------------------------------------------------------------


def _made(draft: Draft, plan: Profile, client: Made, another: bool) -> Progress:
    """While an older key works, the connection's own key stays that one until the new one is shown."""
    made = {**draft, **plan.memo(), "key": client.key, "secret": client.secret}
    key = "" if another else client.key
    return Progress(connection=made, connection_key=key, done=(CLIENT,))


def _revealed(order: Order, draft: Draft, token: Token) -> Connected:
    """The secret leaves the memo: from here on it is in `reveal` alone."""
    return Connected(
        shop_id=order.shop_id or order.reference,
        evidence=_evidence(draft, token),
        reveal={"Key": draft["key"], "Secret": draft["secret"]},
        connection={name: draft[name] for name in LIVE},
        connection_key=draft["key"],
        done=("token",),
    )


def _evidence(draft: Draft, token: Token) -> Text:
    """The page says seconds, the user interface minutes: only a token shows which it is."""
    wanted = str(draft["expiry"])
    got = wanted if token.seconds is None else str(token.seconds)
    if got != wanted:
        return text(
            "Capillary accepted your key. Its tokens last %(got)s seconds, although %(wanted)s"
            " were asked for: our staff should look at the unit.",
            got=got, wanted=wanted,
        )  # fmt: skip
    if draft["old"]:
        return text(
            "Capillary accepted your new key. Its tokens last %(got)s seconds. The key that you had"
            " before still works, until you tell us that the new one does.",
            got=got,
        )
    return text("Capillary accepted your key. Its tokens last %(got)s seconds.", got=got)
