"""What an attempt asks, as it is drawn: one's own addresses are offered as they are now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vendors.contract import text

from ..journey import orders
from ..models import Attempt
from ..situation import dumped


def asked(attempt: Attempt) -> list[Mapping[str, Any]]:
    """The questions to draw. Something to do elsewhere asks for no address where there is no other."""
    emails = orders.verified(attempt.connection.merchant) if wants_address(attempt) else ()
    drawn = [_with(each, emails) if each.get("addresses") else each for each in attempt.questions]
    return [each for each in drawn if attempt.answer != "needs" or not _idle(each)]


def wants_address(attempt: Attempt) -> bool:
    """Whether an address of a member is asked for: another one can be added to one's own."""
    return attempt.ended is None and any(each.get("addresses") for each in attempt.questions)


def _with(question: Mapping[str, Any], emails: tuple[str, ...]) -> Mapping[str, Any]:
    """What was added since the vendor asked is chosen already."""
    now = {email.casefold(): email for email in reversed(emails)}
    before = {value.casefold() for value, _ in question["choices"]}
    added = [email for key, email in now.items() if key not in before]
    initial = added[0] if len(added) == 1 else now.get(question["initial"].casefold(), "")
    choices = [[email, dumped(text("%(email)s", email=email))] for email in reversed(now.values())]
    return {**question, "choices": choices, "initial": initial, "added": bool(added)}


def _idle(question: Mapping[str, Any]) -> bool:
    return len(question["choices"]) < 2 and question.get("added") is False
