"""Capillary under kills: the calls of each step, and how many clients a merchant has in the end."""

from __future__ import annotations

from collections.abc import Iterable

from tests.kills.harness import Harness
from tests.kills.merchant import Merchant
from tests.kills.scenarios import (
    CONNECT,
    CONNECTED,
    Kills,
    Made,
    Rows,
    Scenario,
    button,
    has_status,
)
from vendors.capillary import client
from vendors.http.process_cache import ProcessCache
from vendors.sandbox import Running

CLIENTS, CREATE = (f"{verb} /v3/integrations/clients" for verb in ("GET", "POST"))
CLIENT, DELETE = (f"{verb} /v3/integrations/clients/{{clientKey}}" for verb in ("GET", "DELETE"))
SCOPES, GENERATE = "GET /v3/integrations/scopes", "POST /v3/oauth/token/generate"
MAKE = ((SCOPES, CLIENTS), (CLIENTS, CREATE), (GENERATE,))
SIGNED_IN = ((GENERATE, SCOPES, CLIENTS), (GENERATE, CLIENTS, CREATE), (GENERATE,))
ROTATE = ((CLIENT, SCOPES, CLIENTS), (CLIENTS, CREATE), (GENERATE,))
SIGN_IN = "sign-in"  # as connect, and the operator's token is used up at every step
_tokens = client._tokens


def before_step(scenario: str) -> None:
    client._tokens = ProcessCache() if scenario == SIGN_IN else _tokens


def rotated(harness: Harness, merchant: Merchant) -> bool:
    newest = merchant.attempt()
    return newest["purpose"] == "act" and has_status("connected")(harness, merchant)


def inspect(there: Rows, merchant: Merchant, account: Rows, connection: Rows) -> Made:
    rows = [row for row in clients_of(there, merchant) if row["valid"]]
    return Made({"clients": len(rows)}, tuple((row["id"], connection["key"]) for row in rows[-1:]))


def clients_of(there: Rows, merchant: Merchant) -> list[Rows]:
    tag = f"[gw:{merchant.connection()['reference']}]"
    return [row for row in there.get("clients", []) if tag in row["description"]]


def make_room(stage: Running, merchants: Iterable[Merchant]) -> None:
    """There is room for fifteen clients: those of shops that are done with go."""
    for merchant in merchants:
        for row in clients_of(stage.state("capillary"), merchant):
            stage.change("capillary", "clients", {"id": row["id"]}, valid=False)


KILLS = Kills(
    steps={
        (CONNECT, "web"): MAKE,
        (CONNECT, "worker"): MAKE,
        (SIGN_IN, "web"): SIGNED_IN,
        (SIGN_IN, "worker"): SIGNED_IN,
        ("check", "worker"): ((CLIENT,),),
        ("rotate", "web"): ROTATE,
        ("rotate", "worker"): ROTATE,
        ("disconnect", "web"): ((CLIENTS, DELETE),),
        ("disconnect", "worker"): ((CLIENTS, DELETE),),
    },
    connector="capillary-api",
    inspect=inspect,
    one={"clients": 1},
    other={
        "disconnect": {"clients": 0},
        "rotate": {"clients": 2},  # the old key works until the merchant says so
    },
    scenarios={
        SIGN_IN: Scenario(*CONNECTED, depth="first"),
        "rotate": Scenario(button("actions/rotate"), rotated, (CONNECTED,)),
    },
    make_room=make_room,
    before_step=before_step,
)
