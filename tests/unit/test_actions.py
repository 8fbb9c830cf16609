"""Merchant actions: they create things, so they are attempts; a revealed secret is shown once."""

from __future__ import annotations

import pytest

from onboarding import journey
from onboarding.models import Connection
from onboarding.models.status import Status
from tests.support.attempts import begin_attempt, reloaded, run_step
from tests.support.people import People
from tests.support.scripted import Scripted
from vendors.contract import Ask, Connected, Done, Progress, Question, Unavailable, text

pytestmark = pytest.mark.both

SECRET = Connected(
    shop_id="shop-1", evidence=text("A token was made."), reveal={"Key": "k-1", "Secret": "s-1"}
)
NEW = Connected(
    shop_id="shop-1", evidence=text("A new one."), reveal={"Key": "k-2", "Secret": "s-2"}
)
WORKS = Ask(
    note=text("Does the new one work?"),
    questions=(Question(key="works", label=text("It works"), choices=(("yes", text("Yes")),)),),
)


@pytest.fixture
def connection(people: People, scripted: Scripted) -> Connection:
    return run_step(begin_attempt(people), scripted, SECRET).connection


def test_an_action_runs_like_any_attempt(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    attempt = journey.run_action(connection, people.bob, "rotate", {"why": "lost"})
    row = run_step(attempt, scripted, Progress(announce="room"), Progress(done=("room",)), WORKS)
    assert scripted.asked[-1][2] == ("rotate", {"why": "lost"})
    assert (row.answer, row.connection.status) == ("ask", Status.CONNECTED)


def test_its_end_is_the_shop_as_it_is_now(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    attempt = run_step(journey.run_action(connection, people.bob, "rotate", {}), scripted, WORKS)
    journey.submit_answers(attempt, people.bob, {"works": "yes"})
    row = run_step(attempt, scripted, NEW)
    assert row.ended
    assert row.connection.reveal == {"Key": "k-2", "Secret": "s-2"}


def test_an_action_that_fails_leaves_the_shop_as_it_was(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    row = run_step(
        journey.run_action(connection, people.bob, "rotate", {}), scripted, Unavailable()
    )
    assert row.connection.status == Status.CONNECTED
    assert row.connection.reveal == {"Key": "k-1", "Secret": "s-1"}


def test_pressed_twice_it_is_one_action(people: People, connection: Connection) -> None:
    first = journey.run_action(connection, people.bob, "rotate", {})
    assert journey.run_action(connection, people.bob, "rotate", {}) == first


def test_a_confirmed_secret_is_deleted(people: People, connection: Connection) -> None:
    assert journey.confirm_secrets_received(connection.pk, people.bob, lambda now: True)
    assert not journey.confirm_secrets_received(connection.pk, people.bob, lambda now: True)
    assert Connection.objects.get(pk=connection.pk).reveal is None


def test_it_is_kept_until_then(people: People, connection: Connection) -> None:
    assert reloaded(connection.attempts.get()).connection.reveal == {"Key": "k-1", "Secret": "s-1"}


def test_a_disconnected_shop_reveals_nothing(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    done = Done(here=text("Ended."), there=text("Deleted there."))
    row = run_step(journey.disconnect(connection, people.alice), scripted, done)
    assert row.connection.reveal is None
