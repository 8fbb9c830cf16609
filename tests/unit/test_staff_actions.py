"""Pausing a shop, and what staff do: their answers, their tasks, and actions at the vendor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from onboarding import journey
from onboarding.journey import hops
from onboarding.models import Account, Alert, Connection
from onboarding.models.status import Status, dumped, shown
from tests.support.attempts import CONNECTED, begin_attempt, reloaded, run_check, run_step
from tests.support.people import People
from tests.support.scripted import Scripted
from vendors.contract import Done, Redirect, Refused, Unavailable, text

pytestmark = pytest.mark.both

RESTS = Done(here=text("We do not check it."), there=text("It rests there."))
ASKED = Done(here=text("Ended."), there=text("Still on."), staff_task="Ask them to switch it off.")
GONE = Done(here=text("Deleted."), there=text("All is gone."), ends=True, account={})


@pytest.fixture
def connection(people: People, scripted: Scripted) -> Connection:
    return run_step(begin_attempt(people), scripted, CONNECTED).connection


def test_a_paused_shop_is_not_checked(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    row = run_step(journey.pause(connection, people.alice), scripted, RESTS)
    assert (row.connection.status, row.connection.due_at) == (Status.PAUSED, None)
    assert row.ended


@pytest.mark.parametrize("answer", [RESTS, CONNECTED])
def test_a_resumed_shop_is_connected_and_checked(
    people: People, connection: Connection, scripted: Scripted, answer: object
) -> None:
    run_step(journey.pause(connection, people.alice), scripted, RESTS)
    row = run_step(journey.resume(connection, people.alice), scripted, answer)  # type: ignore[arg-type]
    assert row.connection.status == Status.CONNECTED
    assert row.connection.due_at is not None


def test_a_pause_that_fails_leaves_the_shop_connected(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    row = run_step(journey.pause(connection, people.alice), scripted, Unavailable())
    assert row.connection.status == Status.CONNECTED
    assert row.due_at is not None


def test_a_check_under_way_does_not_undo_a_pause(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    Connection.objects.filter(pk=connection.pk).update(status=Status.PAUSED, due_at=None)
    journey.check(connection.pk)
    assert "check" not in scripted.calls


def test_what_staff_must_do_is_a_task_until_it_is_done(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    row = run_step(journey.disconnect(connection, people.alice), scripted, ASKED)
    assert row.connection.task == "Ask them to switch it off."
    assert Alert.objects.filter(cause="task", cleared=None).exists()
    assert journey.complete_task(connection.pk)
    assert Connection.objects.get(pk=connection.pk).task == ""


def test_staffs_answers_reach_the_vendor_and_cause_a_check(
    connection: Connection, scripted: Scripted
) -> None:
    journey.save_staff_answers(connection.account_id, {"api_password": "s3cret"})
    due = Connection.objects.get(pk=connection.pk).due_at
    assert due is not None
    assert due <= timezone.now()
    run_check(connection, scripted, CONNECTED)
    assert scripted.last.staff == {"api_password": "s3cret"}
    assert "s3cret" not in repr(scripted.last)


def test_staffs_answers_wake_an_attempt_that_waited_for_them(
    people: People, scripted: Scripted
) -> None:
    row = run_step(begin_attempt(people), scripted, Refused(who="staff"))
    journey.save_staff_answers(row.connection.account_id, {"api_password": "s3cret"})
    due = reloaded(row).due_at
    assert due is not None
    assert due <= timezone.now()


def test_an_action_that_ends_an_account_ends_all_its_shops(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    journey.save_staff_answers(connection.account_id, {"api_password": "s3cret"})
    second = run_step(begin_attempt(people, "Second"), scripted, Redirect(url=""))
    scripted.script.append(GONE)
    journey.act(connection.pk, "delete", {"code": "x"})
    assert scripted.asked[-1][2] == ("delete", {"code": "x"})
    assert {row.status for row in Connection.objects.all()} == {Status.DISCONNECTED}
    assert reloaded(second).ended
    account = Account.objects.get(pk=connection.account_id)
    assert (account.memo, account.key, account.staff_answers) == ({}, "", {})


def test_a_refused_action_changes_nothing(connection: Connection, scripted: Scripted) -> None:
    scripted.script.append(Refused(who="staff", note=text("Type the code.")))
    outcome = journey.act(connection.pk, "delete", {"code": "wrong"})
    assert isinstance(outcome, Refused)
    assert Connection.objects.get(pk=connection.pk).status == Status.CONNECTED


def test_a_return_without_a_state_finds_the_one_hop_that_has_none(
    people: People, scripted: Scripted
) -> None:
    link = Redirect(url="https://vendor.example/go", bare=True)
    attempt = run_step(begin_attempt(people), scripted, link)
    assert hops.find_bare_hop("scripted", people.alice) is None
    hops.take_link(attempt, people.alice, browser="b")
    hop = hops.find_bare_hop("scripted", people.alice)
    assert hop is not None
    assert hops.find_bare_hop("scripted", people.bob) is None
    journey.record_return(hop, {}, people.alice)
    reloaded = hops.find_bare_hop("scripted", people.alice)
    assert reloaded is not None
    assert reloaded.spent


def test_two_such_hops_are_no_answer(people: People, scripted: Scripted) -> None:
    for name in ("One", "Two"):
        link = Redirect(url="https://vendor.example/go", bare=True)
        hops.take_link(
            run_step(begin_attempt(people, name), scripted, link), people.alice, browser="b"
        )
    assert hops.find_bare_hop("scripted", people.alice) is None


def test_moments_in_a_sentence_are_shown_in_words() -> None:
    at = datetime(2026, 11, 21, 12, 5, tzinfo=UTC) + timedelta(0)
    said = shown(dumped(text("The last order came at %(time)s.", time=at)))
    assert "2026" in said
    assert "12:05" in said


def test_an_action_on_a_shop_is_followed_by_a_check(
    connection: Connection, scripted: Scripted
) -> None:
    scripted.script.append(Done(here=text("Renewed."), there=text("It runs on.")))
    journey.act(connection.pk, "renew", {"until": "2027-01-31"})
    due = Connection.objects.get(pk=connection.pk).due_at
    assert due is not None
    assert due <= timezone.now()
