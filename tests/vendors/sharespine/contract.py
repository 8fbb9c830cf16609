"""The rows of the contract test for Sharespine."""

from __future__ import annotations

from typing import Any

import pytest

from onboarding import journey
from onboarding.models import Account
from tests.contract.row import LOOKS, SILENT, STAFF, Contract, Revoked, Row, State
from tests.support.merchant import Browser
from tests.vendors.sharespine.caller import MANAGE, agree
from vendors.http.api import Api
from vendors.sandbox import Running
from vendors.sharespine import client


def right(stage: Running) -> None:
    """Staff enter the password that Sharespine has told them."""
    users = stage.state("sharespine")["users"]
    password = next(str(row["password"]) for row in users if row["login"] == "api")
    journey.save_staff_answers(Account.objects.get().pk, {"api_password": password})


def wrong(stage: Running) -> None:
    journey.save_staff_answers(Account.objects.get().pk, {"api_password": "mistyped"})


def another_password(stage: Running) -> None:
    """Somebody at Sharespine gives the API user another password."""
    stage.change("sharespine", "users", {"login": "api"}, password="another")


def no_orders(stage: Running, browser: Browser) -> None:
    """200 and an empty list, whatever flows."""
    stage.fault("sharespine", "GET /api/order", kind="status", status=200, body="[]", times=None)


def live(state: State) -> list[str]:
    """The API connections of tenants that are switched on."""
    on = {row["id"] for row in state.get("tenants", []) if row["active"]}
    return [str(row["id"]) for row in state.get("connections", []) if row["tenant"] in on]


def found(state: State, doubt: str) -> str | None:
    """The id of the thing that may or may not exist: the newest of its kind."""
    kind, name = {"tenant": ("tenants", "id"), "connection": ("connections", "id")}.get(
        doubt, ("users", "login")
    )
    rows = state.get(kind, [])
    if doubt == "api_user":
        rows = [row for row in rows if row["login"] == "api"]
    return str(rows[-1][name]) if rows else None


def damage(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_reseller(**given: Any) -> Api:
        return Api(**{**given, "headers": {"User-Agent": given["headers"]["User-Agent"]}})

    monkeypatch.setattr(client, "Api", without_reseller)


ROOM = {"tenants": 1, "users": 2, "connections": 1}
WORD = "You marked the set-up as finished"
TENANT, USER = "POST /reseller/tenant", "POST /reseller/tenant/{codeName}/user"
API = "POST /reseller/tenant/{codeName}/connection"
LOGIN = "POST /reseller/tenant/{codeName}/login/{login}"
T, TU = {"tenants": 1}, {"tenants": 1, "users": 1}
TUU = {"tenants": 1, "users": 2}

CONFIRMED = "Sharespine confirms the connection. "

ROWS = [
    Row(status="reported", says=WORD, made=ROOM, after=ROOM),
    Row(press=("decline",), status="reported", says=WORD, made=ROOM, after=ROOM),
    Row(press=("expired",), status="reported", says=WORD, made=ROOM, after=ROOM),
    Row(press=("slow",), status="reported", says=WORD, made=ROOM, after=ROOM),
    Row(press=("dead",), status="reported", says=WORD, made=ROOM, after=ROOM),
    Row(press=("garbled",), status="reported", says=WORD, made=ROOM, after=ROOM),
    Row(press=("lost",), status="reported", says=WORD, made=ROOM, after=ROOM),
    Row(fault=("slow", "*"), status="reported", says=WORD, made=ROOM, after=ROOM),
    *(
        Row(fault=(case, route), status="on_it", says=LOOKS, made=made, after=ROOM)
        for route, before, done in [
            (TENANT, {}, T), (USER, T, TU), (API, TUU, ROOM),
        ]
        for case, made in [("dead", before), ("garbled", done), ("lost", done)]
    ),
    Row(fault=("dead", LOGIN), status="in_progress", says=SILENT, made=ROOM, after=ROOM),
    Row(fault=("garbled", LOGIN), status="on_it", says=STAFF, made=ROOM, after=ROOM),
    Row(fault=("lost", LOGIN), status="in_progress", says=SILENT, made=ROOM, after=ROOM),
    Row(staff=right, says=CONFIRMED + "No orders", made=ROOM, after=ROOM),
    Row(staff=wrong, status="on_it", says=STAFF, made=ROOM, repair=right, after=ROOM),
    *(
        Row(staff=right, fault=(case, "GET /api/"), status=status, says=says, made=ROOM, after=ROOM)
        for case, status, says in [
            ("slow", "connected", CONFIRMED), ("dead", "checking", SILENT),
            ("garbled", "on_it", STAFF), ("lost", "connected", CONFIRMED),
        ]
    ),
    *(
        Row(staff=right, fault=(case, "GET /api/order"), says=CONFIRMED + says, made=ROOM, after=ROOM)
        for case, says in [("slow", "No"), ("dead", "We"), ("garbled", "We"), ("lost", "We")]
    ),
]  # fmt: skip
CONTRACT = Contract(
    connector="sharespine-shop",
    rows=ROWS,
    damage=damage,
    connects_as="reported",
    live=live,
    nothing=Row(
        name="nothing",
        setup=no_orders,
        staff=right,
        says=f"{CONFIRMED}No orders",
        made=ROOM,
        after=ROOM,
    ),
    revoked=Revoked(
        before=right,
        revoke=another_password,
        status="connected",
        says="Not confirmed since",
        repair=right,
    ),
    once=("tenants", "users", "connections"),
    confided={"logins": ("id",)},
    found=found,
    settings=MANAGE,
    wrong={"password": "wr0ng"},
    permit=agree,
)
