"""What staff do with API clients: see all, change one, delete one.

A PUT replaces everything, and Capillary never tells a client's resources: ours stand in the memo of
the connection, those of clients made elsewhere have to be entered.
Source: "Integrations" of https://github.com/Capillary/api-documentation
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from vendors.contract import Done, Garbled, Order, Refused, Rows, Step, Text, text

from . import profile
from .client import ApiClient, NewClient
from .profile import Profile
from .provisioning import TAG, Making, owner, payload_of, tidy

COLUMNS = (
    text("Client key"),
    text("Name"),
    text("Made for the connection"),
    text("Valid"),
    text("A token lasts (seconds)"),
    text("Till"),
    text("Made"),
    text("Last changed"),
)


@dataclass(frozen=True)
class Desk(Making):
    def _rows(self) -> Rows:
        rows = tuple(_cells(row, self.key) for row in self._api().clients())
        return Rows(columns=COLUMNS, rows=rows, then="edit-client")

    def _edit(self, order: Order, answers: Mapping[str, str]) -> Step:
        """One of ours: what is left empty stays, and the description keeps our reference."""
        live = order.live.connection
        present = self._demand_client(live["key"])
        plan = self._planned(answers, present, profile.kept(live))
        typed = tidy(answers.get("name", ""))
        name = typed or present.name or live["name"]
        about = f"{_described(answers, present)} [gw:{order.reference}]".strip()
        self._put(live["key"], payload_of(plan, name, about))
        return _changed_here({**live, **plan.memo(), "name": typed or live["name"]})

    def _edit_other(self, ids: tuple[str, ...], answers: Mapping[str, str]) -> Done:
        if len(ids) != 1:
            raise _no(text("Choose one API client."))
        present = self._demand_client(ids[0])
        if reference := owner(present):
            raise _no(
                text("It was made for the connection %(name)s: change it there.", name=reference)
            )
        plan = self._planned(answers, present, None)
        name = tidy(answers.get("name", "")) or present.name or ""
        self._put(ids[0], payload_of(plan, name, _described(answers, present)))
        return _changed_here(None)

    def _delete_typed(self, key: str) -> Done:
        if not any(row.valid and row.key == key for row in self._api().clients()):
            raise _no(text("There is no valid API client with this key."))
        self._demand_foreign(key)
        self._delete(key)
        here = text("The next check of a connection that used it will say that its key is gone.")
        return Done(here=here, there=text("The API client is deleted at Capillary."))

    def _demand_client(self, key: str) -> ApiClient:
        self._demand_foreign(key)
        present = self._standing(key)
        if present is None:
            raise _no(text("There is no valid API client with this key."))
        return present

    def _demand_foreign(self, key: str) -> None:
        if key == self.key:
            raise _no(
                text("This is the API client that Gangway itself uses: change it at Capillary.")
            )

    def _planned(
        self, answers: Mapping[str, str], present: ApiClient, memo: Profile | None
    ) -> Profile:
        """Staff's answers over what is there. Refused, with nothing sent, where one is wrong."""
        said = _merged(answers, present)
        try:
            chosen = profile.typed(answers.get("scopes", ""))
        except ValueError:
            note = text("Write scopes as in the example: 1 READ .*v3/customers.*")
            raise _no(note, "scopes") from None
        if not chosen and memo:
            chosen = profile.answers(memo)
        faults = profile.faults({**said, **chosen}, self._api().scopes(), self.till_id)
        for key, wrong in faults.items():
            raise _no(wrong, key if key in said else "scopes")
        return profile.read({**said, **chosen}, self.till_id)

    def _put(self, key: str, payload: NewClient) -> None:
        if not self._changed(key, payload):
            raise _no(text("There is no valid API client with this key."))

    def _changed(self, key: str, payload: NewClient) -> bool:
        """False: there is no such client. Raises Garbled if it then has other scopes than asked for."""
        client = self._api().update(key, payload)
        wanted = {(grant["entityId"], grant["permission"]) for grant in payload["scopes"]}
        if client and client.scopes is not None:
            got = {(grant.entity_id, grant.permission) for grant in client.scopes}
            if got != wanted:
                raise Garbled("PUT /v3/integrations/clients/{key} answered with other scopes")
        return client is not None and client.valid


def _described(answers: Mapping[str, str], present: ApiClient) -> str:
    """Without any reference: those are ours to write."""
    return TAG.sub("", answers.get("description", "").strip() or present.description or "").strip()


def _merged(answers: Mapping[str, str], present: ApiClient) -> dict[str, str]:
    there = {"expiry": str(present.expiry or ""), "till": str(present.till or "")}
    return {key: answers.get(key, "").strip() or value for key, value in there.items()}


def _changed_here(memo: Mapping[str, object] | None) -> Done:
    there = text("Capillary has changed the API client. Its key and secret stay the same.")
    return Done(here=text("The API client was changed."), there=there, connection=memo)


def _no(note: Text, key: str = "key") -> Refused:
    """`key`: of the question that was answered so; said above the form where it is none of it."""
    return Refused(str(note), who="staff", code=key, note=note)


def facts(row: ApiClient) -> dict[str, str]:
    return {
        "description": row.description or "",
        "token lasts (s)": str(row.expiry or ""),
        "till": str(row.till or ""),
        "made": _time(row.attribution.created),
        "last changed": _time(row.attribution.changed),
    }


def _cells(row: ApiClient, own: str) -> tuple[str, ...]:
    about = facts(row)
    made_for = "Gangway itself" if row.key == own else owner(row)
    valid = "yes" if row.valid else "no"
    tail = (about["token lasts (s)"], about["till"], about["made"], about["last changed"])
    return (row.key, row.name or "", made_for, valid, *tail)


def _time(moment: datetime | None) -> str:
    """In UTC: clusters write the offsets of several countries."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if moment else ""
