"""The rows of the contract test for Capillary."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from onboarding.models import Attempt, Connector
from onboarding.models.memo import readable
from tests.contract.row import CASES, SILENT, STAFF, TO_DO, Contract, Revoked, Row, State
from tests.support.merchant import Browser
from vendors.capillary import client
from vendors.http.api import Api
from vendors.sandbox import Running


def profile() -> None:
    """Staff have said what a client may do."""
    rows = Connector.objects.filter(vendor="capillary")
    rows.update(options={"scope_1": "READ", "expiry": "600"}, ready=True)


def full(stage: Running, browser: Browser) -> None:
    """All fifteen places are taken."""
    at_capillary(stage, "fill")


def room(stage: Running) -> None:
    """Somebody made room."""
    number = next(row["id"] for row in stage.state("capillary")["clients"] if row["valid"])
    at_capillary(stage, "delete", key=number)


def at_capillary(stage: Running, action: str, **form: Any) -> None:
    data = {"do": action, **form}
    requests.post(f"{stage.url}/capillary/", data=data, timeout=5).raise_for_status()


def later(stage: Running) -> None:
    """The pause after a lost answer is over."""
    for attempt in Attempt.objects.filter(ended=None):
        attempt.connection_memo = {**readable(attempt.connection_memo), "not_before": 0}
        attempt.save()


def delete(stage: Running) -> None:
    """Somebody at Capillary deletes the clients of our merchants."""
    for number in live(stage.state("capillary")):
        at_capillary(stage, "delete", key=number)


def lists_nothing(stage: Running, browser: Browser) -> None:
    """The client is made, its answer is lost, and then none is listed: 200 and an empty list."""
    stage.play("capillary", "lost", f"POST {CLIENTS}")
    body: dict[str, Any] = {"data": [], "errors": None}
    stage.fault("capillary", f"GET {CLIENTS}", kind="status", status=200, body=body, times=None)


def live(state: State) -> list[str]:
    """Clients that are valid and bear a reference of ours."""
    rows = [row for row in state.get("clients", []) if "[gw:" in row["description"]]
    return [str(row["id"]) for row in rows if row["valid"]]


def damage(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_type(**given: Any) -> Api:
        return Api(**{**given, "headers": {"Content-Type": "text/plain"}})

    monkeypatch.setattr(client, "Api", without_type)


ONE, TWO, FULL = {"clients": 1}, {"clients": 2}, {"clients": 14}
CLIENTS, TOKEN = "/v3/integrations/clients", "POST /v3/oauth/token/generate"
KEY, PAUSE = "Your key works", "We try again in a moment."

ROWS = [
    Row(says=KEY, made=ONE, after=ONE),
    Row(setup=full, status="on_it", says="Our limit for keys", made=FULL, repair=room, after={"clients": 15}),
    Row(fault=("slow", f"POST {CLIENTS}"), says=KEY, made=ONE, after=ONE),
    Row(
        fault=("dead", f"POST {CLIENTS}"), status="in_progress", says=PAUSE,
        made={}, repair=later, after=ONE,
    ),
    Row(
        fault=("garbled", f"POST {CLIENTS}"), status="in_progress", says=PAUSE,
        made=TWO, repair=later, after={"clients": 3},
    ),
    Row(fault=("lost", f"POST {CLIENTS}"), says=KEY, made=TWO, after=TWO),
    Row(fault=("slow", TOKEN), says=KEY, made=ONE, after=ONE),
    Row(fault=("dead", TOKEN), status="in_progress", says=SILENT, made=ONE, after=ONE),
    Row(fault=("garbled", TOKEN), status="on_it", says=STAFF, made=ONE, after=ONE),
    Row(fault=("lost", TOKEN), status="in_progress", says=SILENT, made=ONE, after=ONE),
    Row(fault=("dead", f"GET {CLIENTS}"), status="in_progress", says=SILENT, made={}, after=ONE),
    Row(fault=("garbled", f"GET {CLIENTS}"), status="on_it", says=STAFF, made={}, after=ONE),
]  # fmt: skip

CONTRACT = Contract(
    connector="capillary-api",
    rows=ROWS,
    cases=(CASES - {"decline", "expired"}) | {"full"},
    damage=damage,
    live=live,
    nothing=Row(
        name="nothing", setup=lists_nothing, status="in_progress", says=PAUSE, made=ONE, repair=later,
        after=TWO,
    ),
    revoked=Revoked(revoke=delete, status=TO_DO, says="Your key was deleted at Capillary"),
    confided={"clients": ("secret",), "tokens": ("id",)},
    wrong={"secret": "wr0ng"},
    ready=profile,
)  # fmt: skip


def valid(stage: Running) -> int:
    """How many clients are valid, whoever made them."""
    return sum(row["valid"] for row in stage.state("capillary")["clients"])
