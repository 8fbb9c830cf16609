"""The command `connections`: a subscription system renews and ends connections, repeatably."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from onboarding.models import Connection, SecurityEvent
from onboarding.models.status import Status
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People
from tests.support.scripted import Scripted
from vendors.contract import Done, Refused, Unavailable, text

RENEWED = Done(here=text("Renewed."), there=text("It runs on."))
ENDED = Done(here=text("Ended."), there=text("It stays there."))


@pytest.fixture
def connection(people: People, scripted: Scripted) -> Connection:
    return run_step(begin_attempt(people), scripted, CONNECTED).connection


def run(*words: str) -> list[dict[str, Any]]:
    out = StringIO()
    call_command("connections", *words, stdout=out)
    said: list[dict[str, Any]] = json.loads(out.getvalue())
    return said


def test_it_shows_a_merchants_connections_as_json(people: People, connection: Connection) -> None:
    said = run("show", people.acme.reference)
    assert [(row["name"], row["status"], row["ok"]) for row in said] == [
        ("My shop", "connected", True)
    ]


def test_it_renews(people: People, connection: Connection, scripted: Scripted) -> None:
    scripted.script.append(RENEWED)
    run("renew", people.acme.reference, "--connector", "scripted-shop", "--until", "2027-01-31")
    assert scripted.asked[-1][2] == ("renew", {"until": "2027-01-31"})


def test_it_ends_and_ending_again_is_fine(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    scripted.script.append(ENDED)
    run("end", people.acme.reference)
    assert Connection.objects.get().status == Status.DISCONNECTED
    assert run("end", people.acme.reference)[0]["ok"]
    assert scripted.calls.count("end") == 1
    event = SecurityEvent.objects.get(kind="shop_ended")
    assert (event.user, event.merchant) == (None, people.acme)


def test_what_was_disconnected_is_renewed_only_when_nothing_else_is_there(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    scripted.script.append(ENDED)
    run("end", people.acme.reference)
    scripted.script.append(RENEWED)
    assert run("renew", people.acme.reference, "--until", "2027-01-31")[0]["ok"]
    assert scripted.calls[-1] == "act"
    run_step(begin_attempt(people, "Second"), scripted, replace(CONNECTED, shop_id="shop-2"))
    scripted.script.append(RENEWED)
    said = run("renew", people.acme.reference, "--until", "2027-01-31")
    assert [row["name"] for row in said] == ["Second"]


@pytest.mark.parametrize("answer", [Unavailable(), Refused(who="staff")])
def test_a_failure_is_reported_with_status_1(
    people: People, connection: Connection, scripted: Scripted, answer: Any
) -> None:
    scripted.script.append(answer)
    with pytest.raises(CommandError) as error:
        run("renew", people.acme.reference, "--until", "2027-01-31T12:00:00Z")
    assert error.value.returncode == 1


@pytest.mark.parametrize(
    "words",
    [
        ("show", "nobody"),
        ("show", "ACME", "--connector", "no-such"),
        ("renew", "ACME"),
        ("renew", "ACME", "--until", "soon"),
        ("renew", "ACME", "--until", "2027-02-31"),
    ],
)
def test_invalid_arguments_end_with_status_2(
    people: People, connection: Connection, words: tuple[str, ...]
) -> None:
    known = [people.acme.reference if word == "ACME" else word for word in words]
    with pytest.raises(CommandError) as error:
        run(*known)
    assert error.value.returncode == 2
