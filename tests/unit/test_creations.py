"""Creations: announced, saved, and looked up after a lost answer, so that nothing is created twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from onboarding import journey
from onboarding.models import Account, Attempt
from onboarding.models.status import Turn
from tests.support.attempts import begin_attempt, reloaded, run_step
from tests.support.people import People
from tests.support.scripted import Scripted
from vendors.contract import Progress, Redirect, Refused, Unavailable, Unsure, Waiting, text

pytestmark = pytest.mark.both

ANNOUNCE = Progress(announce="room")
MADE = Progress(account={"room": "r-1"}, done=("room",), promote=True, account_key="r-1")
READY = Redirect(url="")
LOST = Unsure("no answer", cause="unsure-room")


@pytest.fixture
def attempt(people: People, scripted: Scripted) -> Attempt:
    return begin_attempt(people)


def account_of(attempt: Attempt) -> Account:
    return Account.objects.get(pk=attempt.connection.account_id)


def test_a_creation_is_announced_made_and_saved(attempt: Attempt, scripted: Scripted) -> None:
    row = run_step(attempt, scripted, ANNOUNCE, MADE, READY)
    assert [order.announced for _, order, _ in scripted.asked] == ["", "room", ""]
    account = account_of(row)
    assert (account.memo, account.key, account.announced) == ({"room": "r-1"}, "r-1", "")


def test_the_announcement_is_committed_before_the_creation(
    attempt: Attempt, scripted: Scripted
) -> None:
    seen = []

    def make(order: object) -> Progress:
        seen.append(account_of(attempt).announced)
        return MADE

    run_step(attempt, scripted, ANNOUNCE, make, READY)
    assert seen == ["room"]


def test_a_lost_answer_is_looked_up_at_once(attempt: Attempt, scripted: Scripted) -> None:
    run_step(attempt, scripted, ANNOUNCE, LOST, MADE, READY)
    assert [order.unsure for _, order, _ in scripted.asked] == ["", "", "room", ""]
    assert account_of(attempt).unsure == ""


def test_a_vendor_that_cannot_look_leaves_it_to_staff(attempt: Attempt, scripted: Scripted) -> None:
    row = run_step(attempt, scripted, ANNOUNCE, LOST, LOST)
    assert (row.turn, row.cause, row.due_at) == (Turn.STAFF, "unsure-room", None)
    assert account_of(row).unsure == "room"


def test_a_dead_process_leaves_an_announced_creation_unsure(
    attempt: Attempt, scripted: Scripted
) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Account.objects.filter(pk=attempt.connection.account_id).update(
        announced="room", creator=attempt, lease_until=past, lease_token="dead"
    )
    run_step(attempt, scripted, LOST)
    assert scripted.last.unsure == "room"
    assert scripted.last.announced == ""


@pytest.mark.parametrize("error", [Unavailable(), Refused(who="staff")])
def test_a_creation_that_surely_did_not_happen_is_announced_again(
    attempt: Attempt, scripted: Scripted, error: Unavailable | Refused
) -> None:
    run_step(attempt, scripted, ANNOUNCE, error)
    assert account_of(attempt).announced == account_of(attempt).unsure == ""
    run_step(attempt, scripted, ANNOUNCE, MADE, READY)


def test_a_look_that_fails_keeps_it_unsure(attempt: Attempt, scripted: Scripted) -> None:
    row = run_step(attempt, scripted, ANNOUNCE, LOST, Unavailable())
    assert row.due_at is not None
    assert account_of(row).unsure == "room"


def test_staff_say_it_exists(attempt: Attempt, scripted: Scripted) -> None:
    run_step(attempt, scripted, ANNOUNCE, LOST, LOST)
    scripted.script.append(MADE)
    journey.resolve(attempt.connection.account_id, "r-1")
    assert scripted.asked[-1][::2] == ("resolve", "r-1")
    row = run_step(attempt, scripted, READY)
    assert (row.answer, account_of(row).key, account_of(row).unsure) == ("redirect", "r-1", "")


def test_staff_say_it_does_not_exist(attempt: Attempt, scripted: Scripted) -> None:
    run_step(attempt, scripted, ANNOUNCE, LOST, LOST)
    scripted.script.append(Progress())
    journey.resolve(attempt.connection.account_id, None)
    run_step(attempt, scripted, ANNOUNCE, MADE, READY)
    assert account_of(attempt).memo == {"room": "r-1"}


def test_a_wrong_id_changes_nothing(attempt: Attempt, scripted: Scripted) -> None:
    run_step(attempt, scripted, ANNOUNCE, LOST, LOST)
    scripted.script.append(Refused(who="staff", note=text("That is no room.")))
    answer = journey.resolve(attempt.connection.account_id, "nonsense")
    assert isinstance(answer, Refused)
    assert account_of(attempt).unsure == "room"


def test_a_second_shop_of_the_merchant_waits_until_then(
    people: People, attempt: Attempt, scripted: Scripted
) -> None:
    run_step(attempt, scripted, ANNOUNCE, LOST, LOST)
    second = run_step(begin_attempt(people, "Second shop"), scripted)
    assert (second.answer, second.turn) == ("blocked", Turn.STAFF)
    scripted.script.append(MADE)
    journey.resolve(attempt.connection.account_id, "r-1")
    assert reloaded(second).due_at is not None
    assert run_step(second, scripted, READY).answer == "redirect"


def test_what_was_made_is_live_even_if_the_attempt_fails(
    attempt: Attempt, scripted: Scripted
) -> None:
    run_step(attempt, scripted, ANNOUNCE, MADE, Refused(who="merchant"))
    assert account_of(attempt).memo == {"room": "r-1"}


def test_a_draft_of_the_account_is_not_live_until_connected(
    attempt: Attempt, scripted: Scripted
) -> None:
    draft = Progress(account={"token": "new"})
    wait = Waiting(note=text("…"), poll_every=timedelta(1), give_up_after=timedelta(2))
    row = run_step(attempt, scripted, draft, wait)
    assert account_of(row).memo == {}
    assert scripted.last.memos.account == {"token": "new"}


def test_what_another_merchant_holds_is_never_ours(
    people: People, attempt: Attempt, scripted: Scripted
) -> None:
    """An account of theirs, whatever id staff typed."""
    Account.objects.create(merchant=people.other, vendor="scripted", key="theirs")
    run_step(attempt, scripted, ANNOUNCE, MADE, READY)
    assert scripted.last.holder("theirs") == "other"
    assert scripted.last.holder("r-1") == "none"


def test_a_creation_that_is_lost_for_ever_does_not_loop(
    attempt: Attempt, scripted: Scripted
) -> None:
    scripted.script.extend([ANNOUNCE, LOST, Progress()] * 50)
    journey.advance(attempt.pk)
    row = reloaded(attempt)
    assert (row.answer, row.turn) == ("garbled", Turn.STAFF)
    assert row.due_at is not None
    assert row.due_at > timezone.now() + timedelta(minutes=30)
