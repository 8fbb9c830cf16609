"""Connectors, their install base and pushed updates in the Celigo sandbox.

Reference: Celigo, "Connector API".
"""

from __future__ import annotations

import secrets

from vendors.sandbox import JsonObject, Refused, Request, Response, Row, Store, json_response

from .rules import (
    PARTNER,
    PUSHED,
    TOKEN_STATE,
    Check,
    Wrong,
    error,
    is_flag,
    is_id,
    is_ids,
    is_list,
    is_object,
    is_string,
    is_text,
    is_texts,
    listed,
    now,
    validated,
)

FIELDS: dict[str, Check] = {
    "name": is_text,
    "description": is_string,
    "imageURL": is_string,
    "websiteURL": is_string,
    "contactEmail": is_string,
    "handle": is_string,
    "published": is_flag,
    "managed": is_flag,
    "_integrationId": is_id,
    "_stackId": is_id,
    "installerFunction": is_string,
    "updateFunction": is_string,
    "preUninstallFunction": is_string,
    "uninstallerFunction": is_string,
    "externalInstallerFunction": is_string,
    "_sharedImportIds": is_ids,
    "_sharedExportIds": is_ids,
    "_iClientIdMap": is_list,
    "applications": is_texts,
    "oAuthServerFlow": is_object,
    "trialEnabled": is_flag,
}
READ_ONLY = ("_id", "lastModified", "createdAt", "lastModifiedBy")
CLEARED: JsonObject = {
    "published": False,
    "managed": False,
    "_sharedImportIds": [],
    "_sharedExportIds": [],
    "_iClientIdMap": [],
    "applications": [],
}

PRESET = {
    "54fa0b38a7044f9252000036": ("Shopify - NetSuite Connector", True),
    "54fa0b38a7044f9252000037": ("Magento - NetSuite Connector", True),
    "54fa0b38a7044f9252000038": ("Amazon - Salesforce Connector", True),
    "54fa0b38a7044f9252000039": ("eBay - NetSuite Connector", False),
}


def preset(store: Store) -> None:
    """The connectors that the operator has at Celigo from the beginning."""
    if store.rows("connectors"):
        return
    for number, (id, (name, published)) in enumerate(PRESET.items()):
        _add(store, id, _sample(name, published, number))


def _sample(name: str, published: bool, number: int) -> JsonObject:
    applications = [part.lower() for part in name.removesuffix(" Connector").split(" - ")]
    return {
        "name": name,
        "description": f"{name} keeps orders, customers, fulfillments and items in sync.",
        "imageURL": f"/images/company-logos/{'-'.join(applications)}.png",
        "websiteURL": f"http://www.celigo.com/products/{'-'.join(applications)}-connector/",
        "contactEmail": "sales@celigo.example",
        "handle": f"sc{number + 1}n",
        "published": published,
        "managed": True,
        "_integrationId": f"5593228187085d362c0444{number:02x}",
        "_stackId": f"5593228187085d362c0455{number:02x}",
        "installerFunction": "installConnector",
        "updateFunction": "updateConnector",
        "preUninstallFunction": "preUninstallFunction",
        "uninstallerFunction": "uninstallConnector",
        "externalInstallerFunction": "installConnectorFromExternalApp",
        "_iClientIdMap": [
            {
                "_id": False,
                "_iClientIds": [f"553f9dfc4a7d2ca3238e19{number:02x}"],
                "connection": {"type": applications[-1]},
            }
        ],
        "applications": applications[::-1],
        "oAuthServerFlow": {"_iClientId": f"553fa0c93a7044f9252001{number:02x}"},
    }


def _stored(fields: JsonObject) -> JsonObject:
    """The fields that a POST or PUT stores: those that were left out are cleared."""
    whole = CLEARED | fields
    about = {"name": whole["name"], "published": whole["published"], "lastModified": now()}
    return {**about, "fields": whole}


def _add(store: Store, id: str, fields: JsonObject) -> Row:
    return store.add("connectors", id, deleted=False, **_stored(fields))


def _shown(row: Row) -> JsonObject:
    return {"_id": row["id"], **row["fields"], "lastModified": row["lastModified"]}


def connector(request: Request, store: Store) -> Row:
    """The connector in the path; 404 for an unknown or deleted one."""
    preset(store)
    row = store.get("connectors", request.params["_id"])
    if row is None or row["deleted"]:
        raise Refused(404, "No such connector.")
    return row


def token_info(_request: Request, store: Store) -> Response:
    scope = "*" if TOKEN_STATE.value(store) == "full" else "custom"
    return json_response({"_userId": PARTNER, "scope": scope})


def get_all(request: Request, store: Store) -> Response:
    preset(store)
    return listed(request, store, store.rows("connectors", deleted=False), _shown)


def get(request: Request, store: Store) -> Response:
    return json_response(_shown(connector(request, store)))


def create(request: Request, store: Store) -> Response:
    preset(store)
    row = _add(store, secrets.token_hex(12), validated(request.json_object(), FIELDS, ("name",)))
    return json_response(_shown(row), 201)


def update(request: Request, store: Store) -> Response:
    """A full replace; what is read-only may be sent back and is ignored."""
    row = connector(request, store)
    fields = validated(request.json_object(), FIELDS, ("name",), READ_ONLY)
    return json_response(_shown(store.change("connectors", row["id"], **_stored(fields))))


def delete(request: Request, store: Store) -> Response:
    store.change("connectors", connector(request, store)["id"], deleted=True)
    return Response(status=204)


def install_base(request: Request, store: Store) -> Response:
    rows = installed(store, connector(request, store)["id"])
    return listed(request, store, rows, _installed_row)


def installed(store: Store, connector_id: str) -> list[Row]:
    return store.rows("integrations", connector=connector_id, removed=False)


def _installed_row(row: Row) -> JsonObject:
    shown = {"_integrationId": row["id"]}
    return shown | {name: row[name] for name in ("email", "name", "version", "environment")}


def push(request: Request, store: Store) -> Response:
    """An update to some of the integrations in the install base, and to no others."""
    row = connector(request, store)
    wanted: list[str] = validated(
        request.json_object(), {"_integrationIds": is_ids}, ("_integrationIds",)
    )["_integrationIds"]
    base = {each["id"]: each for each in installed(store, row["id"])}
    if not wanted or set(wanted) - set(base):
        message = "`_integrationIds` must name integrations of the install base."
        raise Wrong(422, error("invalid_ref", message, "_integrationIds"))
    for id in set(wanted):
        store.change("integrations", id, version=_next(base[id]["version"]))
    fields = {"connector": row["id"], "integrations": wanted, "at": now()}
    store.add("pushes", secrets.token_hex(12), **fields)
    return Response() if PUSHED.value(store) == "empty" else json_response({})


def _next(version: str) -> str:
    begin, _, last = version.rpartition(".")
    return f"{begin}.{int(last) + 1}"
