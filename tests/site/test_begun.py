"""A shop that was begun and not connected: the merchant goes on with it, begins another, or removes it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding import journey
from onboarding.models import Account, Alert, Attempt, Connection
from onboarding.models.status import Status
from tests.site.test_connect import Asking
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People
from tests.support.scripted import Answer, Scripted, offered
from tests.support.visit import LINK, OPEN, browser, offer, start_attempt, url, visible_text
from vendors.contract import Order, Progress, Redirect, Step, Unsure, Waiting, text

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]
WAIT = Waiting(note=text("…"), poll_every=timedelta(minutes=1), give_up_after=timedelta(hours=1))
LATER = Redirect(url="https://vendor.example/open?token=2")


def page(people: People) -> str:
    return reverse("connect", args=[people.acme.reference, offer().slug])


def home(people: People) -> str:
    return visible_text(browser(people.alice).get(people.acme.get_absolute_url()))


@pytest.fixture
def begun(people: People, scripted: Scripted) -> Attempt:
    """Alice has pressed Continue and is at the vendor."""
    return start_attempt(people, scripted, OPEN, name="eBay")


# -- begun once, it is not begun again -------------------------------------------------------------


def test_back_and_continue_makes_no_second_shop(people: People, begun: Attempt) -> None:
    response = browser(people.alice).post(page(people), {"name": "eBay"})
    assert response["Location"] == begun.get_absolute_url()
    assert Connection.objects.get() == begun.connection


def test_the_check_page_says_what_was_started_and_when(people: People, begun: Attempt) -> None:
    response = browser(people.alice).get(page(people))
    said = visible_text(response)
    assert f"You started connecting “eBay” today {begun.created:%H:%M}" in said
    assert "Continue “eBay”" in said
    assert "Connect another scripted shop shop" in said
    assert "Without one, we call it “scripted shop”." in said


@pytest.mark.parametrize(
    ("days", "when"), [(1, "yesterday {:%H:%M}"), (3, "{:%-d %b %Y}, {:%H:%M}")]
)
def test_a_start_of_another_day_is_told_with_its_day(
    people: People, begun: Attempt, days: int, when: str
) -> None:
    at = begun.created - timedelta(days=days)
    Attempt.objects.update(created=at)
    said = visible_text(browser(people.alice).get(page(people)))
    assert f"You started connecting “eBay” {when.format(at, at)}" in said


def test_continue_goes_on_where_it_was(people: People, scripted: Scripted, begun: Attempt) -> None:
    scripted.script.append(LATER)
    response = browser(people.alice).post(url("reconnect", begun.connection))
    assert response["Location"] == LATER.url
    assert Attempt.objects.get() == begun


def test_another_shop_is_begun_when_the_merchant_says_so(
    people: People, scripted: Scripted, begun: Attempt
) -> None:
    scripted.script.append(OPEN)
    form = {"name": "eBay 2", "another": "1", "seen": begun.reference}
    assert browser(people.alice).post(page(people), form)["Location"] == LINK
    assert sorted(Connection.objects.values_list("name", flat=True)) == ["eBay", "eBay 2"]


def test_another_shop_needs_a_name_of_its_own(people: People, begun: Attempt) -> None:
    form = {"name": "EBAY", "another": "1", "seen": begun.reference}
    response = browser(people.alice).post(page(people), form)
    assert "You already have a shop called “EBAY”" in visible_text(response)
    assert Connection.objects.get() == begun.connection


def test_another_name_is_asked_about_and_kept(people: People, begun: Attempt) -> None:
    """An old page, or a second tab: nobody can know whether a second shop is meant."""
    response = browser(people.alice).post(page(people), {"name": "My eBay", "seen": ""})
    assert "You started connecting “eBay”" in visible_text(response)
    assert 'value="My eBay"' in response.content.decode()
    assert Connection.objects.get() == begun.connection


def test_other_answers_are_asked_about_and_kept(people: People, settings: Settings) -> None:
    vendor = Asking()
    settings.VENDORS = offered(vendor)
    vendor.script.append(OPEN)
    alice = browser(people.alice)
    alice.post(page(people), {"name": "Mine", "answer_size": "l"})
    response = alice.post(page(people), {"name": "Mine", "answer_size": "s"})
    assert "You started connecting “Mine”" in visible_text(response)
    assert "checked" in response.content.decode()
    assert Connection.objects.get().answers == {"size": "l"}


def test_a_second_press_without_a_name_is_the_same_shop(
    people: People, scripted: Scripted, begun: Attempt
) -> None:
    response = browser(people.alice).post(page(people), {"name": "", "seen": ""})
    assert response["Location"] == begun.get_absolute_url()
    assert Connection.objects.get() == begun.connection


def test_other_answers_without_a_name_are_asked_about(people: People, settings: Settings) -> None:
    vendor = Asking()
    settings.VENDORS = offered(vendor)
    vendor.script.append(OPEN)
    alice = browser(people.alice)
    alice.post(page(people), {"answer_size": "l"})
    response = alice.post(page(people), {"answer_size": "s"})
    assert "You started connecting “scripted shop”" in visible_text(response)
    assert Connection.objects.get().answers == {"size": "l"}


def test_what_was_left_too_long_starts_again_without_a_name_too(
    people: People, scripted: Scripted, begun: Attempt
) -> None:
    Attempt.objects.update(deadline=timezone.now() - timedelta(minutes=1))
    scripted.script.append(LATER)
    assert browser(people.alice).post(page(people), {"name": ""})["Location"] == LATER.url
    assert Connection.objects.get() == begun.connection


def test_a_colleague_begins_their_own(people: People, scripted: Scripted, begun: Attempt) -> None:
    bob = browser(people.bob)
    assert "You started" not in visible_text(bob.get(page(people)))
    scripted.script.append(OPEN)
    assert bob.post(page(people), {"name": "eBay of Bob"})["Location"] == LINK
    assert Connection.objects.count() == 2


def test_who_begins_is_led_to_the_open_attempt_even_without_the_page(
    people: People, scripted: Scripted, begun: Attempt
) -> None:
    attempt = journey.begin(
        merchant=people.acme,
        connector=begun.connection.connector,
        user=people.alice,
        name="Other",
        answers={},
    )
    assert attempt == begun


def test_what_waits_for_staff_is_not_begun_again(people: People, scripted: Scripted) -> None:
    attempt = start_attempt(people, scripted, Unsure(), name="eBay")
    alice = browser(people.alice)
    assert "You started connecting “eBay”" in visible_text(alice.get(page(people)))
    response = alice.post(url("reconnect", attempt.connection), follow=True)
    assert "We’re on it" in visible_text(response)
    assert Attempt.objects.get() == attempt


def test_what_was_left_too_long_starts_again_as_the_same_shop(
    people: People, scripted: Scripted, begun: Attempt
) -> None:
    Attempt.objects.update(deadline=timezone.now() - timedelta(minutes=1))
    assert "You started connecting “eBay”" in visible_text(browser(people.alice).get(page(people)))
    scripted.script.append(LATER)
    assert browser(people.alice).post(page(people), {"name": "eBay"})["Location"] == LATER.url
    assert Connection.objects.get() == begun.connection
    assert list(Attempt.objects.order_by("pk").values_list("ending", flat=True)) == ["expired", ""]


def test_a_connected_shop_was_not_left_anywhere(people: People, scripted: Scripted) -> None:
    start_attempt(people, scripted, CONNECTED, name="eBay")
    assert "You started" not in visible_text(browser(people.alice).get(page(people)))
    scripted.script.append(OPEN)
    assert browser(people.alice).post(page(people), {"name": "eBay 2"})["Location"] == LINK


# -- removed before it was connected ---------------------------------------------------------------


def test_a_shop_that_was_never_connected_is_removed(people: People, begun: Attempt) -> None:
    alice = browser(people.alice)
    shop = url("connection", begun.connection)
    assert url("remove", begun.connection) in alice.get(shop).content.decode()
    said = visible_text(alice.get(url("remove", begun.connection)))
    assert "Remove “eBay” from your list?" in said
    assert "At Scripted What you entered or allowed there stays" in said
    response = alice.post(url("remove", begun.connection), follow=True)
    assert "“eBay” was removed from your list." in visible_text(response)
    assert "eBay" not in home(people)


def test_its_name_is_free_and_it_is_not_offered_any_more(
    people: People, scripted: Scripted, begun: Attempt
) -> None:
    browser(people.alice).post(url("remove", begun.connection))
    assert "You started" not in visible_text(browser(people.alice).get(page(people)))
    scripted.script.append(LATER)
    assert browser(people.alice).post(page(people), {"name": "eBay"})["Location"] == LATER.url
    assert Connection.objects.exclude(status=Status.DISCONNECTED).get() != begun.connection


def test_nothing_at_the_vendor_is_said_where_nothing_is(people: People, scripted: Scripted) -> None:
    attempt = begin_attempt(people, "eBay")
    said = visible_text(browser(people.alice).get(url("remove", attempt.connection)))
    assert "At Scripted Nothing was set up there." in said


def test_a_page_of_a_removed_shop_says_so_and_starts_again(
    people: People, scripted: Scripted, begun: Attempt
) -> None:
    alice = browser(people.alice)
    alice.post(url("remove", begun.connection))
    said = visible_text(alice.get(begun.get_absolute_url()))
    assert "“eBay” was removed from your list" in said
    scripted.script.append(LATER)
    assert alice.post(url("reconnect", begun.connection))["Location"] == LATER.url
    assert "eBay" in home(people)


def test_a_connected_shop_is_not_removed(people: People, scripted: Scripted) -> None:
    attempt = start_attempt(people, scripted, CONNECTED)
    alice = browser(people.alice)
    for response in (
        alice.get(url("remove", attempt.connection)),
        alice.post(url("remove", attempt.connection)),
    ):
        assert response["Location"] == url("connection", attempt.connection)
    assert Connection.objects.get().status == Status.CONNECTED


def test_a_stranger_removes_nothing(people: People, begun: Attempt) -> None:
    assert browser(people.charlie).post(url("remove", begun.connection)).status_code == 404
    assert Connection.objects.get().removed_at is None


def test_what_was_made_at_the_vendor_stays_known_to_staff(
    people: People, scripted: Scripted
) -> None:
    attempt = start_attempt(
        people, scripted, Progress(connection={"room": 7}, connection_key="room-7"), OPEN
    )
    browser(people.alice).post(url("remove", attempt.connection))
    connection = Connection.objects.get()
    assert (connection.status, connection.key) == (Status.DISCONNECTED, "room-7")
    assert "room-7" in connection.task
    assert Alert.objects.get(cause="task").cleared is None


def test_a_lost_answer_stays_unsure_and_can_be_settled(people: People, scripted: Scripted) -> None:
    attempt = start_attempt(people, scripted, Progress(announce="room"), Unsure(), Unsure())
    browser(people.alice).post(url("remove", attempt.connection))
    account = Account.objects.get()
    assert account.unsure == "room"
    assert "“room”" in Connection.objects.get().task
    scripted.script.append(Progress(connection_key="room-9"))
    journey.resolve(account.pk, "room-9")
    assert Account.objects.get().unsure == ""
    assert "room-9" in Connection.objects.get().task


def removed_while(answer: Step) -> Answer:
    """The merchant removes the shop while the vendor works on this answer."""

    def answering(order: Order) -> Step:
        connection = Connection.objects.get(reference=order.reference)
        journey.remove(connection, connection.attempts.get().user)
        return answer

    return answering


def test_what_was_made_a_moment_later_stays_known_to_staff(
    people: People, scripted: Scripted
) -> None:
    made = removed_while(Progress(connection_key="room-8"))
    run_step(begin_attempt(people), scripted, Progress(announce="room"), made)
    connection = Connection.objects.get()
    assert (connection.status, Account.objects.get().announced) == (Status.DISCONNECTED, "")
    assert "room-8" in connection.task


def test_what_was_announced_and_not_sent_is_withdrawn(people: People, scripted: Scripted) -> None:
    run_step(begin_attempt(people), scripted, removed_while(Progress(announce="room")))
    account = Account.objects.get()
    assert (account.announced, account.unsure) == ("", "")
    assert scripted.calls == ["start"]


def test_what_was_announced_and_is_not_sent_any_more_is_withdrawn(
    people: People, scripted: Scripted
) -> None:
    attempt = begin_attempt(people)
    scripted.script.append(Progress(announce="room"))

    def remove_between_two_calls() -> bool:
        assert Account.objects.get().announced == "room"
        journey.remove(attempt.connection, people.alice)
        return False

    journey.advance(attempt.pk, urgent=remove_between_two_calls)
    account = Account.objects.get()
    assert (account.announced, account.unsure, scripted.calls) == ("", "", ["start"])
