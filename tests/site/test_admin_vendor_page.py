"""The vendor's page in the admin: staff actions on the vendor and on one of its connectors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from onboarding.models import Connection, Connector, Slot
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People
from tests.support.scripted import Configurable, offered
from tests.support.staff import limited_client, listed, page, page_text, staff_client
from vendors.contract import Action, Done, Garbled, Question, Refused, Rows, Unavailable, Unsure
from vendors.contract import text as words

pytestmark = pytest.mark.both

SECRET = "c4n4ry-typed"
EXPLAIN = words("Look first.")
CODE = Question(key="code", label=words("Code of the house"))
BUILD = Action(
    key="build", label=words("Build a house"), explain=EXPLAIN, on="vendor", questions=(CODE,)
)
ROOMS = Action(key="rooms", label=words("Show the rooms"), explain=EXPLAIN, on="connector")
PAINT = Action(key="paint", label=words("Paint them"), explain=EXPLAIN, on="connector", hidden=True)
FOUND = Rows(
    columns=(words("Room"), words("Colour")),
    rows=(("r-1", "red"), ("r-2", "blue"), ("r-3", "")),
    then="paint",
)
DONE = Done(here=words("It stands in the list."), there=words("The house is built."))
VENDOR = "/admin/onboarding/connector/vendor/scripted/"


@pytest.fixture
def connection(people: People, configurable: Configurable) -> Connection:
    configurable.offers.extend([BUILD, ROOMS, PAINT])
    return run_step(begin_attempt(people), configurable, CONNECTED).connection


@pytest.fixture
def row(connection: Connection) -> Connector:
    return connection.connector


@pytest.fixture
def staff(people: People) -> Client:
    return staff_client()


def run(key: str) -> str:
    return reverse("admin:onboarding_connector_run", args=["scripted", key])


def act(row: Connector, key: str) -> str:
    return reverse("admin:onboarding_connector_act", args=[row.pk, key])


def logged() -> list[str]:
    return [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]


# -- what is done there --------------------------------------------------------------------------


def test_each_action_stands_where_it_belongs(row: Connector, staff: Client) -> None:
    assert f'href="{VENDOR}"' in staff.get(listed("connector")).content.decode()
    at_vendor, at_row = page_text(staff.get(VENDOR)), page_text(staff.get(page(row)))
    assert "Build a house Look first." in at_vendor
    assert "Show the rooms Look first." in at_row
    assert "Show the rooms" not in at_vendor
    assert "Build a house" not in at_row
    assert "Paint them" not in at_row


def test_an_action_is_explained_then_done(
    row: Connector, configurable: Configurable, staff: Client
) -> None:
    Slot.objects.create(key="catalogue:scripted:2026-11-22T00")
    assert "Code of the house" in page_text(staff.get(run("build")))
    assert staff.post(run("build"), {}).status_code == 422
    assert configurable.ran == []
    configurable.results.append(DONE)
    said = page_text(staff.post(run("build"), {"answer_code": SECRET}, follow=True))
    assert "It stands in the list. The house is built." in said
    assert configurable.ran == [("build", {"code": SECRET}, "", ())]
    assert logged() == ["Scripted: Build a house: done."]
    assert not Slot.objects.exists()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Refused("no such street", who="staff", note=words("Not there.")), "Not there. · no such"),
        (Refused("x", who="staff", note=words("Too short."), code="code"), "Too short."),
        (Unavailable("time-out"), "The vendor is not answering. Try again later. · time-out"),
        (Unsure("502"), "No clear answer came. Check at the vendor before you try again. · 502"),
        (Garbled("a list"), "answered something that we do not understand. · a list"),
    ],
)
def test_errors_are_shown_with_the_typed_values(
    row: Connector, configurable: Configurable, staff: Client, error: Any, said: str
) -> None:
    configurable.results.append(error)
    response = staff.post(run("build"), {"answer_code": SECRET})
    assert response.status_code == 422
    assert said in page_text(response)
    assert f'value="{SECRET}"' in response.content.decode()
    assert SECRET not in "".join(logged())
    assert bool(logged()) is not isinstance(error, Refused)


def test_an_error_of_a_field_is_shown_at_the_field(
    row: Connector, configurable: Configurable, staff: Client
) -> None:
    configurable.results.append(Refused("x", who="staff", note=words("Too short."), code="code"))
    body = staff.post(run("build"), {"answer_code": "1"}).content.decode()
    assert 'id="id_answer_code_error"' in body
    assert 'role="alert"' not in body


@pytest.mark.parametrize("key", ["rooms", "paint", "nothing"])
def test_what_is_not_of_the_vendor_is_not_there(row: Connector, staff: Client, key: str) -> None:
    assert staff.post(run(key), {"ids": "r-1"}).status_code == 404


# -- rows, and what is done with the chosen ones -------------------------------------------------


def test_rows_are_shown_with_boxes(
    row: Connector, configurable: Configurable, staff: Client
) -> None:
    configurable.results.append(FOUND)
    response = staff.post(act(row, "rooms"))
    assert "Room Colour r-1 red r-2 blue r-3 –" in page_text(response)
    body = response.content.decode()
    assert body.count('name="ids"') == 3
    assert f'action="{act(row, "paint")}"' in body
    assert configurable.ran == [("rooms", {}, "shop", ())]
    assert logged() == []


def test_rows_that_lead_nowhere_have_no_boxes(
    row: Connector, configurable: Configurable, staff: Client
) -> None:
    configurable.results.append(replace(FOUND, then=""))
    assert 'name="ids"' not in staff.post(act(row, "rooms")).content.decode()
    configurable.results.append(replace(FOUND, rows=()))
    assert "None." in page_text(staff.post(act(row, "rooms")))


def test_none_chosen_sends_nothing(
    row: Connector, configurable: Configurable, staff: Client
) -> None:
    for given in ({}, {"confirmed": "0"}):
        said = page_text(staff.post(act(row, "paint"), given, follow=True))
        assert "Nothing was chosen, so nothing was sent." in said
    assert staff.get(act(row, "paint"))["Location"] == page(row)
    assert configurable.ran == []


def test_how_many_were_chosen_is_confirmed_first(
    row: Connector, configurable: Configurable, staff: Client
) -> None:
    response = staff.post(act(row, "paint"), {"ids": ["r-1", "r-3", "r-3"]})
    assert "You have chosen 2: r-1 r-3 Paint them: 2 chosen" in page_text(response)
    assert configurable.ran == []
    staff.post(act(row, "paint"), {"ids": ["r-1", "r-3"], "confirmed": "3"})
    assert configurable.ran == []
    configurable.results.append(DONE)
    given = {"ids": ["r-1", "r-3"], "confirmed": "2"}
    assert "The house is built." in page_text(staff.post(act(row, "paint"), given, follow=True))
    assert configurable.ran == [("paint", {}, "shop", ("r-1", "r-3"))]
    assert logged() == ["Scripted: Paint them: done. Chosen: 2."]


def test_the_questions_about_the_chosen_are_asked_with_the_number(
    row: Connector, configurable: Configurable, staff: Client
) -> None:
    configurable.offers[-1] = replace(PAINT, questions=(CODE,))
    first = staff.post(act(row, "paint"), {"ids": ["r-1"]})
    assert (first.status_code, "Code of the house" in page_text(first)) == (200, True)
    wrong = staff.post(act(row, "paint"), {"ids": ["r-1"], "confirmed": "1", "answer_code": ""})
    assert wrong.status_code == 422
    assert 'name="ids" value="r-1"' in wrong.content.decode()
    assert configurable.ran == []


def test_an_action_that_is_not_about_rows_gets_none(
    row: Connector, configurable: Configurable, staff: Client
) -> None:
    configurable.results.append(FOUND)
    staff.post(act(row, "rooms"), {"ids": ["r-1"]})
    assert configurable.ran[0][3] == ()


# -- who may -------------------------------------------------------------------------------------


def test_only_those_who_may_change_connectors_act(
    row: Connector, configurable: Configurable, people: People
) -> None:
    reader = limited_client("view_connector")
    assert "Build a house" in page_text(reader.get(VENDOR))
    assert run("build") not in reader.get(VENDOR).content.decode()
    assert "Compare now" not in page_text(reader.get(VENDOR + "?compare=1"))
    for address in (run("build"), act(row, "rooms")):
        assert reader.post(address, {"answer_code": "1"}).status_code == 403
    merchant = Client()
    merchant.force_login(people.alice)
    for address in (VENDOR, run("build"), act(row, "rooms")):
        assert merchant.get(address)["Location"].startswith("/admin/login/")
    assert configurable.ran == []


def test_who_may_see_no_connectors_sees_no_vendor(row: Connector) -> None:
    assert limited_client("view_account").get(VENDOR).status_code == 403


def test_a_vendor_that_is_switched_off_has_no_page(
    row: Connector, staff: Client, settings: Settings
) -> None:
    settings.VENDORS = offered()
    for address in (VENDOR, run("build"), act(row, "rooms")):
        assert staff.get(address).status_code == 404
    assert staff.get(page(row)).status_code == 200
