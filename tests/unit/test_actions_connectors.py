"""An action that asks for another connector of the same vendor: chosen, passed on, and saved at the end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.http import HttpResponse
from django.urls import reverse

from onboarding import journey
from onboarding.models import Connection, Connector
from onboarding.models.status import shown
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People, connector
from tests.support.scripted import Configurable
from tests.support.visit import browser, visible_text
from vendors.contract import Action, Ask, Done, Question, Refused, Unavailable, text

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]
FLOOR = text("Which floor shall it be on?")
MOVE = Action(
    key="move",
    label=text("Move the shop"),
    explain=text("To another floor."),
    who="merchant",
    connectors=FLOOR,
)
MOVED = replace(CONNECTED, evidence=text("It stands there."))
SOLD = Refused("sold", who="merchant", note=text("That floor is sold."))
WHEN = Ask(note=text("When?"), questions=(Question(key="day", label=text("Day")),))


@pytest.fixture
def connection(people: People, configurable: Configurable) -> Connection:
    configurable.offers.append(MOVE)
    connection = run_step(begin_attempt(people), configurable, CONNECTED).connection
    Connector.objects.update(options={"floor": "1"})
    return connection


@pytest.fixture
def upper(connection: Connection) -> Connector:
    """Another one with the same key, as staff make them."""
    options = {"floor": "2"}
    return connector("scripted", slug="upper", name="Upper floor", options=options)


def move(people: People, connection: Connection, slug: str = "") -> HttpResponse:
    page = reverse("act", args=[people.acme.reference, connection.reference, "move"])
    data = {"connector": slug} if slug else {}
    response = browser(people.bob).post(page, data, follow=True)
    assert isinstance(response, HttpResponse)
    return response


def own() -> str:
    return Connection.objects.get().connector.slug


def test_the_connectors_of_the_vendor_are_offered(
    people: People, connection: Connection, upper: Connector
) -> None:
    connector("scripted", slug="cellar", name="Cellar", visible=False)
    connector("scripted", slug="attic", name="Attic", ready=False)
    connector("other", slug="elsewhere", name="Elsewhere")
    page = reverse("act", args=[people.acme.reference, connection.reference, "move"])
    said = visible_text(browser(people.bob).get(page))
    assert "Which floor shall it be on? scripted shop (current) Upper floor Move the shop" in said
    assert (
        f'href="{page}"' in browser(people.bob).get(connection.get_absolute_url()).content.decode()
    )


def test_the_chosen_one_becomes_the_shops_own_with_the_success(
    people: People, connection: Connection, upper: Connector, configurable: Configurable
) -> None:
    configurable.script.append(MOVED)
    move(people, connection, "upper")
    assert configurable.last.options == {"floor": "2"}
    assert own() == "upper"
    assert "This shop now uses “Upper floor”." in [str(e) for e in connection.events.all()]


def test_done_takes_it_over_too(
    people: People, connection: Connection, upper: Connector, configurable: Configurable
) -> None:
    configurable.script.append(Done(here=text("Moved."), there=text("It stands there.")))
    move(people, connection, "upper")
    assert own() == "upper"


def test_a_refused_change_leaves_the_old_one(
    people: People, connection: Connection, upper: Connector, configurable: Configurable
) -> None:
    configurable.script.append(SOLD)
    assert "That floor is sold." in visible_text(move(people, connection, "upper"))
    assert (own(), connection.status) == ("scripted-shop", "connected")
    configurable.script.append(MOVED)
    move(people, connection, "scripted-shop")
    assert configurable.last.options == {"floor": "1"}


def test_a_retry_and_an_answer_keep_the_choice(
    people: People, connection: Connection, upper: Connector, configurable: Configurable
) -> None:
    attempt = journey.run_action(connection, people.bob, "move", {}, upper)
    attempt = run_step(
        run_step(attempt, configurable, Unavailable()), configurable, WHEN, present=False
    )
    assert own() == "scripted-shop"
    journey.submit_answers(attempt, people.alice, {"day": "Monday"})
    run_step(attempt, configurable, MOVED, present=False)
    assert {order.options["floor"] for call, order, _ in configurable.asked[1:]} == {"2"}
    assert own() == "upper"


def test_a_started_action_continues_when_staff_hide_the_connector(
    people: People, connection: Connection, upper: Connector, configurable: Configurable
) -> None:
    attempt = journey.run_action(connection, people.bob, "move", {}, upper)
    Connector.objects.filter(slug="upper").update(visible=False)
    run_step(attempt, configurable, MOVED)
    assert own() == "upper"


def test_a_connector_that_staff_deleted_is_reported_without_a_call(
    people: People, connection: Connection, upper: Connector, configurable: Configurable
) -> None:
    attempt = journey.run_action(connection, people.bob, "move", {}, upper)
    upper.delete()
    attempt = run_step(attempt, configurable)
    assert shown(attempt.heading) == "Your choice is no longer offered"
    assert "Nothing was changed." in attempt.sentence
    assert "act" not in configurable.calls
    assert own() == "scripted-shop"


@pytest.mark.parametrize("gone", [{"visible": False}, {"ready": False}, {"vendor": "other"}])
def test_a_connector_hidden_before_submitting_is_an_error_at_the_field(
    people: People,
    connection: Connection,
    upper: Connector,
    configurable: Configurable,
    gone: dict[str, object],
) -> None:
    Connector.objects.filter(slug="upper").update(**gone)
    response = move(people, connection, "upper")
    assert 'id="id_connector_error"' in response.content.decode()
    assert "This is no longer offered. Choose one of these." in visible_text(response)
    assert "act" not in configurable.calls


def test_without_another_it_is_one_button_for_its_own_as_it_is_now(
    people: People, connection: Connection, configurable: Configurable
) -> None:
    Connector.objects.update(options={"floor": "3"})
    assert "Move the shop" in visible_text(browser(people.bob).get(connection.get_absolute_url()))
    configurable.script.append(MOVED)
    assert "It stands there." in visible_text(move(people, connection))
    assert (configurable.last.options, own()) == ({"floor": "3"}, "scripted-shop")
    assert "This shop now uses" not in " ".join(str(event) for event in connection.events.all())


def test_with_another_it_is_asked_and_never_guessed(
    people: People, connection: Connection, upper: Connector, configurable: Configurable
) -> None:
    assert "Choose one of these." in visible_text(move(people, connection))
    assert "act" not in configurable.calls


def test_what_the_shop_has_decides_what_is_offered(
    people: People, connection: Connection, configurable: Configurable
) -> None:
    configurable.offers[:] = [replace(MOVE, when=lambda live: "wheels" in live.connection)]
    assert "Move the shop" not in visible_text(
        browser(people.bob).get(connection.get_absolute_url())
    )
    move(people, connection)
    assert "act" not in configurable.calls
    connection.memo = {"wheels": 4}
    connection.save()
    assert "Move the shop" in visible_text(browser(people.bob).get(connection.get_absolute_url()))
