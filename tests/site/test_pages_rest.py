"""Pausing, resuming, and the page of a paused or disconnected shop."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from onboarding import journey
from onboarding.models import Attempt, Connection
from tests.support.attempts import CONNECTED
from tests.support.people import People
from tests.support.scripted import Scripted, offered
from tests.support.visit import LINK, OPEN, browser, start_attempt, url, visible_text
from vendors.contract import Done, Unavailable, text

pytestmark = pytest.mark.usefixtures("inline_executor")
RESTS = Done(here=text("We watch no more."), there=text("The room rests."), todo=text("Lock it."))
AWAKE = Done(here=text("We watch again."), there=text("The room is awake."))
GONE = Done(here=text("All has ended."), there=text("The room is burnt."), ends=True)


class Steady(Scripted):
    """A vendor that cannot pause."""

    def can(self, call: str) -> bool:
        return call not in {"pause", "resume"}


@pytest.fixture
def connection(people: People, scripted: Scripted) -> Connection:
    return start_attempt(people, scripted, CONNECTED).connection


@pytest.fixture
def paused(people: People, connection: Connection, scripted: Scripted) -> Connection:
    scripted.script.append(RESTS)
    browser(people.alice).post(url("pause", connection))
    connection.refresh_from_db()
    return connection


def page(people: People, connection: Connection) -> str:
    return visible_text(browser(people.alice).get(connection.get_absolute_url()))


def test_pausing_first_says_what_stops(people: People, connection: Connection) -> None:
    assert "Pause data exchange." in page(people, connection)
    said = visible_text(browser(people.alice).get(url("pause", connection)))
    assert "Pause “My shop”?" in said
    assert "We stop using and checking this shop until you resume." in said


def test_a_paused_shop_says_what_changed_and_what_is_left(
    people: People, paused: Connection
) -> None:
    said = page(people, paused)
    assert "Paused We watch no more. The room rests. Lock it." in said
    assert "Resume" in said
    assert "Pause data exchange." not in said


def test_a_resumed_shop_works_again(people: People, paused: Connection, scripted: Scripted) -> None:
    scripted.script.append(AWAKE)
    response = browser(people.alice).post(url("resume", paused))
    assert response["Location"] == paused.get_absolute_url()
    paused.refresh_from_db()
    assert paused.status == "connected"
    assert "Pause data exchange." in page(people, paused)


def test_the_page_of_the_attempt_says_what_it_was_for(
    people: People, paused: Connection, scripted: Scripted
) -> None:
    attempt = paused.attempts.get(purpose="pause")
    alice = browser(people.alice)
    assert "“My shop” is paused" in visible_text(alice.get(attempt.get_absolute_url()))
    for purpose, heading in (
        ("pause", "Pausing"),
        ("resume", "Resuming"),
        ("end", "Disconnecting"),
    ):
        Attempt.objects.filter(pk=attempt.pk).update(purpose=purpose, answer="progress", ended=None)
        said = visible_text(alice.get(attempt.get_absolute_url()))
        assert f"{heading} “My shop”" in said
        assert "Your room there is made" not in said


def test_a_pause_that_takes_time_is_shown_on_the_shops_page(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    scripted.script.append(Unavailable())
    browser(people.alice).post(url("pause", connection))
    assert "Connected The vendor lists it. Waiting for Scripted Scripted is not answering" in page(
        people, connection
    )


def test_only_a_working_shop_is_paused_and_only_a_paused_one_resumed(
    people: People, scripted: Scripted
) -> None:
    connection, alice = start_attempt(people, scripted, OPEN).connection, browser(people.alice)
    for response in (alice.get(url("pause", connection)), alice.post(url("pause", connection)),
                     alice.post(url("resume", connection))):  # fmt: skip
        assert response["Location"] == connection.get_absolute_url()
    assert scripted.calls == ["start"]
    assert "Let it rest" not in page(people, connection)


def test_a_vendor_that_cannot_pause_is_not_asked_to(
    people: People, connection: Connection, settings: Settings
) -> None:
    settings.VENDORS = offered(steady := Steady())
    assert "Let it rest" not in page(people, connection)
    browser(people.alice).post(url("pause", connection))
    assert steady.calls == []


def test_pausing_and_resuming_are_for_owners(people: People, paused: Connection) -> None:
    bob: Any = browser(people.bob)
    said = visible_text(bob.get(paused.get_absolute_url()))
    assert "Only owners of the business can resume a shop." in said
    for response in (
        bob.get(url("pause", paused)),
        bob.post(url("pause", paused)),
        bob.post(url("resume", paused)),
    ):
        assert (response.status_code, "ask an owner" in visible_text(response)) == (403, True)


def test_a_shop_that_staff_ended_says_what_ended(
    people: People, paused: Connection, scripted: Scripted
) -> None:
    scripted.script.append(GONE)
    journey.act(paused.pk, "burn", {"code": "r-1"})
    said = page(people, paused)
    assert "Disconnected All has ended. The room is burnt. What we know" in said


# -- a name that was taken in the meantime ---------------------------------------------------------


def test_a_shop_whose_name_was_taken_gets_another(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    alice = browser(people.alice)
    scripted.script.append(Done(here=text("Ended."), there=text("Ended there.")))
    alice.post(url("disconnect", connection))
    start_attempt(people, scripted, OPEN, name="my SHOP")
    scripted.script.append(OPEN)
    assert alice.post(url("reconnect", connection))["Location"] == LINK
    connection.refresh_from_db()
    assert connection.name == "My shop 2"
    said = "Another shop is already called “My shop”, so this one is now “My shop 2”."
    for times in (2, 1):  # the first time as a message too
        assert visible_text(alice.get(connection.get_absolute_url())).count(said) == times


def test_a_name_that_is_still_free_is_kept(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    alice = browser(people.alice)
    scripted.script.append(Done(here=text("Ended."), there=text("Ended there.")))
    alice.post(url("disconnect", connection))
    scripted.script.append(OPEN)
    alice.post(url("reconnect", connection))
    connection.refresh_from_db()
    assert connection.name == "My shop"


def test_a_free_name_is_no_longer_than_a_name_may_be(
    people: People, connection: Connection
) -> None:
    Connection.objects.filter(pk=connection.pk).update(name="x" * 100)
    assert journey.free_name(people.acme, "x" * 100) == "x" * 98 + " 2"
