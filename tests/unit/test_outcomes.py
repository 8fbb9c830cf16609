"""The outcomes table of docs/design/outcomes.md against the code: what each step and error means."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import get_args

import pytest
from django.utils import translation

from onboarding.journey.outcomes import Outcome, Verdict, verdict
from onboarding.models.status import Status, Turn
from tests.support.import_graph import ROOT
from tests.support.scripted import Scripted
from vendors.contract import (
    Ask,
    CallError,
    Connected,
    Declined,
    Done,
    Garbled,
    NeedsMerchant,
    Progress,
    Redirect,
    Refused,
    StartOver,
    Step,
    Unavailable,
    Unsure,
    Waiting,
    text,
)

NOTE = text("…")
HOUR = timedelta(hours=1)
OUTCOMES: dict[str, Outcome] = {
    "Progress": Progress(),
    "Redirect": Redirect(url="https://vendor.example/"),
    "Waiting": Waiting(note=NOTE, poll_every=HOUR, give_up_after=HOUR),
    "Ask": Ask(note=NOTE, questions=()),
    "NeedsMerchant": NeedsMerchant(code="sign-up", note=NOTE, poll_every=HOUR),
    "Declined": Declined(),
    "StartOver": StartOver(note=NOTE),
    "Refused(merchant)": Refused(who="merchant"),
    "Unavailable": Unavailable(),
    "Refused(staff)": Refused(who="staff"),
    "Garbled": Garbled(),
    "Unsure": Unsure(),
    "Connected": Connected(shop_id="1", evidence=NOTE),
    "Connected(unconfirmed)": Connected(shop_id="1", evidence=NOTE, confirmed=False),
    "Done": Done(here=NOTE, there=NOTE),
}
TURNS = {
    Turn.NOBODY: "nobody",
    Turn.MERCHANT: "the merchant",
    Turn.VENDOR: "the vendor",
    Turn.US: "us",
    Turn.STAFF: "staff",
}
BY_THE_SHOP = {
    "Connected",
    "Connected(unconfirmed)",
}  # when a connected shop is asked again is written by settlement.py


def table() -> dict[str, tuple[str, str, str]]:
    """Rows of four columns: outcome → status, whose turn, asked again."""
    page = (ROOT / "docs" / "design" / "outcomes.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", page, re.MULTILINE)
    return {name: (status, turn, again) for name, status, turn, again in rows if name in OUTCOMES}


def test_the_table_has_every_step_and_every_error() -> None:
    kinds = {kind.__name__ for kind in (*get_args(Step), *get_args(CallError))}
    assert {name.partition("(")[0] for name in OUTCOMES} == kinds
    assert table().keys() == OUTCOMES.keys()


def shown(found: Verdict) -> str:
    with translation.override("en"):
        return str(Status(found.status).label) if found.status else "unchanged"


@pytest.mark.parametrize("name", OUTCOMES)
def test_the_table_says_what_the_code_does(name: str) -> None:
    status, turn, again = table()[name]
    found = verdict(OUTCOMES[name], Scripted(), tries=0)
    assert status.split(";")[0] == shown(found)
    assert turn.split(";")[0] == TURNS[found.turn]
    assert (";" in status) == (found.give_up_after is not None)
    if name not in BY_THE_SHOP:
        assert (again == "–") == (found.poll_every is None)
