"""The vendor under kills: the calls of each step, and what a merchant has there in the end."""

from __future__ import annotations

from tests.kills.merchant import Merchant
from tests.kills.scenarios import CONNECT, Kills, Made, Rows
from tests.vendors._template.caller import CREATE, DELETE, LIST, READ

CREATED = ((LIST,), (CREATE,), (READ,), (READ,))  # one step in each pair of parentheses
ENDED = ((LIST, DELETE),)


def inspect(there: Rows, merchant: Merchant, account: Rows, connection: Rows) -> Made:
    """All that were ever made are compared with our key, so that a second one is noticed."""
    rows = [row for row in there.get("shops", []) if row["reference"] == connection["reference"]]
    alive = [row for row in rows if not row["deleted"]]
    ids = "".join(row["id"] for row in rows)
    return Made({"shops": len(alive)}, ((ids, connection["key"]),))


KILLS = Kills(
    steps={
        (CONNECT, "web"): CREATED,
        (CONNECT, "worker"): CREATED,
        ("check", "worker"): ((READ,),),
        ("disconnect", "web"): ENDED,
        ("disconnect", "worker"): ENDED,
    },
    connector="_template-shop",
    inspect=inspect,
    one={"shops": 1},
    other={"disconnect": {"shops": 0}},
)
