"""Scheduling: when a vendor is asked again, often at first, then rarely; connected shops evenly."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding import journey
from onboarding.background import runner
from onboarding.journey import leases, transitions
from onboarding.journey.outcomes import pace
from onboarding.models import Account, Attempt, Connection
from onboarding.models.status import Status
from tests.support.attempts import CONNECTED, begin_attempt, reloaded, run_check, run_step
from tests.support.people import People
from tests.support.scripted import Answer, Scripted
from vendors.contract import (
    Connected,
    Garbled,
    NeedsMerchant,
    Order,
    Progress,
    Refused,
    Step,
    Unavailable,
    Waiting,
    text,
)

pytestmark = pytest.mark.both

SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=count) for count in (1, 60, 3600, 86400))
WAIT = Waiting(note=text("…"), poll_every=15 * MINUTE, give_up_after=DAY)
INSTALL = NeedsMerchant(
    code="install", note=text("Install it."), poll_every=HOUR, poll_first=5 * MINUTE
)
TOKEN = Progress(account={"token": "2"}, promote=True)


def looks(within: timedelta) -> list[timedelta]:
    """How long the waits are of somebody who waits so long."""
    waited, found = timedelta(0), list[timedelta]()
    while waited < within:
        found.append(pace(waited, 10 * SECOND, 15 * MINUTE))
        waited += found[-1]
    return found


def test_at_first_it_is_asked_every_few_seconds_and_in_the_end_rarely() -> None:
    assert looks(MINUTE)[:5] == [10 * SECOND] * 5
    assert looks(DAY)[-1] == 15 * MINUTE
    assert len(looks(HOUR)) < 30
    assert len(looks(DAY)) < 125


def waits(row: Attempt | Connection) -> timedelta:
    """Until it is asked again; to the second."""
    assert row.due_at
    return timedelta(seconds=round((row.due_at - timezone.now()).total_seconds()))


def since(waited: timedelta) -> None:
    Attempt.objects.update(since=timezone.now() - waited)
    Connection.objects.update(since=timezone.now() - waited)


@pytest.mark.parametrize(
    ("answer", "waited", "wait"),
    [
        (WAIT, 0 * SECOND, 10 * SECOND),
        (WAIT, 4 * MINUTE, MINUTE),
        (WAIT, 5 * HOUR, 15 * MINUTE),
        (INSTALL, 4 * MINUTE, 5 * MINUTE),
        (INSTALL, 2 * HOUR, 30 * MINUTE),
        (INSTALL, 5 * HOUR, HOUR),
    ],
)
def test_the_longer_it_takes_the_more_rarely_it_is_asked(
    people: People, scripted: Scripted, answer: Answer, waited: timedelta, wait: timedelta
) -> None:
    row = run_step(begin_attempt(people), scripted, answer)
    since(waited)
    assert waits(run_step(row, scripted, answer)) == wait


@pytest.mark.parametrize("answer", [Garbled(), Refused(who="staff")])
def test_staffs_turn_is_retried_soon_at_first(
    people: People, scripted: Scripted, answer: Answer
) -> None:
    row = run_step(begin_attempt(people), scripted, answer)
    assert waits(row) == MINUTE
    since(2 * HOUR)
    assert waits(run_step(row, scripted, TOKEN, answer)) == 30 * MINUTE


def test_a_connected_shop_with_an_odd_answer_is_asked_hourly(
    people: People, scripted: Scripted
) -> None:
    connection = run_step(begin_attempt(people), scripted, CONNECTED).connection
    assert waits(run_check(connection, scripted, Garbled())) == HOUR


def test_a_token_renewed_on_the_way_begins_no_new_wait(people: People, scripted: Scripted) -> None:
    row = run_step(begin_attempt(people), scripted, WAIT)
    since(25 * HOUR)
    row = run_step(row, scripted, TOKEN, TOKEN, WAIT)
    assert (row.status, row.cause) == (Status.ON_IT, "waiting")
    assert waits(row) == 15 * MINUTE


def test_the_schedule_starts_over_after_progress(people: People, scripted: Scripted) -> None:
    row = run_step(begin_attempt(people), scripted, INSTALL)
    since(25 * HOUR)
    assert waits(run_step(row, scripted, TOKEN, WAIT)) == 10 * SECOND


def test_who_says_check_again_is_looked_after_soon_and_often(
    people: People, scripted: Scripted
) -> None:
    row = run_step(begin_attempt(people), scripted, WAIT)
    since(5 * HOUR)
    row = run_step(journey.continue_attempt(row, people.alice), scripted, TOKEN, WAIT)
    assert waits(row) == 10 * SECOND


def test_who_says_so_while_it_is_being_asked_begins_a_new_wait_too(
    people: People, scripted: Scripted
) -> None:
    row = run_step(begin_attempt(people), scripted, WAIT)
    since(5 * HOUR)

    def pressed(order: Order) -> Step:
        journey.continue_attempt(row, people.alice)
        return WAIT

    assert waits(run_step(row, scripted, pressed, WAIT)) == 10 * SECOND


def test_a_shop_that_was_lowered_is_looked_after_in_the_same_way(
    people: People, scripted: Scripted
) -> None:
    connection = run_step(begin_attempt(people), scripted, CONNECTED).connection
    connection = run_check(connection, scripted, INSTALL)
    assert waits(connection) == 5 * MINUTE
    since(2 * HOUR)
    assert waits(run_check(connection, scripted, INSTALL)) == 30 * MINUTE


# -- connected shops -------------------------------------------------------------------------------


def connection(pk: int, expires: datetime | None = None) -> Connection:
    return Connection(pk=pk, account=Account(vendor="scripted"), expires_at=expires)


def test_shops_connected_at_once_are_checked_evenly_over_the_period(settings: Settings) -> None:
    settings.CHECK_PERIOD, now = DAY, timezone.now()
    moments = sorted(transitions.next_check(connection(pk), now) - now for pk in range(1, 2401))
    hours = [sum(int(moment / HOUR) == hour for moment in moments) for hour in range(12, 36)]
    assert sum(hours) == 2400
    assert min(hours) > 95
    assert max(hours) < 105


def test_each_has_its_own_moment_in_every_period(settings: Settings) -> None:
    settings.CHECK_PERIOD, now = DAY, timezone.now()
    first = transitions.next_check(connection(7), now)
    late = first + 3 * HOUR  # the workers had much to do
    assert abs(transitions.next_check(connection(7), first) - first - DAY) < SECOND
    assert abs(transitions.next_check(connection(7), late) - first - DAY) < SECOND


def test_a_shop_that_ends_before_is_checked_at_its_end(settings: Settings) -> None:
    settings.CHECK_PERIOD, now = DAY, timezone.now()
    assert transitions.next_check(connection(7, now + HOUR), now) == now + HOUR + MINUTE
    assert transitions.next_check(connection(7, now + 40 * DAY), now) == transitions.next_check(
        connection(7), now
    )
    assert transitions.next_check(connection(7, now - HOUR), now) == transitions.next_check(
        connection(7), now
    )


def test_a_licence_that_ends_soon_is_checked_at_its_end(people: People, scripted: Scripted) -> None:
    soon = Connected(shop_id="s", evidence=text("…"), expires_at=timezone.now() + MINUTE)
    row = run_step(begin_attempt(people), scripted, soon)
    assert waits(row.connection) <= 2 * MINUTE


def test_two_workers_that_find_the_same_row_ask_once(people: People, scripted: Scripted) -> None:
    row = run_step(begin_attempt(people), scripted, WAIT)
    Attempt.objects.update(due_at=timezone.now())
    found: list[runner.DueRow] = []
    runner.look({"scripted": 5}, found.append)
    scripted.script.append(WAIT)
    for _ in range(2):
        found[0].run()
    assert scripted.calls == ["start", "start"]
    assert reloaded(row).answer == "waiting"


# -- a worker that finds the account busy ----------------------------------------------------------


def found_busy(row: Attempt | Connection) -> datetime | None:
    """When the row is due after another worker found it while its account was busy."""
    kind: runner.Kind = "attempt" if isinstance(row, Attempt) else "connection"
    with leases.leased(row.connection.account_id if isinstance(row, Attempt) else row.account_id):
        runner.DueRow("scripted", kind, row.pk).run()
        if kind == "attempt":
            runner.DueRow("scripted", kind, row.pk, returned=True).run_for_merchant()
    row.refresh_from_db()
    return row.due_at


def test_a_worker_that_was_late_leaves_the_next_check_of_a_settled_shop(
    people: People, scripted: Scripted
) -> None:
    """The first worker has settled the row, and has not given the lease back yet."""
    shop = run_step(begin_attempt(people), scripted, CONNECTED).connection
    shop = run_check(shop, scripted, CONNECTED)
    settled = shop.due_at
    assert found_busy(shop) == settled
    assert scripted.calls == ["start", "check"]


@pytest.mark.parametrize(
    "answer",
    [WAIT, INSTALL, Unavailable(retry_after=3600), Garbled(), Refused(who="staff")],
    ids=["waiting", "needs", "retry-after", "garbled", "refused"],
)
def test_a_worker_that_was_late_cuts_no_wait_short(
    people: People, scripted: Scripted, answer: Answer
) -> None:
    row = run_step(begin_attempt(people), scripted, answer)
    settled = row.due_at
    assert found_busy(row) == settled


@pytest.mark.parametrize("model", [Attempt, Connection])
def test_a_worker_that_was_late_cuts_no_pause_after_a_crash_short(
    people: People, scripted: Scripted, model: type[Attempt] | type[Connection]
) -> None:
    attempt = begin_attempt(people)
    if model is Connection:
        run_step(attempt, scripted, CONNECTED)
    row, pause = model._default_manager.get(), timezone.now() + 5 * SECOND
    model._default_manager.update(answer="progress", crashes=3, due_at=pause)
    assert found_busy(row) == pause


def test_what_is_still_due_is_put_off_by_a_second_while_the_account_is_busy(
    people: People, scripted: Scripted
) -> None:
    shop = run_step(begin_attempt(people), scripted, CONNECTED).connection
    Connection.objects.update(due_at=timezone.now())
    due = found_busy(shop)
    assert due is not None
    assert timedelta(0) < due - timezone.now() <= SECOND


def test_what_a_merchant_has_just_asked_for_is_made_a_second_later_if_the_account_is_busy(
    people: People, scripted: Scripted
) -> None:
    row = begin_attempt(people)
    due = found_busy(row)
    assert due is not None
    assert due - timezone.now() <= SECOND
