"""Claims: a worker takes due rows by writing its lease into them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from onboarding import journey
from onboarding.background import runner
from onboarding.journey.leases import LEASE
from onboarding.models import Account, Attempt, Connection
from tests.support.attempts import CONNECTED, WAIT, begin_attempt, reloaded, run_step
from tests.support.people import People, connector
from tests.support.scripted import Scripted
from tests.support.sweep import sweep

pytestmark = pytest.mark.both

ROOM = {"scripted": 5}


def due_attempts(people: People, count: int) -> list[Attempt]:
    """Attempts that are due, the first of them for the longest time."""
    made = [begin_attempt(people, f"Shop {number}") for number in range(count)]
    for number, attempt in enumerate(made):
        since = timezone.now() - timedelta(minutes=count - number)
        Attempt.objects.filter(pk=attempt.pk).update(due_at=since)
    return made


def look(**rooms: int) -> list[int]:
    """The rows that a worker claims in one look."""
    found: list[runner.DueRow] = []
    runner.look(rooms, found.append)
    return [row.pk for row in found]


def test_a_look_takes_the_oldest_rows_for_which_there_is_room(
    people: People, scripted: Scripted
) -> None:
    rows = due_attempts(people, 3)
    assert look(scripted=2, other=2) == [rows[0].pk, rows[1].pk]


def test_a_row_that_is_claimed_is_not_claimed_again(people: People, scripted: Scripted) -> None:
    rows = due_attempts(people, 3)
    assert look(scripted=2) == [rows[0].pk, rows[1].pk]
    assert look(scripted=2) == [rows[2].pk]
    assert look(scripted=2) == []


def test_a_look_says_whose_room_is_full(people: People, scripted: Scripted) -> None:
    due_attempts(people, 2)
    assert runner.look({"scripted": 2, "other": 2, "none": 0}, print) == {"scripted"}


def test_each_vendor_has_a_line_of_its_own(people: People, scripted: Scripted) -> None:
    rows = due_attempts(people, 3)
    Attempt.objects.filter(pk=rows[2].pk).update(vendor="other")
    connector("other")
    assert sorted(look(scripted=1, other=1)) == [rows[0].pk, rows[2].pk]


def test_the_row_of_a_dead_worker_comes_before_the_backlog(
    people: People, scripted: Scripted
) -> None:
    rows = due_attempts(people, 4)
    assert look(scripted=1) == [rows[0].pk]
    Attempt.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert look(scripted=2) == [rows[0].pk, rows[1].pk]


def test_a_claim_that_another_worker_took_over_does_nothing(
    people: People, scripted: Scripted
) -> None:
    due_attempts(people, 1)
    found: list[runner.DueRow] = []
    runner.look(ROOM, found.append)
    Attempt.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    runner.look(ROOM, found.append)
    scripted.script.append(WAIT)
    found[1].run()
    found[0].run()
    assert scripted.calls == ["start"]


def test_a_worker_that_stops_leaves_its_rows_to_others(people: People, scripted: Scripted) -> None:
    rows = due_attempts(people, 1)
    found: list[runner.DueRow] = []
    runner.look(ROOM, found.append)
    found[0].release()
    assert look(scripted=1) == [rows[0].pk]


def test_a_row_whose_account_is_busy_keeps_its_place(people: People, scripted: Scripted) -> None:
    [row] = due_attempts(people, 1)
    found: list[runner.DueRow] = []
    runner.look(ROOM, found.append)
    with journey.leased(row.connection.account_id):
        found[0].run()
    assert look(scripted=1) == []  # for a second
    claimed = reloaded(row)
    assert claimed.due_at
    assert claimed.due_at < timezone.now()
    assert claimed.lease_until
    assert claimed.lease_until <= timezone.now() + timedelta(seconds=1)


def test_what_is_settled_without_a_call_is_free_at_once(people: People, scripted: Scripted) -> None:
    [row] = due_attempts(people, 1)
    Attempt.objects.update(deadline=timezone.now())
    sweep()
    assert (reloaded(row).answer, reloaded(row).lease_until) == ("expired", None)


def test_a_call_keeps_the_row_until_it_is_settled(people: People, scripted: Scripted) -> None:
    [row] = due_attempts(people, 1)
    seen: list[timedelta] = []

    def answer(order: object) -> object:
        until = Attempt.objects.get().lease_until
        assert until
        seen.append(until - timezone.now())
        return WAIT

    scripted.script.append(answer)  # type: ignore[arg-type]
    sweep()
    assert LEASE / 2 < seen[0] <= LEASE
    assert reloaded(row).lease_until is None


def test_a_check_that_changes_nothing_takes_few_statements(
    people: People, scripted: Scripted
) -> None:
    run_step(begin_attempt(people), scripted, CONNECTED)
    Connection.objects.update(due_at=timezone.now())
    scripted.script.append(CONNECTED)
    found: list[runner.DueRow] = []
    runner.look(ROOM, found.append)
    with CaptureQueriesContext(database) as captured:
        found[0].run()
    words = [each["sql"].split()[0] for each in captured]
    assert Connection.objects.get().checked_at
    assert len([word for word in words if word in {"SELECT", "UPDATE", "INSERT", "DELETE"}]) <= 12
    assert words.count("COMMIT") <= 3
    assert not Account.objects.exclude(lease_until=None).exists()
