"""The engine of the journey: what each step or error does to an attempt and its shop."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding import journey
from onboarding.models import Alert, Attempt, Connection
from onboarding.models.status import Status, Turn
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People
from tests.support.scripted import Answer, Scripted, offered
from vendors.contract import (
    Ask,
    Declined,
    Done,
    Garbled,
    NeedsMerchant,
    Progress,
    Question,
    Redirect,
    Refused,
    StartOver,
    Unavailable,
    Unsure,
    Waiting,
    text,
)

pytestmark = pytest.mark.both

LINK = "https://vendor.example/go"
ASK = Ask(
    note=text("Which shop is new?"),
    questions=(Question(key="shop", label=text("Shop"), choices=(("1", text("The first")),)),),
)
NEEDS = NeedsMerchant(
    code="user", note=text("Make an account there."), poll_every=timedelta(minutes=5)
)
WAIT = Waiting(
    note=text("Not done yet."), poll_every=timedelta(minutes=1), give_up_after=timedelta(hours=1)
)
DONE = Done(here=text("Ended here."), there=text("Not there."), todo=text("Remove it there."))
REFUSED = Refused(who="merchant", note=text("Sign in as the other user."))
STAFF = Refused(who="staff")
OVER = StartOver(note=text("The page there has run out."))


@pytest.fixture
def attempt(people: People, scripted: Scripted) -> Attempt:
    return begin_attempt(people)


ROWS = [
    (Redirect(url=LINK), "in_progress", "merchant", "redirect"),
    (Redirect(url=""), "in_progress", "merchant", "redirect"),
    (WAIT, "checking", "vendor", "waiting"),
    (ASK, "action_needed", "merchant", "ask"),
    (NEEDS, "action_needed", "merchant", "needs"),
    (REFUSED, "action_needed", "merchant", "refused"),
    (Declined(), "action_needed", "merchant", "declined"),
    (OVER, "action_needed", "merchant", "start_over"),
    (Unavailable(), "in_progress", "us", "unavailable"),
    (STAFF, "on_it", "staff", "refused"),
    (Garbled(), "on_it", "staff", "garbled"),
    (Unsure(), "on_it", "staff", "unsure"),
    (CONNECTED, "connected", "", "connected"),
    (DONE, "disconnected", "merchant", "done"),
]


@pytest.mark.parametrize(("answer", "status", "turn", "name"), ROWS, ids=lambda each: str(each)[:9])
def test_every_row_of_the_table(
    attempt: Attempt, scripted: Scripted, answer: Answer, status: str, turn: str, name: str
) -> None:
    row = run_step(attempt, scripted, answer)
    assert (row.status, row.turn, row.answer) == (status, turn, name)
    assert row.connection.status == status
    assert row.sentence
    assert (row.ended is not None) == (name in {"connected", "done"})


@pytest.mark.parametrize("answer", [WAIT, NEEDS, Unavailable(), STAFF, Garbled()])
def test_what_is_not_the_merchants_alone_is_asked_again(
    attempt: Attempt, scripted: Scripted, answer: Answer
) -> None:
    row = run_step(attempt, scripted, answer)
    assert row.due_at is not None
    assert row.due_at > timezone.now()


@pytest.mark.parametrize("answer", [Redirect(url=LINK), ASK, REFUSED, Declined(), OVER, Unsure()])
def test_what_only_a_person_can_move_is_not_asked_again(
    attempt: Attempt, scripted: Scripted, answer: Answer
) -> None:
    assert run_step(attempt, scripted, answer).due_at is None


def test_progress_saves_the_memo_and_repeats_the_call(attempt: Attempt, scripted: Scripted) -> None:
    row = run_step(attempt, scripted, Progress(connection={"token": "t"}, done=("room",)), WAIT)
    assert scripted.calls == ["start", "start"]
    assert scripted.last.memos.connection == {"token": "t"}
    assert row.ticks == ["room"]


def test_retries_wait_longer_and_longer_and_as_long_as_the_vendor_asked(
    attempt: Attempt, scripted: Scripted
) -> None:
    now = timezone.now()
    for _ in range(6):
        row = run_step(attempt, scripted, Unavailable())
    assert row.due_at is not None
    assert row.due_at - now > timedelta(seconds=60)
    row = run_step(attempt, scripted, Unavailable(retry_after=3600))
    assert row.due_at is not None
    assert row.due_at - now >= timedelta(hours=1)


@pytest.mark.parametrize(
    ("answer", "patience", "turn"), [(WAIT, 1, "staff"), (Unavailable(), 24, "us")]
)
def test_patience_ends(
    attempt: Attempt, scripted: Scripted, answer: Answer, patience: int, turn: str
) -> None:
    run_step(attempt, scripted, answer)
    ago = timezone.now() - timedelta(hours=patience, minutes=1)
    Attempt.objects.filter(pk=attempt.pk).update(since=ago)
    row = run_step(attempt, scripted, answer)
    assert (row.status, row.turn) == ("on_it", turn)
    assert row.due_at is not None
    assert Alert.objects.filter(cause=row.cause, cleared=None).exists()


def test_an_attempt_ends_after_seven_days_and_says_so(attempt: Attempt, scripted: Scripted) -> None:
    Attempt.objects.filter(pk=attempt.pk).update(deadline=timezone.now())
    row = run_step(attempt, scripted)
    assert (row.answer, row.status, row.ended is not None) == ("expired", "action_needed", True)
    assert row.connection.status == Status.ACTION_NEEDED
    assert "start again" in row.connection.sentence


def test_staffs_turn_raises_one_alert_for_a_cause(attempt: Attempt, scripted: Scripted) -> None:
    run_step(attempt, scripted, STAFF)
    run_step(attempt, scripted, STAFF)
    assert Alert.objects.filter(vendor="scripted", cleared=None).count() == 1


def test_a_link_to_a_foreign_host_is_garbled_and_never_handed_out(
    attempt: Attempt, scripted: Scripted
) -> None:
    row = run_step(attempt, scripted, Redirect(url="https://evil.example/go"))
    assert (row.answer, row.turn) == ("garbled", Turn.STAFF)
    assert not row.hops.exclude(minted=None).exists()


def test_a_flow_that_loops_becomes_staffs_turn(attempt: Attempt, scripted: Scripted) -> None:
    scripted.script.extend([Progress()] * 100)
    journey.advance(attempt.pk)
    row = Attempt.objects.get(pk=attempt.pk)
    assert (row.turn, row.answer) == ("staff", "garbled")


def test_a_bug_in_a_flow_is_loud_and_the_row_stays_due(
    attempt: Attempt, scripted: Scripted
) -> None:
    def bug(order: object) -> Redirect:
        raise KeyError("bug")

    scripted.script.append(bug)
    with pytest.raises(KeyError):
        journey.advance(attempt.pk)
    row = Attempt.objects.select_related("connection__account").get(pk=attempt.pk)
    assert row.due_at is not None
    assert row.connection.account.lease_until is None


def test_a_vendor_that_is_switched_off_keeps_the_merchants_place(
    attempt: Attempt, scripted: Scripted, settings: Settings
) -> None:
    settings.VENDORS = offered()
    row = run_step(attempt, scripted)
    assert row.ended is None
    assert "progress is saved" in row.sentence


def test_pressing_connect_twice_makes_one_connection(people: People, attempt: Attempt) -> None:
    again = journey.begin(
        merchant=people.acme,
        connector=attempt.connection.connector,
        user=people.alice,
        name="my SHOP",
        answers={},
    )
    assert again.pk == attempt.pk
    assert Connection.objects.count() == 1


def test_two_shops_of_one_merchant_have_two_names(
    people: People, attempt: Attempt, scripted: Scripted
) -> None:
    run_step(attempt, scripted, CONNECTED)
    with pytest.raises(journey.NameTaken):
        journey.begin(
            merchant=people.acme,
            connector=attempt.connection.connector,
            user=people.alice,
            name="My shop",
            answers={},
        )
