"""Celigo integrator.io under kills: the calls of each step, and which licences exist in the end."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import requests

from tests.kills.harness import Harness
from tests.kills.merchant import Merchant
from tests.kills.scenarios import CONNECT, CONNECTED, Kills, Made, Rows, Scenario
from tests.vendors.celigo.caller import SHOPIFY

LICENCES, ISSUE = (f"{verb} /v1/connectors/{{_id}}/licenses" for verb in ("GET", "POST"))
LICENCE, CHANGE = (
    f"{verb} /v1/connectors/{{_id}}/licenses/{{_id_of_license}}" for verb in ("GET", "PUT")
)
ISSUED = ((LICENCES,), (ISSUE,), (LICENCE,), (LICENCE,))
UNTIL = "2030-01-31"


def approve(merchant: Merchant) -> None:
    """The main button there: it makes an account, and installs an app that has its licence."""
    form = {"user": "new", "email": merchant.email, "case": "approve"}
    merchant.vendor_session.post(f"{merchant.site.stage.url}/celigo/", data=form, timeout=60)


def extend(harness: Harness, merchant: Merchant) -> None:
    """Staff's button is answered when it is done, or when the process is dead."""

    def press() -> None:
        try:
            extend_again(harness, merchant)
        except requests.ConnectionError:
            return

    threading.Thread(target=press, daemon=True).start()


def extend_again(harness: Harness, merchant: Merchant) -> None:
    connection = merchant.connection()["id"]
    answer = harness.staff(f"connection/{connection}/act/renew/", answer_until=UNTIL)
    assert answer.status_code == 302, answer.status_code


def extended(harness: Harness, merchant: Merchant) -> bool:
    rows = harness.site.stage.state("celigo")["licenses"]
    mine = [row for row in rows if row["email"] == merchant.email]
    return all(row["expires"].startswith(UNTIL) for row in mine) and merchant.idle()


def inspect(there: Rows, merchant: Merchant, account: Rows, connection: Rows) -> Made:
    rows = there.get("licenses", [])
    mine = [row for row in rows if row["email"] == merchant.email and not row["deleted"]]
    running = [row for row in mine if datetime.fromisoformat(row["expires"]) > datetime.now(UTC)]
    ids = (("".join(row["id"] for row in mine), connection["key"]),)
    return Made({"licenses": len(mine), "running": len(running)}, ids)


KILLS = Kills(
    steps={
        (CONNECT, "web"): ISSUED,
        (CONNECT, "worker"): ISSUED,
        ("check", "worker"): ((LICENCE,),),
        ("extend", "web"): ((LICENCE, CHANGE),),
        ("disconnect", "web"): ((LICENCE,), (LICENCE, CHANGE)),
        ("disconnect", "worker"): ((LICENCE,), (LICENCE, CHANGE)),
    },
    connector=f"celigo-{SHOPIFY}",
    inspect=inspect,
    one={"licenses": 1, "running": 1},
    other={"disconnect": {"running": 0}},
    scenarios={"extend": Scenario(extend, extended, (CONNECTED,), extend_again)},
    sign_up=approve,
    install=approve,
)
