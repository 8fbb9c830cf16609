"""What the sandboxes have of one merchant, and what our rows say of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.kills.merchant import Merchant
from vendors.sandbox import Running


@dataclass(frozen=True)
class Made:
    """`counts`: things of the merchant there, by kind. `ids`: (the vendor's, ours) of each key."""

    counts: dict[str, int]
    ids: tuple[tuple[str, str], ...]


def made(stage: Running, merchant: Merchant) -> Made:
    shop = merchant.books.shop(merchant.reference)
    account = merchant.books.account(merchant.reference)
    return LOOK[merchant.vendor](stage.state(merchant.vendor), merchant, account, shop)


def _itembase(there: Any, merchant: Merchant, account: Any, shop: Any) -> Made:
    users = [row["id"] for row in there.get("users", []) if row["email"] == merchant.email]
    shops = [row["id"] for row in there.get("connections", []) if row["user"] in users]
    ids = (("".join(users), account["key"]), ("".join(shops), shop["shop_id"]))
    return Made({"users": len(users), "connections": len(shops)}, ids)


def _sharespine(there: Any, merchant: Merchant, account: Any, shop: Any) -> Made:
    tenants = tenants_of(there, merchant)
    users = [row["login"] for row in there.get("users", []) if row["tenant"] in tenants]
    shops = [row["id"] for row in there.get("connections", []) if row["tenant"] in tenants]
    active = [row for row in there.get("tenants", []) if row["id"] in tenants and row["active"]]
    counts = {
        "tenants": len(tenants),
        "active": len(active),
        "users": len(users),
        "connections": len(shops),
    }
    tenant = "".join(tenants)
    return Made(
        counts, ((tenant, account["key"]), (f"{tenant}/{shop['reference']}", shop["shop_id"]))
    )


def _celigo(there: Any, merchant: Merchant, account: Any, shop: Any) -> Made:
    rows = there.get("licenses", [])
    mine = [row for row in rows if row["email"] == merchant.email and not row["deleted"]]
    running = [row for row in mine if datetime.fromisoformat(row["expires"]) > datetime.now(UTC)]
    ids = (("".join(row["id"] for row in mine), shop["key"]),)
    return Made({"licenses": len(mine), "running": len(running)}, ids)


def _capillary(there: Any, merchant: Merchant, account: Any, shop: Any) -> Made:
    tag = f"[gw:{shop['reference']}]"
    rows = [row for row in there.get("clients", []) if tag in row["description"] and row["valid"]]
    return Made({"clients": len(rows)}, tuple((row["id"], shop["key"]) for row in rows[-1:]))


LOOK = {
    "itembase": _itembase,
    "sharespine": _sharespine,
    "celigo": _celigo,
    "capillary": _capillary,
}
ONE = {
    "itembase": {"users": 1, "connections": 1},
    "sharespine": {"tenants": 1, "active": 1, "users": 2, "connections": 1},
    "celigo": {"licenses": 1, "running": 1},
    "capillary": {"clients": 1},
}
OTHER = {
    ("sharespine", "pause"): {"active": 0},
    ("sharespine", "disconnect"): {"active": 0},
    ("celigo", "disconnect"): {"running": 0},
    ("capillary", "disconnect"): {"clients": 0},
    ("capillary", "rotate"): {"clients": 2},  # the old key works until the merchant says so
}


def things(vendor: str, way: str) -> dict[str, int]:
    """What of a merchant exists in the end, by kind."""
    return {**ONE[vendor], **OTHER.get((vendor, way), {})}


def api_password(stage: Running, merchant: Merchant) -> str:
    there = stage.state("sharespine")
    users = [row for row in there["users"] if row["tenant"] in tenants_of(there, merchant)]
    return next(str(row["password"]) for row in users if row["login"] == "api")


def renewed(stage: Running, merchant: Merchant, until: str) -> bool:
    rows = stage.state("celigo")["licenses"]
    return all(row["expires"].startswith(until) for row in rows if row["email"] == merchant.email)


def tenants_of(there: Any, merchant: Merchant) -> list[str]:
    rows = there.get("tenants", [])
    return [row["id"] for row in rows if row["customerReference"] == merchant.reference]


def look(stage: Running, merchant: Merchant, unsure: str) -> str:
    """What staff find at Sharespine: the id of the thing, or "" for none."""
    there = stage.state("sharespine")
    tenants = tenants_of(there, merchant)
    if unsure == "tenant":
        return "".join(tenants)
    kind, name = ("connections", "id") if unsure == "connection" else ("users", "login")
    rows = [row for row in there.get(kind, []) if row["tenant"] in tenants]
    if kind == "users":
        rows = [row for row in rows if (row["login"] == "api") == (unsure == "api_user")]
    return "".join(str(row[name]) for row in rows)
