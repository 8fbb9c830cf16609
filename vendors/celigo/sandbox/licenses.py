"""Users and licences of the Celigo sandbox.

Reference: Celigo, "Connector API", examples 2 to 5.
"""

from __future__ import annotations

import secrets

from vendors.sandbox import JsonObject, Refused, Request, Response, Row, Store, json_response

from .connectors import connector
from .rules import (
    INVALID_USER,
    Check,
    Wrong,
    error,
    is_flag,
    is_id,
    is_object,
    is_text,
    is_time,
    listed,
    now,
    validated,
)

NO_USER = (
    "We were not able to find any user with the provided email address.  "
    "Please ask the user to first create an integrator.io account."
)
MORE: dict[str, Check] = {
    "trialEndDate": is_time,
    "sandbox": is_flag,
    "_editionId": is_id,
    "type": lambda value: value in ("integrationApp", "integrationAppChild"),
}
FIELDS: dict[str, Check] = {"expires": is_time, "opts": is_object} | MORE
READ_ONLY = ("_id", "created", "user", "email", "_integrationId", "_connectorId", "lastModified")


def user_of(store: Store, email: str) -> Row | None:
    """The integrator.io user with this email address, in upper or lower case."""
    wanted = email.strip().casefold()
    return next((u for u in store.rows("users") if u["email"].casefold() == wanted), None)


def signed_up(store: Store, email: str) -> Row:
    """The user with this address, made if there is none."""
    name = email.partition("@")[0].replace(".", " ").title()
    return user_of(store, email) or store.add(
        "users", secrets.token_hex(12), email=email, name=name
    )


def issued(store: Store, connector_id: str, user: Row, fields: JsonObject) -> Row:
    about = {"email": user["email"], "owner": user["id"], "connector": connector_id}
    state = {"created": now(), "installed_by": "", "integration": "", "deleted": False}
    return store.add("licenses", secrets.token_hex(12), **about, **state, **_stored(fields))


def _stored(fields: JsonObject) -> JsonObject:
    """The fields that a POST or PUT stores: those that were left out are cleared."""
    more = {name: fields[name] for name in MORE if name in fields}
    return {"expires": fields["expires"], "opts": fields.get("opts"), "more": more}


def _shown(row: Row) -> JsonObject:
    shown = {"_id": row["id"], "expires": row["expires"], "created": row["created"], **row["more"]}
    if row["opts"] is not None:
        shown["opts"] = row["opts"]
    shown["user"] = {"email": row["email"]}
    if row["installed_by"]:
        shown["user"] |= {"_id": row["owner"], "name": row["installed_by"]}
    return shown | ({"_integrationId": row["integration"]} if row["integration"] else {})


def _license(request: Request, store: Store) -> Row:
    owner = connector(request, store)
    row = store.get("licenses", request.params["_id_of_license"])
    if row is None or row["deleted"] or row["connector"] != owner["id"]:
        raise Refused(404, "No such license.")
    return row


def get_all(request: Request, store: Store) -> Response:
    rows = store.rows("licenses", connector=connector(request, store)["id"], deleted=False)
    return listed(request, store, rows, _shown)


def get(request: Request, store: Store) -> Response:
    return json_response(_shown(_license(request, store)))


def create(request: Request, store: Store) -> Response:
    """A licence for the user with this email. A repeated call makes a second one."""
    owner = connector(request, store)
    fields = validated(request.json_object(), FIELDS | {"email": is_text}, ("email", "expires"))
    user = user_of(store, fields["email"])
    if user is None:
        raise Wrong(int(INVALID_USER.value(store)), error("invalid_user", NO_USER))
    return json_response(_shown(issued(store, owner["id"], user, fields)), 201)


def update(request: Request, store: Store) -> Response:
    """A full replace; what is read-only may be sent back and is ignored."""
    row = _license(request, store)
    fields = validated(request.json_object(), FIELDS, ("expires",), READ_ONLY)
    return json_response(_shown(store.change("licenses", row["id"], **_stored(fields))))


def delete(request: Request, store: Store) -> Response:
    row = _license(request, store)
    uninstall(store, row)
    store.change("licenses", row["id"], deleted=True)
    return Response(status=204)


def install(store: Store, row: Row, name: str) -> None:
    """What the button in integrator.io does; once installed, it changes nothing."""
    if row["integration"]:
        return
    found = store.get("connectors", row["connector"])
    integration = store.add(
        "integrations",
        secrets.token_hex(12),
        connector=row["connector"],
        email=row["email"],
        name=found["name"] if found else "",
        version="1.0.0",
        environment="sandbox" if row["more"].get("sandbox") else "production",
        removed=False,
    )
    store.change("licenses", row["id"], integration=integration["id"], installed_by=name)


def uninstall(store: Store, row: Row) -> None:
    """Remove the integration; the licence and its user stay."""
    if row["integration"]:
        store.change("integrations", row["integration"], removed=True)
        store.change("licenses", row["id"], integration="")
