"""itembase under kills: the calls of each step, and what a merchant has there in the end."""

from __future__ import annotations

from tests.kills.breakpoints import AFTER, HELD, RECEIVED
from tests.kills.harness import Harness, Memo
from tests.kills.merchant import Merchant
from tests.kills.scenarios import (
    CONNECT,
    CONNECTED,
    Kills,
    LostAnswer,
    Made,
    Rows,
    Scenario,
    checked,
    make_check_due,
    repeat_check,
)

TOKENS, GRANT = "POST /selfservice/v1/tokens", "GET /accounts/oauth/v2/token"
ME, SHOPS = "GET /users/v1/me", "GET /api/v1/users/{user}/instances"
ACTIVATE = "GET /solution/activate"
FOUND = ((TOKENS,), (GRANT,), (ME,), (SHOPS, ACTIVATE), (SHOPS,))


def button(path: str) -> str:
    """Not shared at once, so that there is an activation too."""
    return "unactivated" if "/process/" in path else "approve"


def an_hour_older(memo: Memo) -> Memo:
    """The sign-in is not young any more."""
    return {**memo, "at": memo["at"] - 3600}


def expire(harness: Harness, merchant: Merchant) -> None:
    """The access token is old: the check has to renew it first."""
    stage = harness.site.stage
    users = [row for row in stage.state("itembase")["users"] if row["email"] == merchant.email]
    stage.change("itembase", "grants", {"user": users[0]["id"]}, expires_at=0)
    harness.change_memo(merchant, an_hour_older)
    make_check_due(harness, merchant)


def inspect(there: Rows, merchant: Merchant, account: Rows, connection: Rows) -> Made:
    users = [row["id"] for row in there.get("users", []) if row["email"] == merchant.email]
    shops = [row["id"] for row in there.get("connections", []) if row["user"] in users]
    ids = (("".join(users), account["key"]), ("".join(shops), connection["shop_id"]))
    return Made({"users": len(users), "connections": len(shops)}, ids)


KILLS = Kills(
    steps={
        (CONNECT, "web"): FOUND,
        (CONNECT, "worker"): FOUND,
        ("check", "worker"): ((SHOPS,),),
        ("refresh", "worker"): ((SHOPS, GRANT), (SHOPS,)),
    },
    connector="itembase-ebay",
    inspect=inspect,
    one={"users": 1, "connections": 1},
    scenarios={"refresh": Scenario(expire, checked, (CONNECTED,), repeat_check, depth="thorough")},
    lost_answers=(
        LostAnswer("refresh", GRANT, page="oauth", at=frozenset({HELD, AFTER, RECEIVED})),
    ),
    button=button,
)
