"""Actions of staff on connectors at integrator.io: create, change, delete, push an update.

Source: https://github.com/celigo/integrator-api-docs (connector.md)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from vendors.contract import (
    Action,
    Done,
    Garbled,
    Json,
    JsonObject,
    Question,
    Rows,
    Text,
    text,
    wrong_answer,
)
from vendors.contract.characters import one_line

from .client import CONNECTOR_READ_ONLY, Client, Connector, Integration

LONGEST_ENVIRONMENT = 100  # letters that are shown of it
FIELDS: Mapping[str, Text] = {
    "name": text("Name"),
    "description": text("Description"),
    "contactEmail": text("Email address for questions"),
    "websiteURL": text("Web page"),
    "imageURL": text("Address of its picture"),
    "handle": text("Short name (handle)"),
}
YES_NO = (("true", text("Yes")), ("false", text("No")))
AS_IT_IS = ("", text("As it is"))
MORE_FIELDS = Question(
    key="more",
    label=text("Other fields, as JSON"),
    help=text('Under the names of the API, like {"_stackId": "…", "applications": ["shopify"]}.'),
    required=False,
)
PUBLISHED = Question(
    key="published",
    label=text("Published: merchants may choose it"),
    choices=(AS_IT_IS, *YES_NO),
    required=False,
)
NAME, *OTHER_FIELDS = (
    Question(key=key, label=label, required=False) for key, label in FIELDS.items()
)

CREATE = Action(
    key="create-connector",
    label=text("Create a connector"),
    explain=text("Creates a new connector at integrator.io. If no clear answer comes, check there"
    " before you try again: a second try may create a second one."),
    on="vendor",
    questions=(
        replace(NAME, required=True), *OTHER_FIELDS,
        replace(PUBLISHED, choices=YES_NO, initial="false", required=True), MORE_FIELDS,
    ),
)  # fmt: skip
EDIT = Action(
    key="edit-connector",
    label=text("Change the connector"),
    explain=text("What is left empty stays as it is."),
    on="connector",
    questions=(NAME, *OTHER_FIELDS, PUBLISHED, MORE_FIELDS),
)
DELETE = Action(
    key="delete-connector",
    label=text("Delete the connector"),
    explain=text("Deletes it at integrator.io, for everybody. This cannot be undone."),
    on="connector",
    questions=(
        Question(
            key="id",
            label=text("Id of the connector"),
            help=text("Type its key exactly as it is shown."),
        ),
    ),
    danger=True,
)
INSTALL_BASE = Action(
    key="install-base",
    label=text("Who has installed it"),
    explain=text("Lists every installation with its version. Choose those that are to be updated."),
    on="connector",
)
PUSH_UPDATE = Action(
    key="push-update",
    label=text("Push the update"),
    explain=text("Updates the chosen installations to the connector’s current version."),
    on="connector",
    hidden=True,
)
ACTIONS = (CREATE, EDIT, INSTALL_BASE, PUSH_UPDATE, DELETE)


def run(
    api: Client, key: str, answers: Mapping[str, str], *, connector: str, ids: tuple[str, ...]
) -> Done | Rows:
    match key:
        case "create-connector":
            return _create(api, answers)
        case "edit-connector":
            return _edit(api, connector, answers)
        case "delete-connector":
            return _delete(api, connector, answers.get("id", "").strip())
        case "install-base":
            return _install_base(api, connector)
        case "push-update":
            return _push_update(api, connector, ids)
    raise Garbled(f"celigo has no action “{key}”")


def _create(api: Client, answers: Mapping[str, str]) -> Done:
    fields = _fields(answers)
    if not str(fields.get("name", "")).strip():
        raise wrong_answer("name", text("Give the connector a name."))
    made = api.create_connector(fields)
    here = text("The connector “%(name)s” was created: %(key)s.", name=made.name or "", key=made.id)
    return _confirmed(here, made, fields)


def _edit(api: Client, id: str, answers: Mapping[str, str]) -> Done:
    """PUT replaces the whole connector: what is there is sent with what is to change."""
    fields = _fields(answers)
    if not fields:
        raise wrong_answer("name", text("Enter what is to change."))
    whole = api.connector(id).whole()
    reply = api.update_connector(id, {**whole, **fields})
    return _confirmed(text("The connector was changed."), reply, fields)


def _confirmed(here: Text, reply: Connector, fields: Mapping[str, Json]) -> Done:
    got = reply.whole()
    different = [key for key, value in fields.items() if got.get(key) != value]
    if not different:
        return Done(here=here, there=text("integrator.io has confirmed it."))
    there = text(
        "integrator.io answered with other values than we sent for: %(fields)s. Check there.",
        fields=", ".join(different),
    )
    return Done(here=here, there=there)


def _delete(api: Client, id: str, typed: str) -> Done:
    if typed != id:
        raise wrong_answer("id", text("This is not this connector’s id. Nothing was deleted."))
    existed = api.delete_connector(id)
    here = (
        text("The connector was deleted.") if existed else text("The connector no longer existed.")
    )
    return Done(here=here, there=text("integrator.io has confirmed it."))


def _install_base(api: Client, id: str) -> Rows:
    columns = (
        text("Installation"),
        text("Version"),
        text("Email address"),
        text("Name"),
        text("Environment"),
    )
    rows = [
        (row.id, row.version or "", row.email or "", row.name or "", _environment(row))
        for row in api.install_base(id)
        if row.id
    ]
    return Rows(columns=columns, rows=tuple(rows), then=PUSH_UPDATE.key)


def _environment(row: Integration) -> str:
    return one_line(str(row.environment or ""))[:LONGEST_ENVIRONMENT]


def _push_update(api: Client, id: str, ids: tuple[str, ...]) -> Done:
    """Only installations that the connector has now."""
    if not ids:
        raise wrong_answer("ids", text("Choose at least one installation. Nothing was sent."))
    chosen = tuple(dict.fromkeys(ids))
    if not {row.id for row in api.install_base(id)}.issuperset(chosen):
        raise wrong_answer(
            "ids", text("The list has changed, so nothing was sent. Check it again.")
        )
    api.push_update(id, chosen)
    here = text("The update was pushed. Installations: %(count)s.", count=str(len(chosen)))
    return Done(here=here, there=text("integrator.io updates them one after the other."))


def _fields(answers: Mapping[str, str]) -> JsonObject:
    """What was answered, under the names of the API."""
    fields: JsonObject = {
        key: answers[key].strip() for key in FIELDS if answers.get(key, "").strip()
    }
    published = answers.get("published", "")
    if published not in ("", "true", "false"):
        raise wrong_answer("published", text("Choose yes or no."))
    if published:
        fields["published"] = published == "true"
    return fields | _more(answers.get("more", "").strip())


def _more(typed: str) -> JsonObject:
    try:
        more = json.loads(typed or "{}")
    except ValueError:
        more = None
    if not isinstance(more, dict):
        raise wrong_answer("more", text('This is no JSON object, like {"handle": "shop"}.'))
    if CONNECTOR_READ_ONLY & more.keys():
        raise wrong_answer("more", text("The fields _id and lastModified cannot be set."))
    return more
