"""Sharespine under kills: the calls of each step, and what a merchant has there in the end."""

from __future__ import annotations

from tests.kills.harness import Harness
from tests.kills.merchant import Merchant
from tests.kills.scenarios import (
    CONNECT,
    CONNECTED,
    Kills,
    Made,
    Rows,
    Scenario,
    checked,
    make_check_due,
    repeat_check,
)
from tests.vendors.sharespine.caller import MANAGE, agree

TENANT, TENANT_USER = "POST /reseller/tenant", "POST /reseller/tenant/{codeName}/user"
CONNECTION = "POST /reseller/tenant/{codeName}/connection"
LOGIN = "POST /reseller/tenant/{codeName}/login/{login}"
SWITCH, ROOT, ORDERS = "PUT /reseller/tenant/{codeName}", "GET /api/", "GET /api/order"
ROOM = ((TENANT,), (TENANT_USER,), (TENANT_USER,), (CONNECTION,), (LOGIN,))


def tell_password(harness: Harness, merchant: Merchant) -> None:
    """Staff enter the password of the API user: the shop is checked with it at once."""
    merchant.checked_before = merchant.connection()["checked_at"]
    password = api_password(harness.site.stage.state("sharespine"), merchant)
    account = harness.database.account(merchant.reference)["id"]
    answer = harness.staff(f"account/{account}/know/", answer_api_password=password)
    assert answer.status_code == 302


def api_password(there: Rows, merchant: Merchant) -> str:
    users = [row for row in there["users"] if row["tenant"] in tenants_of(there, merchant)]
    return next(str(row["password"]) for row in users if row["login"] == "api")


def tenants_of(there: Rows, merchant: Merchant) -> list[str]:
    rows = there.get("tenants", [])
    return [row["id"] for row in rows if row["customerReference"] == merchant.reference]


def inspect(there: Rows, merchant: Merchant, account: Rows, connection: Rows) -> Made:
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
        counts,
        ((tenant, account["key"]), (f"{tenant}/{connection['reference']}", connection["shop_id"])),
    )


def found(there: Rows, merchant: Merchant, doubt: str) -> str:
    """The id of the thing that may or may not exist, or "" where it does not."""
    tenants = tenants_of(there, merchant)
    if doubt == "tenant":
        return "".join(tenants)
    kind, name = ("connections", "id") if doubt == "connection" else ("users", "login")
    rows = [row for row in there.get(kind, []) if row["tenant"] in tenants]
    if kind == "users":
        rows = [row for row in rows if (row["login"] == "api") == (doubt == "api_user")]
    return "".join(str(row[name]) for row in rows)


OFF = {"active": 0}
KILLS = Kills(
    steps={
        (CONNECT, "web"): ROOM,
        (CONNECT, "worker"): ROOM,
        ("confirm", "worker"): ((ROOT, ORDERS),),
        ("pause", "web"): ((SWITCH,),),
        ("pause", "worker"): ((SWITCH,),),
        ("resume", "web"): ((SWITCH,),),
        ("resume", "worker"): ((SWITCH,),),
        ("disconnect", "web"): ((SWITCH,),),
        ("disconnect", "worker"): ((SWITCH,),),
    },
    connector="sharespine-shop",
    inspect=inspect,
    one={"tenants": 1, "active": 1, "users": 2, "connections": 1},
    other={"pause": OFF, "disconnect": OFF},
    ends={CONNECT: "reported", "resume": "reported"},
    scenarios={
        "confirm": Scenario(
            make_check_due, checked, (CONNECTED, (tell_password, checked)), repeat_check
        )
    },
    found=found,
    settings=MANAGE,
    permit=agree,
)
