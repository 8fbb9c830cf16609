"""Checks of connected shops: a working shop is lowered only by a check, and only if the merchant must act."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding import journey
from onboarding.models import Attempt, Connection, Event
from onboarding.models.status import Status
from tests.support.attempts import CONNECTED, begin_attempt, run_check, run_step
from tests.support.people import People
from tests.support.scripted import Answer, Scripted
from vendors.contract import (
    Ask,
    Connected,
    Declined,
    Done,
    Garbled,
    NeedsMerchant,
    Progress,
    Redirect,
    Refused,
    Unavailable,
    Waiting,
    text,
)

WAIT = Waiting(note=text("…"), poll_every=timedelta(minutes=1), give_up_after=timedelta(hours=1))
GONE = NeedsMerchant(code="gone", note=text("It is gone there."))
NOT_LOWERING = [Unavailable(), Garbled(), Refused(who="staff"), WAIT]
LOWERING = [GONE, Ask(note=text("Which?"), questions=()), Refused(who="merchant")]


@pytest.fixture
def connection(people: People, scripted: Scripted) -> Connection:
    return run_step(begin_attempt(people), scripted, CONNECTED).connection


def test_connected_shows_its_evidence(connection: Connection) -> None:
    assert connection.status == Status.CONNECTED
    assert (connection.shop_id, connection.proof) == ("shop-1", "The vendor lists it.")
    assert connection.confirmed_at
    assert connection.checked_at


def test_the_merchants_word_is_not_a_confirmation(people: People, scripted: Scripted) -> None:
    word = Connected(shop_id="s", evidence=text("You told us."), confirmed=False)
    connection = run_step(begin_attempt(people), scripted, word).connection
    assert (connection.status, connection.confirmed_at, connection.checked_at) == (
        Status.REPORTED,
        None,
        None,
    )


def test_a_connected_shop_is_checked_about_once_a_period(
    connection: Connection, settings: Settings
) -> None:
    assert connection.due_at is not None
    wait = connection.due_at - timezone.now()
    assert settings.CHECK_PERIOD * 0.49 < wait < settings.CHECK_PERIOD * 1.51


@pytest.mark.parametrize("answer", LOWERING)
def test_a_check_lowers_a_shop_if_the_merchant_must_act(
    connection: Connection, scripted: Scripted, answer: Answer
) -> None:
    lowered = run_check(connection, scripted, answer)
    assert lowered.status == Status.ACTION_NEEDED
    assert lowered.sentence


@pytest.mark.parametrize("answer", NOT_LOWERING)
def test_a_check_that_fails_keeps_it_connected_and_unconfirmed(
    connection: Connection, scripted: Scripted, answer: Answer
) -> None:
    checked = run_check(connection, scripted, answer)
    assert checked.status == Status.CONNECTED
    assert checked.answer != "connected"
    assert checked.checked_at == connection.checked_at
    assert checked.due_at is not None


def test_a_shop_that_recovers_is_connected_again_by_itself(
    connection: Connection, scripted: Scripted
) -> None:
    lowered = run_check(connection, scripted, GONE)
    healed = run_check(lowered, scripted, CONNECTED)
    assert (healed.status, healed.sentence) == (Status.CONNECTED, "The vendor lists it.")


def test_a_check_keeps_a_rotated_token_at_once(connection: Connection, scripted: Scripted) -> None:
    checked = run_check(
        connection, scripted, Progress(account={"refresh": "2"}, promote=True), Unavailable()
    )
    assert checked.account.memo == {"refresh": "2"}
    assert scripted.last.memos.account == {"refresh": "2"}


@pytest.mark.parametrize(
    "answer",
    [*NOT_LOWERING, *LOWERING, Declined(), Redirect(url="https://vendor.example/go")],
    ids=lambda answer: type(answer).__name__,
)
def test_an_attempt_never_lowers_a_connected_shop(
    people: People, connection: Connection, scripted: Scripted, answer: Answer
) -> None:
    row = run_step(journey.reconnect(connection, people.bob), scripted, answer)
    assert row.connection.status == Status.CONNECTED
    assert row.status != Status.CONNECTED


def test_a_failed_reconnect_leaves_the_memos_of_the_working_shop(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    before = Connection.objects.get(pk=connection.pk).memo
    draft = Progress(account={"token": "x"}, connection={"store": "y"})
    row = run_step(journey.reconnect(connection, people.alice), scripted, draft, Declined())
    assert row.connection.memo == before
    assert row.connection.account.memo == {}


def test_reconnecting_to_another_shop_changes_nothing(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    other = Connected(shop_id="shop-2", evidence=text("…"))
    row = run_step(journey.reconnect(connection, people.alice), scripted, other)
    assert (row.answer, row.connection.shop_id) == ("wrong_shop", "shop-1")
    assert row.connection.status == Status.CONNECTED


def test_a_shop_is_held_once(people: People, connection: Connection, scripted: Scripted) -> None:
    row = run_step(begin_attempt(people, "The same again"), scripted, CONNECTED)
    assert (row.answer, row.connection.status) == ("wrong_shop", Status.ACTION_NEEDED)
    assert "already" in row.sentence


def test_opening_the_vendor_again_changes_no_status(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    row = run_step(journey.enter(connection, people.bob), scripted, Unavailable())
    assert row.connection.status == Status.CONNECTED


def test_disconnecting_says_what_ended_and_what_is_left(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    done = Done(here=text("Ended here."), there=text("Not there."), todo=text("Remove it."))
    row = run_step(journey.disconnect(connection, people.alice), scripted, done)
    assert row.connection.status == Status.DISCONNECTED
    assert row.connection.due_at is None
    told = [str(event) for event in Event.objects.filter(attempt=row)]
    assert told == ["Disconnecting started.", "Ended here.", "Not there.", "Remove it."]


def test_disconnecting_stops_what_was_open(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    attempt = journey.reconnect(connection, people.alice)
    journey.disconnect(connection, people.alice)
    assert Attempt.objects.get(pk=attempt.pk).ended


def test_a_disconnected_shop_may_be_connected_by_somebody_else(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    done = Done(here=text("Ended."), there=text("…"))
    run_step(journey.disconnect(connection, people.alice), scripted, done)
    assert (
        run_step(begin_attempt(people, "Anew"), scripted, CONNECTED).connection.status
        == Status.CONNECTED
    )


def test_a_check_never_names_somebody_who_has_left(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    run_step(journey.reconnect(connection, people.bob), scripted, CONNECTED)
    people.acme.memberships.filter(user=people.bob).delete()
    run_check(connection, scripted, CONNECTED)
    assert scripted.last.user().email == "alice@example.org"
