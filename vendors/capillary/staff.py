"""What staff see and do at Capillary: all API clients, change or delete one, unsure creations.

A PUT replaces everything, and Capillary never returns a client's resources: ours stand in the memo of
the connection, those of clients made elsewhere have to be entered.
Source: "Integrations" of https://github.com/Capillary/api-documentation
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from vendors.contract import (
    Action,
    CauseNote,
    Done,
    Garbled,
    Item,
    Json,
    Order,
    Progress,
    Question,
    Refused,
    Rows,
    Step,
    text,
    wrong_answer,
)

from . import profile
from .client import ApiClient, NewClient
from .memo import ClientMemo
from .offer import CLIENT
from .profile import Profile
from .provisioning import TAG, Provisioning, clean_name, known_keys, new_client, reference_of

COLUMNS = (
    text("Client key"),
    text("Name"),
    text("Created for the connection"),
    text("Valid"),
    text("A token lasts (seconds)"),
    text("Till"),
    text("Created"),
    text("Last changed"),
)
SCOPES_HELP = text(
    "One or several: number, permission, patterns of paths; a semicolon between them."
    " 1 READWRITE .*v3/targetGroups.*; 2 WRITE"
)


def _client_questions(required: bool) -> tuple[Question, ...]:
    """What is left empty stays, except the scopes: Capillary does not return their resources."""
    return (
        Question(key="name", label=text("Name"), required=False),
        Question(key="description", label=text("Description"), required=False),
        *profile.number_questions("", "", till_needed=False),
        Question(key="scopes", label=text("Scopes"), help=SCOPES_HELP, required=required),
    )


ACTIONS = (
    Action(
        key="edit",
        label=text("Change the API client"),
        explain=text("What you leave empty stays as it is."),
        on="connection",
        questions=_client_questions(required=False),
    ),
    Action(
        key="clients",
        label=text("Show all API clients"),
        explain=text("All that Capillary lists for your organisation, also deleted ones."),
        on="vendor",
    ),
    Action(
        key="edit-client",
        label=text("Change the chosen API client"),
        explain=text(
            "For one that was not created here. Its scopes are replaced: enter all of them with"
            " their resources, which Capillary does not show. Other fields that you leave empty"
            " stay as they are."
        ),
        on="vendor",
        questions=_client_questions(required=True),
        hidden=True,
    ),
    Action(
        key="delete-client",
        label=text("Delete an API client"),
        explain=text("Whatever uses its key stops working at once."),
        on="vendor",
        questions=(Question(key="key", label=text("Its client key, typed in full")),),
        danger=True,
    ),
)


@dataclass(frozen=True)
class Staff(Provisioning):
    cause_notes: ClassVar[Mapping[str, CauseNote]] = {
        "profile": CauseNote(
            what=text("The permissions that staff set on a Capillary connector are wrong."),
            to_do=text(
                "Correct them on the connector’s page: the facts of a shop name what is wrong."
            ),
        ),
        "scopes": CauseNote(
            what=text("Capillary no longer offers a permission that a connector gives."),
            to_do=text("Choose other permissions on the connector’s page, or ask Capillary."),
        ),
        "clients-full": CauseNote(
            what=text("There is no room for another API client at Capillary."),
            to_do=text(
                "Delete API clients that are not in use: the page of the vendor lists them."
            ),
        ),
    }

    def probe(self) -> None:
        self.client().scopes()

    def actions(self) -> tuple[Action, ...]:
        return (*super().actions(), *ACTIONS)

    def inventory(self) -> tuple[Item, ...]:
        """Valid clients, except the one with which we call Capillary ourselves."""
        rows = [row for row in self.client().clients() if row.valid and row.key != self.key]
        return tuple(
            Item(
                id=row.key, label=row.name or row.key, facts=_facts(row),
                reference=reference_of(row),
            )
            for row in rows
        )  # fmt: skip

    def act(self, order: Order, key: str, answers: Mapping[str, str]) -> Step:
        if key == "edit":
            return self._edit(order, answers)
        return super().act(order, key, answers)

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
                return self._list_clients()
            case "edit-client":
                return self._edit_other(ids, answers)
            case "delete-client":
                return self._delete_typed(answers.get("key", "").strip())
        return super().run(key, answers, connector=connector, ids=ids)

    def resolve(self, order: Order, found: str | None) -> Step:
        """Its secret never reached us: what staff found is deleted, and another one created."""
        if order.unsure != CLIENT:
            raise Garbled(f"capillary creates nothing called “{order.unsure}”")
        if found is None:
            return Progress()
        client = self.client().get(found)
        known = known_keys(order)
        if client is None:
            note = text("Capillary does not know this id.")
            raise Refused("no such client", who="staff", cause="unsure", note=note)
        if reference_of(client) != order.reference or found in known:
            note = text(
                "This is not a client that we could have created just now. Please check again."
            )
            detail = f"not plausible: it bears no [gw:{order.reference}]"
            raise Refused(detail, who="staff", cause="unsure", note=note)
        self._delete(found)
        return Progress()

    # -- changing and deleting -------------------------------------------------------------------

    def _list_clients(self) -> Rows:
        rows = tuple(_cells(row, self.key) for row in self.client().clients())
        return Rows(columns=COLUMNS, rows=rows, then="edit-client")

    def _edit(self, order: Order, answers: Mapping[str, str]) -> Step:
        """One of ours: what is left empty stays, and the description keeps our reference."""
        live = ClientMemo.live(order)
        present = self._require_client(live.key)
        plan = self._planned(answers, present, live.profile)
        typed = clean_name(answers.get("name", ""))
        name = typed or present.name or live.name
        description = f"{_described(answers, present)} [gw:{order.reference}]".strip()
        self._replace(live.key, new_client(plan, name, description))
        return _changed(live.with_profile(plan, typed))

    def _edit_other(self, ids: tuple[str, ...], answers: Mapping[str, str]) -> Done:
        if len(ids) != 1:
            raise wrong_answer("key", text("Choose one API client."))
        present = self._require_client(ids[0])
        if reference := reference_of(present):
            note = text(
                "It was created for the connection %(name)s: change it there.", name=reference
            )
            raise wrong_answer("key", note)
        plan = self._planned(answers, present, None)
        name = clean_name(answers.get("name", "")) or present.name or ""
        self._replace(ids[0], new_client(plan, name, _described(answers, present)))
        return _changed(None)

    def _delete_typed(self, key: str) -> Done:
        if not any(row.valid and row.key == key for row in self.client().clients()):
            raise _no_client()
        self._require_not_ours(key)
        self._delete(key)
        here = text("The next check of a connection that used it will say that its key is gone.")
        return Done(here=here, there=text("The API client is deleted at Capillary."))

    def _require_client(self, key: str) -> ApiClient:
        self._require_not_ours(key)
        present = self._valid_client(key)
        if present is None:
            raise _no_client()
        return present

    def _require_not_ours(self, key: str) -> None:
        if key == self.key:
            note = text("This is the API client that Gangway itself uses: change it at Capillary.")
            raise wrong_answer("key", note)

    def _planned(
        self, answers: Mapping[str, str], present: ApiClient, current: Profile | None
    ) -> Profile:
        """Staff's answers over what is there. If one is wrong, Refused, and nothing is sent."""
        numbers = _merged(answers, present)
        try:
            scopes = profile.parse_line(answers.get("scopes", ""))
        except ValueError:
            note = text("Write scopes as in the example: 1 READ .*v3/customers.*")
            raise wrong_answer("scopes", note) from None
        if not scopes and current:
            scopes = profile.answers(current)
        faults = profile.faults({**numbers, **scopes}, self.client().scopes(), self.till_id)
        for key, fault in faults.items():
            raise wrong_answer(key if key in numbers else "scopes", fault)
        return profile.read({**numbers, **scopes}, self.till_id)

    def _replace(self, key: str, payload: NewClient) -> None:
        if not self._update(key, payload):
            raise _no_client()


def _no_client() -> Refused:
    return wrong_answer("key", text("There is no valid API client with this key."))


def _described(answers: Mapping[str, str], present: ApiClient) -> str:
    """Without any reference, which only we write."""
    return TAG.sub("", answers.get("description", "").strip() or present.description or "").strip()


def _merged(answers: Mapping[str, str], present: ApiClient) -> dict[str, str]:
    there = {"expiry": str(present.expiry or ""), "till": str(present.till or "")}
    return {key: answers.get(key, "").strip() or value for key, value in there.items()}


def _changed(memo: Mapping[str, Json] | None) -> Done:
    there = text("Capillary has changed the API client. Its key and secret stay the same.")
    return Done(here=text("The API client was changed."), there=there, connection=memo)


def _facts(row: ApiClient) -> dict[str, str]:
    return {
        "description": row.description or "",
        "token lasts (s)": str(row.expiry or ""),
        "till": str(row.till or ""),
        "made": _time(row.attribution.created),
        "last changed": _time(row.attribution.changed),
    }


def _cells(row: ApiClient, own: str) -> tuple[str, ...]:
    about = _facts(row)
    made_for = "Gangway itself" if row.key == own else reference_of(row)
    valid = "yes" if row.valid else "no"
    tail = (about["token lasts (s)"], about["till"], about["made"], about["last changed"])
    return (row.key, row.name or "", made_for, valid, *tail)


def _time(moment: datetime | None) -> str:
    """In UTC: clusters write the offsets of several countries."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if moment else ""
