"""Options of a connector in the admin: the vendor's questions, validated, required to offer it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection as database
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from onboarding.catalogue import refresh
from onboarding.models import Connector
from tests.support.people import People
from tests.support.scripted import Configurable
from tests.support.staff import limited_client, listed, page, page_text, staff_client
from tests.support.visit import browser
from vendors.contract import Garbled, Question
from vendors.contract import text as words

pytestmark = pytest.mark.both

DAYS = Question(key="days", label=words("Days of trial"), initial="30")
SIZE = Question(
    key="size",
    label=words("Size of the room"),
    required=False,
    choices=(("", words("Any")), ("s", words("Small")), ("l", words("Large"))),
)
ADD = "/admin/onboarding/connector/add/"


@pytest.fixture
def row(people: People, configurable: Configurable) -> Connector:
    """As the hourly refresh leaves it."""
    configurable.asks.extend([DAYS, SIZE])
    configurable.faults["0"] = words("At least one day.")
    refresh.refresh_catalogue(configurable)
    return Connector.objects.get()


@pytest.fixture
def staff(people: People) -> Client:
    return staff_client()


def test_it_is_not_offered_before_its_questions_are_answered(
    people: People, row: Connector, staff: Client
) -> None:
    connect = reverse("connect", args=[people.acme.reference, row.slug])
    assert not row.ready
    for path, status in (("/connectors/", 200), ("/connect/scripted/", 404), (connect, 404)):
        response = browser(people.alice).get(path)
        assert response.status_code == status
        assert "Scripted shop" not in response.content.decode()
    assert "Not offered to merchants yet Nothing is set." in page_text(staff.get(page(row)))
    staff.post(page(row, "plan"), {"answer_days": "30"})
    assert browser(people.alice).get(connect).status_code == 200
    assert "Scripted shop" in browser().get("/connectors/").content.decode()


def test_the_questions_are_rendered_and_the_answers_saved(row: Connector, staff: Client) -> None:
    body = staff.get(page(row, "plan")).content.decode()
    assert 'value="30"' in body
    assert body.count('type="radio"') == 3
    said = page_text(
        staff.post(page(row, "plan"), {"answer_days": "14", "answer_size": "l"}, follow=True)
    )
    assert "It is set up days: 14 size: l" in said
    found = Connector.objects.get()
    assert (found.options, found.ready) == ({"days": "14", "size": "l"}, True)
    assert LogEntry.objects.get().get_change_message() == "Answer the vendor’s questions about it."


def test_an_answer_that_was_emptied_stays_empty(row: Connector, staff: Client) -> None:
    Connector.objects.update(options={"days": "14", "size": "l"})
    staff.post(page(row, "plan"), {"answer_days": "14", "answer_size": ""})
    assert Connector.objects.get().options == {"days": "14", "size": ""}


def test_an_answer_that_the_vendor_rejects_is_an_error_at_its_field(
    row: Connector, staff: Client
) -> None:
    response = staff.post(page(row, "plan"), {"answer_days": "0", "answer_size": "s"})
    assert response.status_code == 422
    assert "At least one day." in page_text(response)
    assert 'aria-describedby="id_answer_days_error"' in response.content.decode()
    assert Connector.objects.get().options == {}
    assert staff.post(page(row, "plan"), {}).status_code == 422


def test_a_connector_that_is_asked_more_is_offered_when_that_is_answered(
    configurable: Configurable, row: Connector
) -> None:
    Connector.objects.update(options={"days": "14"})
    refresh.refresh_catalogue(configurable)
    assert Connector.objects.get().ready
    configurable.asks.append(replace(DAYS, key="colour"))
    refresh.refresh_catalogue(configurable)
    assert not Connector.objects.get().ready


def test_what_is_no_longer_asked_for_is_shown_until_staff_remove_it(
    row: Connector, staff: Client
) -> None:
    Connector.objects.update(options={"days": "14", "old": "x"})
    assert "The vendor no longer asks for this." in page_text(staff.get(page(row, "plan")))
    staff.post(page(row, "plan"), {"answer_days": "14", "answer_old": "x"})
    assert Connector.objects.get().options["old"] == "x"
    staff.post(page(row, "plan"), {"answer_days": "14", "answer_old": ""})
    assert "old" not in Connector.objects.get().options


def test_an_unavailable_vendor_is_reported_calmly(
    configurable: Configurable, row: Connector, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        assert not database.in_atomic_block
        raise Garbled("scopes: not a list")

    monkeypatch.setattr(type(configurable), "check_options", broken)
    response = staff.post(page(row, "plan"), {"answer_days": "14"})
    assert response.status_code == 422
    assert "scopes: not a list" in page_text(response)
    monkeypatch.setattr(type(configurable), "connector_questions", broken)
    assert "scopes: not a list" in page_text(staff.get(page(row, "plan")))
    refresh.refresh_catalogue(configurable)
    assert Connector.objects.get().options == {}


def test_json_is_typed_only_where_the_vendor_asks_nothing(row: Connector, staff: Client) -> None:
    assert 'name="options"' not in staff.get(page(row)).content.decode()
    staff.post(page(row), {"name": "Rooms", "position": 5, "visible": "on", "options": '{"a": 1}'})
    found = Connector.objects.get()
    assert (found.name, found.options) == ("Rooms", {})


def test_a_connector_of_their_own_is_asked_about_next(row: Connector, staff: Client) -> None:
    given = {"opens": row.pk, "name": "Rooms", "position": 5, "visible": "on", "category": "shop"}
    typed = staff.post(ADD, {**given, "options": '{"a": 1}'})
    assert "Leave this empty: you are asked on the next page." in page_text(typed)
    response = staff.post(ADD, {**given, "options": "{}"})
    own = Connector.objects.get(staff_made=True)
    assert response["Location"] == page(own, "plan")
    assert not own.ready


def test_the_list_says_what_is_set_up(row: Connector, staff: Client) -> None:
    assert "Set up" in page_text(staff.get(listed("connector")))


def test_only_those_who_may_change_it_set_it(row: Connector, people: People) -> None:
    reader = limited_client("view_connector")
    assert page(row, "plan") not in reader.get(page(row)).content.decode()
    assert reader.post(page(row, "plan"), {"answer_days": "1"}).status_code == 403
    assert staff_client().get("/admin/onboarding/connector/999/plan/").status_code == 404


def test_the_catalogue_costs_no_more_and_asks_no_vendor(
    people: People,
    configurable: Configurable,
    row: Connector,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(type(configurable), "connector_questions", None)
    nobody = browser()
    nobody.get("/connectors/")
    with django_assert_max_num_queries(3):
        nobody.get("/connectors/")
