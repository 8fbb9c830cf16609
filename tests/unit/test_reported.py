"""A shop that is set up on its merchant's word is `reported`, until its vendor or staff confirm it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core import mail
from django.utils import timezone

from onboarding import journey
from onboarding.background import schedule
from onboarding.models import Alert, Connection, Notice
from onboarding.models.status import Status
from onboarding.notifications import notices, staff_alerts
from tests.support.attempts import CONNECTED, begin_attempt, run_check, run_step
from tests.support.people import People
from tests.support.scripted import Answer, Scripted
from vendors.contract import (
    Ask,
    Declined,
    Done,
    Garbled,
    NeedsMerchant,
    Redirect,
    Refused,
    Unavailable,
    text,
)

pytestmark = pytest.mark.both
WORD = replace(CONNECTED, evidence=text("You say so."), confirmed=False)
KEEPING: list[Answer] = [
    Unavailable(),
    Garbled(),
    Refused(who="staff"),
    Redirect(url=""),
    Declined(),
]
LOWERING: list[Answer] = [
    NeedsMerchant(code="gone", note=text("It is gone.")),
    NeedsMerchant(code="more", note=text("Go on there."), goes_on=True),
    Ask(note=text("Which?"), questions=()),
    Refused(who="merchant"),
]
RESTS = Done(here=text("We pause."), there=text("It is paused there."))
BY_HAND = Done(
    here=text("We pause."), there=text("Data still flows."), staff_task="Ask them to switch it."
)


@pytest.fixture
def shop(people: People, scripted: Scripted) -> Connection:
    return run_step(begin_attempt(people), scripted, WORD).connection


def fresh(shop: Connection) -> Connection:
    return Connection.objects.select_related("account__merchant").get(pk=shop.pk)


def told() -> list[str]:
    """The subjects of all mails about attempts so far, after another sweep."""
    notices.mail_due()
    return [str(sent.subject) for sent in mail.outbox]


def test_the_merchants_word_makes_a_shop_reported(shop: Connection) -> None:
    attempt = shop.attempts.get()
    assert (shop.status, attempt.status) == (Status.REPORTED, Status.REPORTED)
    assert (shop.confirmed_at, shop.checked_at) == (None, None)
    assert shop.connected_at
    assert shop.due_at
    assert [event.status for event in shop.events.exclude(status="")] == ["reported"]


def test_staff_hear_of_shops_that_nobody_has_confirmed(shop: Connection) -> None:
    alert = Alert.objects.get(cause="unconfirmed")
    staff_alerts.clear_resolved()
    alert.refresh_from_db()
    assert alert.cleared is None
    journey.confirm(shop.pk, shop.attempts.get().user)
    staff_alerts.clear_resolved()
    alert.refresh_from_db()
    assert alert.cleared


def test_the_first_check_that_confirms_connects_it_and_mails_once(
    shop: Connection, scripted: Scripted
) -> None:
    assert told() == []
    confirmed = run_check(shop, scripted, CONNECTED)
    assert (confirmed.status, confirmed.proof) == (Status.CONNECTED, "The vendor lists it.")
    assert told() == ["“My shop” is connected"]
    run_check(shop, scripted, CONNECTED)
    assert told() == ["“My shop” is connected"]


@pytest.mark.parametrize("has_left", [False, True])
def test_whoever_connected_it_is_told_or_an_owner(
    people: People, shop: Connection, scripted: Scripted, has_left: bool
) -> None:
    if has_left:
        people.acme.memberships.filter(user=people.alice).delete()
        people.acme.memberships.update(role="owner")
    run_check(shop, scripted, CONNECTED)
    schedule.mail()
    [sent] = mail.outbox
    assert sent.to == ["bob@example.org" if has_left else "alice@example.org"]
    assert f"http://localhost{shop.get_absolute_url()}" in str(sent.body)


def test_staff_confirm_it_and_the_timeline_says_who(people: People, shop: Connection) -> None:
    assert journey.confirm(shop.pk, people.charlie)
    confirmed = fresh(shop)
    assert (confirmed.status, confirmed.confirmed_by) == (Status.CONNECTED, people.charlie)
    assert confirmed.confirmed_at
    event = confirmed.events.latest("pk")
    assert (str(event), event.user) == (confirmed.proof, people.charlie)
    assert told() == ["“My shop” is connected"]


def test_what_is_connected_or_ended_is_not_confirmed_by_staff(
    people: People, shop: Connection, scripted: Scripted
) -> None:
    run_check(shop, scripted, CONNECTED)
    assert not journey.confirm(shop.pk, people.charlie)
    run_step(journey.disconnect(shop, people.alice), scripted, RESTS)
    assert not journey.confirm(shop.pk, people.charlie)
    assert fresh(shop).status == Status.DISCONNECTED


def test_a_confirmed_shop_stays_connected_when_its_vendor_can_no_longer_be_asked(
    shop: Connection, scripted: Scripted
) -> None:
    run_check(shop, scripted, CONNECTED)
    later = run_check(shop, scripted, WORD)
    assert (later.status, later.answer) == (Status.CONNECTED, "connected")
    assert later.proof == later.sentence == "The vendor lists it."
    assert later.confirmed_at


def test_a_reconnect_on_the_merchants_word_keeps_a_connected_shop_connected(
    people: People, shop: Connection, scripted: Scripted
) -> None:
    run_check(shop, scripted, CONNECTED)
    attempt = run_step(journey.reconnect(shop, people.alice), scripted, WORD)
    assert attempt.connection.status == attempt.status == Status.CONNECTED
    assert attempt.sentence == "The vendor lists it."


@pytest.mark.parametrize("answer", KEEPING)
def test_a_check_leaves_a_reported_shop_reported(
    shop: Connection, scripted: Scripted, answer: Answer
) -> None:
    assert run_check(shop, scripted, answer).status == Status.REPORTED


@pytest.mark.parametrize("answer", LOWERING)
def test_a_check_lowers_a_reported_shop_if_the_merchant_must_act(
    shop: Connection, scripted: Scripted, answer: Answer
) -> None:
    assert run_check(shop, scripted, answer).status == Status.ACTION_NEEDED


@pytest.mark.parametrize("answer", [*KEEPING, *LOWERING])
def test_an_attempt_never_lowers_a_reported_shop(
    people: People, shop: Connection, scripted: Scripted, answer: Answer
) -> None:
    attempt = run_step(journey.reconnect(shop, people.alice), scripted, answer)
    assert attempt.connection.status == Status.REPORTED


@pytest.mark.parametrize("stop", [journey.pause, journey.disconnect])
def test_connecting_it_again_needs_another_confirmation(
    people: People, shop: Connection, scripted: Scripted, stop: object
) -> None:
    run_check(shop, scripted, CONNECTED)
    run_step(stop(fresh(shop), people.alice), scripted, RESTS)  # type: ignore[operator]
    again = run_step(journey.reconnect(fresh(shop), people.alice), scripted, WORD).connection
    assert (again.status, again.confirmed_at) == (Status.REPORTED, None)
    run_check(again, scripted, CONNECTED)
    assert told() == ["“My shop” is connected"] * 2


def test_a_lowered_shop_that_recovers_by_a_check_keeps_its_confirmation(
    shop: Connection, scripted: Scripted
) -> None:
    run_check(shop, scripted, CONNECTED)
    run_check(shop, scripted, LOWERING[0])
    assert run_check(shop, scripted, WORD).status == Status.CONNECTED


@pytest.mark.parametrize("confirmed", [True, False])
def test_resuming_gives_back_what_the_shop_was(
    people: People, shop: Connection, scripted: Scripted, confirmed: bool
) -> None:
    if confirmed:
        run_check(shop, scripted, CONNECTED)
    before = fresh(shop).status
    answers: tuple[Answer, ...] = (RESTS, WORD)
    for answer in answers:
        run_step(journey.pause(fresh(shop), people.alice), scripted, RESTS)
        resumed = run_step(journey.resume(fresh(shop), people.alice), scripted, answer)
        assert resumed.connection.status == resumed.status == before


# -- a pause and a resume by hand ------------------------------------------------------------------


def test_a_pause_by_hand_is_done_when_staff_say_so(
    people: People, shop: Connection, scripted: Scripted
) -> None:
    attempt = run_step(journey.pause(shop, people.alice), scripted, BY_HAND)
    waiting = fresh(shop)
    assert (waiting.status, waiting.sentence) == (Status.REPORTED, "Data still flows.")
    assert (waiting.turn, waiting.due_at, bool(attempt.ended)) == ("staff", None, True)
    assert not waiting.events.filter(status="paused").exists()
    assert journey.complete_task(shop.pk, people.charlie)
    paused = fresh(shop)
    assert (paused.status, paused.due_at, paused.task) == (Status.PAUSED, None, "")
    assert paused.events.latest("pk").user == people.charlie


def test_a_resume_by_hand_is_done_when_staff_say_so(
    people: People, shop: Connection, scripted: Scripted
) -> None:
    run_step(journey.pause(shop, people.alice), scripted, RESTS)
    run_step(journey.resume(fresh(shop), people.alice), scripted, BY_HAND)
    assert (fresh(shop).status, fresh(shop).due_at) == (Status.PAUSED, None)
    journey.complete_task(shop.pk, people.charlie)
    assert fresh(shop).status == Status.REPORTED
    assert fresh(shop).due_at


@pytest.mark.parametrize("asked", [journey.ask_now, lambda shop: journey.check_now(
    Connection.objects.filter(pk=shop.pk))])  # fmt: skip
def test_a_shop_that_is_paused_or_about_to_be_is_not_checked(
    people: People, shop: Connection, scripted: Scripted, asked: object
) -> None:
    run_step(journey.pause(shop, people.alice), scripted, BY_HAND)
    assert not asked(fresh(shop))  # type: ignore[operator]
    journey.complete_task(shop.pk)
    assert not asked(fresh(shop))  # type: ignore[operator]
    assert (fresh(shop).status, fresh(shop).due_at) == (Status.PAUSED, None)


def test_staff_may_confirm_a_shop_that_is_about_to_be_paused(
    people: People, shop: Connection, scripted: Scripted
) -> None:
    run_step(journey.pause(shop, people.alice), scripted, BY_HAND)
    journey.confirm(shop.pk, people.charlie)
    assert (fresh(shop).status, fresh(shop).waits_for_task) == (Status.CONNECTED, True)
    journey.complete_task(shop.pk)
    assert fresh(shop).status == Status.PAUSED


def test_a_merchant_may_change_their_mind_before_staff_have_done_it(
    people: People, shop: Connection, scripted: Scripted
) -> None:
    first = run_step(journey.pause(shop, people.alice), scripted, BY_HAND)
    again = replace(BY_HAND, staff_task="Ask them to leave it on.")
    run_step(journey.resume(fresh(shop), people.alice), scripted, again)
    assert fresh(shop).task == "Ask them to leave it on."
    journey.complete_task(shop.pk)
    assert (fresh(shop).status, fresh(shop).turn) == (Status.REPORTED, "")
    first.refresh_from_db()
    assert first.answer == ""


def test_a_task_that_was_overtaken_changes_nothing(
    people: People, shop: Connection, scripted: Scripted
) -> None:
    run_step(journey.pause(shop, people.alice), scripted, BY_HAND)
    run_step(journey.reconnect(fresh(shop), people.alice), scripted, CONNECTED)
    journey.complete_task(shop.pk)
    assert fresh(shop).status == Status.CONNECTED


def test_no_way_back_is_mailed_for_what_has_ended(people: People, shop: Connection) -> None:
    Notice.objects.create(
        kind="way_back", attempt=shop.attempts.get(), connection=shop, user=people.alice,
        not_before=timezone.now(), key="way_back",
    )  # fmt: skip
    assert told() == []
