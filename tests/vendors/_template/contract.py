"""The rows of the contract test: where each case ends, what the merchant reads, what exists there."""

from __future__ import annotations

from typing import Any

import pytest

from onboarding.models import Attempt
from onboarding.models.memo import readable
from tests.contract.row import SILENT, STAFF, TO_DO, Contract, Revoked, Row, State
from tests.support.merchant import Browser
from tests.vendors._template.caller import CREATE, LIST, READ
from vendors._template import client
from vendors.http.api import Api
from vendors.sandbox import Running


def revoke(stage: Running) -> None:
    """The merchant takes the approval back at the vendor."""
    stage.change("_template", "shops", {}, status="revoked")


def pause_is_over(stage: Running) -> None:
    """The pause after a lost answer."""
    for attempt in Attempt.objects.filter(ended=None):
        readable(attempt.connection_memo).pop("not_before", None)
        attempt.save()


def lists_nothing(stage: Running, browser: Browser) -> None:
    """The shop is created, its answer is lost, and then none is listed: 200 and an empty list."""
    stage.play("_template", "lost", CREATE)
    stage.fault("_template", LIST, kind="status", status=200, body="[]", times=None)


def live(state: State) -> list[str]:
    """The shops that work there."""
    rows = [row for row in state.get("shops", []) if not row["deleted"]]
    return [str(row["id"]) for row in rows if row["status"] == "active"]


def damage(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client forgets its token."""

    def without_token(**given: Any) -> Api:  # Any: the fields of Api have many types
        return Api(**{**given, "headers": {}})

    monkeypatch.setattr(client, "Api", without_token)


ONE: dict[str, int] = {"shops": 1}
APPROVED = "Template confirms that your shop is approved"
PAUSE = "We try again in a moment."

ROWS = [
    Row(says=APPROVED, made=ONE, after=ONE),
    # what the merchant does on the vendor's page, and what goes wrong from there on
    Row(press=("decline",), status=TO_DO, says="You cancelled", made=ONE, after=ONE),
    Row(press=("expired",), status=TO_DO, says="has not noted", made=ONE, after=ONE),
    Row(press=("slow",), says=APPROVED, made=ONE, after=ONE),
    Row(press=("dead",), status="checking", says=SILENT, made=ONE, after=ONE),
    Row(press=("garbled",), status="on_it", says=STAFF, made=ONE, after=ONE),
    Row(press=("lost",), status="checking", says=SILENT, made=ONE, after=ONE),
    # what goes wrong with the creation, and with the call after it
    Row(
        fault=("dead", CREATE),
        status="in_progress",
        says=PAUSE,
        made={},
        repair=pause_is_over,
        after=ONE,
    ),
    Row(fault=("garbled", CREATE), says=APPROVED, made=ONE, after=ONE),
    Row(fault=("lost", CREATE), says=APPROVED, made=ONE, after=ONE),
    Row(fault=("dead", READ), status="in_progress", says=SILENT, made=ONE, after=ONE),
]
CONTRACT = Contract(
    connector="_template-shop",
    rows=ROWS,
    damage=damage,
    live=live,
    nothing=Row(
        name="nothing", setup=lists_nothing, status="in_progress", says=PAUSE, made=ONE, after=ONE
    ),
    revoked=Revoked(revoke=revoke, status=TO_DO, says="no longer lists your shop as approved"),
    once=("shops",),
    wrong={"api_token": "wr0ng"},
)
