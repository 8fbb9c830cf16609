"""The rows of the contract test for Celigo integrator.io."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from onboarding.models import Account
from onboarding.models.memo import readable
from tests.contract.row import CASES, SILENT, STAFF, TO_DO, Contract, Revoked, Row, State
from tests.support.merchant import Browser, time_passes
from vendors.celigo import client
from vendors.http.api import Api
from vendors.sandbox import Running

WHO = "charlie@example.org"
PRESET = "54fa0b38a7044f9252000036"

# -- what happens at integrator.io without us -----------------------------------------------------


def at_celigo(stage: Running, *cases: str) -> None:
    """Make an account there or sign in, then press these buttons."""
    session = requests.Session()
    for case in ("approve", *cases):
        form = {"user": "new", "email": WHO, "case": case}
        session.post(f"{stage.url}/celigo", data=form, timeout=5).raise_for_status()
    session.close()


def account(stage: Running, browser: Browser) -> None:
    at_celigo(stage)


def install(stage: Running) -> None:
    """The pause after a lost answer is over, the licence is there, and the app is installed."""
    row = Account.objects.get()
    memo = readable(row.memo)
    licences = memo.get("licences", {})
    row.memo = {**memo, "licences": {key: {**licences[key], "pause": ""} for key in licences}}
    row.save()
    time_passes()
    at_celigo(stage, "approve")


def sign_up_and_install(stage: Running) -> None:
    at_celigo(stage)
    install(stage)


def end(stage: Running) -> None:
    """The operator lets the licence end at integrator.io."""
    stage.change("celigo", "licenses", {}, expires=_moment(-1))


def renew(stage: Running, days: int = 90) -> None:
    stage.change("celigo", "licenses", {}, expires=_moment(days))


def _moment(days: int) -> str:
    moment = datetime.now(UTC) + timedelta(days=days)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def lists_nothing(stage: Running, browser: Browser) -> None:
    """The licence is made, its answer is lost, and then none is listed: 200 and an empty list."""
    account(stage, browser)
    stage.play("celigo", "lost", ISSUE)
    stage.fault("celigo", LIST, kind="status", status=200, body="[]", times=None)


def live(state: State) -> list[str]:
    """Licences that have not ended."""
    rows = [row for row in state.get("licenses", []) if not row["deleted"]]
    now = datetime.now(UTC)
    return [str(row["id"]) for row in rows if datetime.fromisoformat(row["expires"]) > now]


def damage(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_token(**given: Any) -> Api:
        return Api(**{**given, "headers": {}})

    monkeypatch.setattr(client, "Api", without_token)


ONE: dict[str, int] = {"licenses": 1}
ISSUE, LIST = "POST /v1/connectors/{_id}/licenses", "GET /v1/connectors/{_id}/licenses"
GET = "GET /v1/connectors/{_id}/licenses/{_id_of_license}"
INSTALL, SIGN_UP = "Your licence is ready", "integrator.io has no account for"
PAUSE = "We try again in a moment."


def row(case: tuple[str, str] | None, status: str, says: str, made: dict[str, int]) -> Row:
    """Somebody who has an account at integrator.io."""
    return Row(
        setup=account, fault=case, status=status, says=says, made=made, repair=install, after=ONE
    )


ROWS = [
    row(None, TO_DO, INSTALL, ONE),
    Row(
        name="no-account",
        status=TO_DO,
        says=SIGN_UP,
        made={},
        repair=sign_up_and_install,
        after=ONE,
    ),
    row(("slow", ISSUE), TO_DO, INSTALL, ONE),
    row(("dead", ISSUE), "in_progress", PAUSE, {}),
    row(("garbled", ISSUE), TO_DO, INSTALL, ONE),
    row(("lost", ISSUE), TO_DO, INSTALL, ONE),
    row(("slow", LIST), TO_DO, INSTALL, ONE),
    row(("dead", LIST), "in_progress", SILENT, {}),
    row(("garbled", LIST), "on_it", STAFF, {}),
    row(("lost", LIST), "in_progress", SILENT, {}),
    row(("slow", GET), TO_DO, INSTALL, ONE),
    row(("dead", GET), "in_progress", SILENT, ONE),
    row(("garbled", GET), "on_it", STAFF, ONE),
    row(("lost", GET), TO_DO, INSTALL, ONE),  # a read is tried twice
]
CONTRACT = Contract(
    connector=f"celigo-{PRESET}",
    rows=ROWS,
    cases=(CASES - {"approve", "decline", "expired"}) | {"account", "no-account"},
    damage=damage,
    live=live,
    nothing=Row(
        name="nothing", setup=lists_nothing, status="in_progress", says=PAUSE, made=ONE, repair=install,
        after=ONE,
    ),
    revoked=Revoked(revoke=end, status=TO_DO, says="Your licence ended", repair=renew),
    once=("users", "licenses"),
    wrong={"api_token": "wr0ng"},
)  # fmt: skip
