"""Tenant API of the Sharespine sandbox: its root, and the list of orders.

Reference: Sharespine developers, "Access tenant data"; "Orders" (Tenant API tutorials).
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

from vendors.sandbox import Refused, Request, Response, Row, Store, json_response

from .validation import require_user_agent

SHOWN = ("id", "name", "type", "active")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


def _connection(request: Request, store: Store) -> Row:
    """The API connection that a call names, for a user of an active tenant.

    Raises Refused (401 or 403); which status means what is not documented.
    """
    require_user_agent(request)
    login, password = request.basic()
    tenant = store.get("tenants", request.headers.get("x-tenant", ""))
    if tenant is None or tenant.get("deleted"):
        raise Refused(401, "Wrong tenant, login or password.", {"WWW-Authenticate": "Basic"})
    if not store.rows("users", login=login, password=password, tenant=tenant["id"]):
        raise Refused(401, "Wrong tenant, login or password.", {"WWW-Authenticate": "Basic"})
    if not tenant["active"]:
        raise Refused(403, "The tenant is not active.")
    id = request.headers.get("x-connectionid", "")
    found = store.rows("connections", id=id, tenant=tenant["id"])
    if not found or not found[0]["active"]:
        raise Refused(403, "X-ConnectionId is missing, unknown or not active.")
    return found[0]


def root(request: Request, store: Store) -> Response:
    """Metadata of the API connection, which is also how credentials are checked."""
    connection = _connection(request, store)
    if request.query_string:
        raise Refused(400, "The root takes no parameters.")
    return json_response({name: connection[name] for name in SHOWN})


def orders(request: Request, store: Store) -> Response:
    """All orders of the tenant, or those changed at or after a moment: a bare array, not sorted."""
    tenant, since = _connection(request, store)["tenant"], _since(request.args.to_dict())
    rows = store.rows("orders", tenant=tenant)
    return json_response([_order(row) for row in rows if _instant(row["lastModified"]) >= since])


def _since(args: dict[str, str]) -> datetime:
    moment = args.pop("modifiedAtOrAfter", "0001-01-01T00:00:00Z")
    if args or not INSTANT.fullmatch(moment):
        raise Refused(400, "The only filter is modifiedAtOrAfter, like 2023-04-04T13:57:16Z.")
    return _instant(moment)


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Refused(400, "There is no such moment.") from None


def _order(row: Row) -> dict[str, object]:
    """Some fields of an order; Gangway reads no others."""
    return {
        "href": f"/api/order/{row['id']}",
        "localId": row["id"],
        "remoteIdMap": {},
        "remoteRefMap": {},
        "created": row["created"],
        "lastModified": row["lastModified"],
        "orderStatus": "new",
        "buyer": {"email": row["buyer"]},
        "rows": [{"quantity": 1, "pricePerUnitExclVat": 80}],
    }


def place(store: Store, tenant: str, buyer: str) -> Row:
    """Add an order, as if the shop had sent it."""
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    fields = {"tenant": tenant, "created": now, "lastModified": now, "buyer": buyer}
    return store.add("orders", secrets.token_hex(16), **fields)
