"""The crash guard: a row that repeatedly crashes its worker, or meets a bug, becomes staff's turn."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)
from django.utils import timezone

from onboarding import journey
from onboarding.journey import staff_actions
from onboarding.journey.crash_guard import CRASHES
from onboarding.journey.leases import LEASE
from onboarding.models import Account, Alert, Attempt, Connection
from onboarding.models.status import Status
from tests.support.attempts import CONNECTED, begin_attempt, reloaded, run_check, run_step
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.sweep import sweep
from vendors.contract import Order, Progress, Redirect, Step, Unavailable

pytestmark = pytest.mark.both

LINK = Redirect(url="https://vendor.example/go")


class Killed(BaseException):
    """What a process that dies here would never see."""


def dies(order: Order) -> Step:
    raise Killed


def meets_a_bug(order: Order) -> Step:
    raise ZeroDivisionError


def death(attempt: Attempt, vendor: Scripted) -> Attempt:
    """A worker takes the row and dies of it; its lease is over."""
    with pytest.raises(Killed):
        run_step(attempt, vendor, dies)
    Account.objects.update(lease_until=timezone.now() - LEASE)
    return reloaded(attempt)


def test_a_crash_is_counted_by_the_next_worker(people: People, scripted: Scripted) -> None:
    row = death(begin_attempt(people), scripted)
    assert (row.crashes, bool(row.call_started_at)) == (0, True)
    row = run_step(row, scripted, Progress(done=("room",)), LINK)
    assert (row.answer, row.crashes, row.call_started_at) == ("redirect", 0, None)


def test_after_a_second_crash_the_row_is_set_aside(people: People, scripted: Scripted) -> None:
    row = death(death(begin_attempt(people), scripted), scripted)
    asked = len(scripted.asked)
    row = run_step(row, scripted)
    assert len(scripted.asked) == asked
    assert (row.crashes, row.call_started_at) == (2, None)
    assert row.due_at
    assert row.due_at < timezone.now() + timedelta(seconds=31)
    assert run_step(row, scripted, LINK).crashes == 0


def test_after_five_deaths_it_is_staffs_turn(people: People, scripted: Scripted) -> None:
    row = begin_attempt(people)
    Attempt.objects.update(crashes=CRASHES - 1)
    row = run_step(death(row, scripted), scripted)
    assert (row.status, row.turn, row.due_at) == (Status.ON_IT, "staff", None)
    assert row.sentence.startswith("An error on our side stopped this.")
    assert (
        row.detail
        == "5 times in a row the process died, or met a bug, at “start”; its log says more"
    )
    assert Alert.objects.get().cause == "poison"


def poisoned(people: People, scripted: Scripted) -> Attempt:
    row = begin_attempt(people)
    Attempt.objects.update(crashes=CRASHES)
    return run_step(row, scripted)


def test_it_is_not_tried_again_by_itself(people: People, scripted: Scripted) -> None:
    row = journey.continue_attempt(poisoned(people, scripted), people.alice)
    sweep()
    assert (reloaded(row).answer, "start" in scripted.calls) == ("poison", False)


def test_staff_have_it_tried_again(people: People, scripted: Scripted) -> None:
    row = poisoned(people, scripted)
    assert staff_actions.ask_now(row.connection)
    scripted.script.append(LINK)
    sweep()
    row = reloaded(row)
    assert (row.answer, row.crashes) == ("redirect", 0)


def test_a_bug_counts_at_once_and_pauses_for_a_lease(people: People, scripted: Scripted) -> None:
    row = begin_attempt(people)
    with pytest.raises(ZeroDivisionError):
        run_step(row, scripted, meets_a_bug)
    row = reloaded(row)
    assert (row.crashes, row.call_started_at) == (1, None)
    assert row.due_at
    assert row.due_at > timezone.now() + LEASE / 2


def test_a_bug_before_the_vendor_is_asked_counts_too(
    people: People, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = begin_attempt(people)
    monkeypatch.setattr("onboarding.journey.orders._business", meets_a_bug)
    for _ in range(CRASHES):
        with pytest.raises(ZeroDivisionError):
            run_step(row, scripted)
    assert run_step(row, scripted).answer == "poison"


@pytest.mark.parametrize(
    ("raised", "crashes"),
    [
        (OperationalError, 0), (InterfaceError, 0),
        (DataError, 1), (IntegrityError, 1), (ProgrammingError, 1), (DatabaseError, 1),
    ],
)  # fmt: skip
def test_only_an_unreachable_database_is_no_bug(
    people: People, scripted: Scripted, raised: type[Exception], crashes: int
) -> None:
    def fails(order: Order) -> Step:
        raise raised

    row = begin_attempt(people)
    with pytest.raises(raised):
        run_step(row, scripted, fails)
    assert reloaded(row).crashes == crashes


def test_tokens_renewed_on_the_way_to_each_death_do_not_hide_it(
    people: People, scripted: Scripted
) -> None:
    row = begin_attempt(people)
    with pytest.raises(ZeroDivisionError):
        run_step(row, scripted, meets_a_bug)
    with pytest.raises(ZeroDivisionError):
        run_step(row, scripted, Progress(account={"token": "2"}), meets_a_bug)
    assert reloaded(row).crashes == 2


def test_a_tick_is_headway(people: People, scripted: Scripted) -> None:
    row = begin_attempt(people)
    with pytest.raises(ZeroDivisionError):
        run_step(row, scripted, meets_a_bug)
    with pytest.raises(ZeroDivisionError):
        run_step(row, scripted, Progress(done=("room",)), meets_a_bug)
    assert reloaded(row).crashes == 1


def test_an_outage_of_a_vendor_is_no_crash(people: People, scripted: Scripted) -> None:
    row = run_step(begin_attempt(people), scripted, Unavailable())
    assert (row.crashes, row.call_started_at) == (0, None)


def test_who_is_slower_than_the_lease_did_not_die(people: People, scripted: Scripted) -> None:
    row = begin_attempt(people)

    def slow(order: Order) -> Step:
        """Meanwhile another worker took over, counted us, and is at it."""
        later = timezone.now() + timedelta(seconds=1)
        Account.objects.update(lease_token="another")
        Attempt.objects.update(call_started_at=later, crashes=1)
        return LINK

    row = run_step(row, scripted, slow)
    assert (row.answer, row.crashes, bool(row.call_started_at)) == ("progress", 0, True)


def test_a_busy_account_leaves_the_claim_alone(people: People, scripted: Scripted) -> None:
    row = begin_attempt(people)
    Account.objects.update(lease_until=timezone.now() + LEASE, lease_token="another")
    call_started_at, due = timezone.now(), timezone.now() + LEASE
    Attempt.objects.update(call_started_at=call_started_at, due_at=due)
    journey.advance(row.pk)
    row = reloaded(row)
    assert (row.call_started_at, row.due_at, row.crashes) == (call_started_at, due, 0)


# -- checks --------------------------------------------------------------------------------------


def test_a_connected_shop_stays_connected_and_is_not_checked(
    people: People, scripted: Scripted
) -> None:
    connection = run_step(begin_attempt(people), scripted, CONNECTED).connection
    Connection.objects.update(crashes=CRASHES)
    connection = run_check(connection, scripted)
    assert (connection.status, connection.answer, connection.due_at) == (
        Status.CONNECTED,
        "poison",
        None,
    )
    assert Alert.objects.get().cause == "poison"
    assert staff_actions.ask_now(connection)
    connection = run_check(connection, scripted, CONNECTED)
    assert (connection.answer, connection.crashes, connection.call_started_at) == (
        "connected",
        0,
        None,
    )


def test_a_bug_in_a_check_counts(people: People, scripted: Scripted) -> None:
    connection = run_step(begin_attempt(people), scripted, CONNECTED).connection
    with pytest.raises(ZeroDivisionError):
        run_check(connection, scripted, Progress(account={"token": "2"}), meets_a_bug)
    connection.refresh_from_db()
    assert (connection.crashes, connection.call_started_at, connection.status) == (
        1,
        None,
        Status.CONNECTED,
    )
