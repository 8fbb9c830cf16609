"""Selfservice tokens and instances of the itembase sandbox."""

from __future__ import annotations

import secrets
import time
import uuid

from vendors.sandbox import JsonObject, Refused, Request, Response, Row, Store, json_response

from .accounts import CLIENT_ID, authorised

OWN_COMPONENT = 77
COMPONENTS = {
    6: "eBay",
    7: "Shopify",
    20: "SEO shop",
    12: "Big Commerce",
    11: "Magento",
    30: "Magento",
    14: "Prestashop",
    34: "Gambio",
    22: "WooCommerce",
    23: "Virtuemart",
}
TOKEN_SECONDS = 1200
FIELDS = {
    "component_ids",
    "client_id",
    "instance_id",
    "action",
    "additional_parameters",
    "enable_whisper_signup",
}


# Reference: "Signing up users and add services with the connect API", examples 1 to 3
def create_token(request: Request, store: Store) -> Response:
    body = request.json_object()
    _require_known_fields(body)
    if "authorization" not in request.headers:
        token = _for_new_user(body)
    elif "instance_id" in body:
        token = _for_instance(body, _known_user(request, store, body, "user.instances.read"), store)
    else:
        token = _for_known_user(body, _known_user(request, store, body))
    row = store.add("tokens", secrets.token_hex(20), **token, **_always(body))
    return json_response(_shown(row, request.root_url), 201)


def _require_known_fields(body: JsonObject) -> None:
    unknown = set(body) - FIELDS
    if unknown:
        raise Refused(400, f"Unknown field: {', '.join(sorted(unknown))}.")
    if body.get("action") != "create":
        raise Refused(400, "action must be create.")
    if not isinstance(body.get("enable_whisper_signup", False), bool):
        raise Refused(400, "enable_whisper_signup must be a boolean.")
    if body.get("additional_parameters", []) != [] and not isinstance(
        body["additional_parameters"], dict
    ):
        raise Refused(400, "additional_parameters must be an object.")


def _always(body: JsonObject) -> JsonObject:
    return {
        "client_id": CLIENT_ID,
        "action": "create",
        "status": "new",
        "enable_whisper_signup": body.get("enable_whisper_signup", False),
        # PHP writes an empty mapping as a list.
        "additional_parameters": body.get("additional_parameters") or [],
        "expires_at": time.time() + TOKEN_SECONDS,
    }


def _for_new_user(body: JsonObject) -> JsonObject:
    if body.get("client_id") != CLIENT_ID:
        raise Refused(401, "client_id is missing or wrong.")
    if "instance_id" in body:
        raise Refused(401, "An existing store needs an access token.")
    return {"user": None, "component_ids": _components(body), "instance_id": None}


def _known_user(request: Request, store: Store, body: JsonObject, *scopes: str) -> Row:
    if body.get("client_id", CLIENT_ID) != CLIENT_ID:
        raise Refused(401, "client_id is not the one of the access token.")
    return authorised(request, store, "user.instances.write", *scopes)


def _for_known_user(body: JsonObject, grant: Row) -> JsonObject:
    return {"user": grant["user"], "component_ids": _components(body), "instance_id": None}


def _for_instance(body: JsonObject, grant: Row, store: Store) -> JsonObject:
    if "component_ids" in body:
        raise Refused(400, "Either component_ids or instance_id.")
    found = store.get("connections", str(body["instance_id"]))
    if found is None or found["user"] != grant["user"] or not listed(found):
        raise Refused(404, "Not found.")
    return {"user": grant["user"], "component_ids": [], "instance_id": found["id"]}


def _components(body: JsonObject) -> list[int]:
    wanted = body.get("component_ids")
    if not isinstance(wanted, list) or not wanted:
        raise Refused(400, "component_ids must be a list of integers.")
    if not all(type(one) is int and one in COMPONENTS for one in wanted):
        raise Refused(400, "component_ids has an unknown component.")
    return wanted


def _shown(row: Row, root_url: str) -> JsonObject:
    return {
        "token": row["id"],
        "client_id": row["client_id"],
        "user_id": row["user"],
        "action": row["action"],
        "component_ids": [*row["component_ids"], OWN_COMPONENT],
        "instance_id": row["instance_id"],
        "status": row["status"],
        "enable_whisper_signup": row["enable_whisper_signup"],
        "expires_in": TOKEN_SECONDS,
        "uri": f"{root_url}selfservice/process/{row['id']}",
        "additional_parameters": row["additional_parameters"],
    }


def connected(store: Store, token: Row, user: Row, names: list[str], status: str) -> None:
    """Approve the process: add stores with these names, or change the known one; the token is used."""
    for component in token["component_ids"]:
        for name in names:
            fields = {"component_id": component, "status": status, "name": name}
            store.add("connections", str(uuid.uuid4()), user=user["id"], **fields)
    if token["instance_id"] and status != "connection.valid":
        store.change("connections", token["instance_id"], status=status)
    store.change("tokens", token["id"], status="finished", signed_in=user["id"])


def activated(store: Store, user: str) -> None:
    """Activate our client for the user: adds its solution, unless there is one."""
    if not any(listed(row) for row in store.rows("solutions", user=user)):
        fields = {"component_id": OWN_COMPONENT, "status": None}
        store.add("solutions", str(uuid.uuid4()), user=user, **fields)


def listed(row: Row) -> bool:
    return not row.get("removed", False)


# Reference: "Signing up users and add services with the connect API", example 3
def instances(request: Request, store: Store) -> Response:
    grant = authorised(request, store, "user.instances.read")
    user = request.params["user"]
    if user != grant["user"]:
        raise Refused(403, "The access token belongs to another user.")
    kinds = {"connections": "connection", "solutions": "solution"}
    return json_response(
        [
            _instance(row, component_type)
            for kind, component_type in kinds.items()
            for row in store.rows(kind, user=user)
            if listed(row)
        ]
    )


def _instance(row: Row, component_type: str) -> JsonObject:
    path = f"/v1/users/{row['user']}/instances/{row['id']}"
    hrefs = {"self": path, "meta": f"{path}/meta", "connections": f"{path}/connections"}
    return {
        "id": row["id"],
        "component_id": row["component_id"],
        "component_type": component_type,
        "status": row["status"],
        "_links": [{"rel": rel, "href": href} for rel, href in hrefs.items()],
    }
