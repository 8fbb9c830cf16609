"""The catalogue in the admin: what staff set, what they add, and what they cannot delete."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from onboarding.catalogue import refresh
from onboarding.models import Connector
from tests.support.attempts import begin_attempt
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.staff import listed, page, page_text, staff_client

pytestmark = pytest.mark.both

ADD = "/admin/onboarding/connector/add/"


@pytest.fixture
def staff(people: People) -> Client:
    return staff_client()


@pytest.fixture
def generic(people: People, scripted: Scripted) -> Connector:
    """The one entry that the vendor offers."""
    refresh.refresh_catalogue(scripted)
    return Connector.objects.get()


def given(row: Connector | None = None, **changes: Any) -> dict[str, Any]:
    fields = {"visible": "on", "name": "", "position": "5", "options": "{}", "category": "shop"}
    return {**fields, **({"opens": row.pk} if row else {}), **changes}


def test_staff_set_name_order_options_and_visibility(generic: Connector, staff: Client) -> None:
    sent = given(name="WooCommerce", options='{"path": "/woo"}', vendor_name="Changed", key="no")
    del sent["visible"]
    staff.post(page(generic), sent)
    row = Connector.objects.get()
    assert (row.visible, row.name, row.position) == (False, "WooCommerce", 5)
    assert row.options == {"path": "/woo"}
    assert (row.vendor_name, row.key) == (generic.vendor_name, generic.key)


def test_visible_and_order_are_set_in_the_list(generic: Connector, staff: Client) -> None:
    form = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": generic.pk}
    staff.post(listed("connector"), {**form, "form-0-position": 3, "_save": "Save"})
    row = Connector.objects.get()
    assert (row.visible, row.position) == (False, 3)


@pytest.mark.parametrize(
    ("term", "found"), [("Woo", 1), ("scripted sh", 1), ("shop", 1), ("SCRIPTED", 1), ("floor", 0)]
)
def test_a_search_finds_a_connector(
    generic: Connector, staff: Client, term: str, found: int
) -> None:
    Connector.objects.update(name="WooCommerce")
    assert f"{found} connector" in page_text(staff.get(listed("connector"), {"q": term}))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ('{"path": /}', "Not JSON at line 1, column 10."),
        ("[1]", "This must be a JSON object"),
        ("null", "This must be a JSON object"),
    ],
)
def test_options_that_are_no_json_object_are_refused(
    generic: Connector, staff: Client, typed: str, said: str
) -> None:
    response = staff.post(page(generic), given(options=typed))
    assert said in page_text(response)
    assert typed.replace('"', "&quot;") in response.content.decode()
    assert Connector.objects.get().options == {}


def test_empty_options_are_none(generic: Connector, staff: Client) -> None:
    Connector.objects.update(options={"a": 1})
    staff.post(page(generic), given(options=""))
    assert Connector.objects.get().options == {}


def test_staff_add_a_connector_of_their_own(generic: Connector, staff: Client) -> None:
    for _ in range(2):
        staff.post(ADD, given(generic, name="Woo Commerce", options='{"path": "/woo"}'))
    first, second = Connector.objects.filter(staff_made=True).order_by("pk")
    assert (first.slug, second.slug) == ("scripted-woo-commerce", "scripted-woo-commerce-2")
    assert (first.vendor, first.key, first.platform) == ("scripted", "shop", "woo-commerce")
    assert (str(first), first.options) == ("Woo Commerce", {"path": "/woo"})


@pytest.mark.parametrize(
    "link", ["https://cloud.example/next?a=1", "http://localhost:8000/", "/next"]
)
def test_staff_say_what_happens_next(generic: Connector, staff: Client, link: str) -> None:
    said: dict[str, Any] = {
        "next_words": "Set your prices.",
        "next_link": link,
        "next_label": "Open it",
    }
    staff.post(page(generic), given(**said))
    row = Connector.objects.get()
    assert (row.next_words, row.next_link, row.next_label) == tuple(said.values())


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "//evil.example/", "/\\evil.example", "cloud.example", "ftp://x.example/",
     "https://us:secret@cloud.example/", "/a b", "data:text/html,x"],
)  # fmt: skip
def test_a_link_that_could_harm_is_refused(generic: Connector, staff: Client, link: str) -> None:
    answer = staff.post(page(generic), given(next_link=link))
    assert "Enter an address such as https://www.example.com/next" in page_text(answer)
    assert Connector.objects.get().next_link == ""


def test_a_button_needs_a_link(generic: Connector, staff: Client) -> None:
    answer = staff.post(page(generic), given(next_label="Open it"))
    assert "Enter the link that this button opens, too." in page_text(answer)
    assert Connector.objects.get().next_label == ""


def test_a_connector_without_a_name_is_not_added(generic: Connector, staff: Client) -> None:
    assert "This field is required." in page_text(staff.post(ADD, given(generic)))
    assert "This field is required." in page_text(staff.post(ADD, given(name="Woo")))
    assert Connector.objects.count() == 1


def test_a_refresh_keeps_what_staff_added(
    generic: Connector, scripted: Scripted, staff: Client
) -> None:
    staff.post(ADD, given(generic, name="Woo"))
    refresh.refresh_catalogue(scripted)
    own = Connector.objects.get(staff_made=True)
    assert (own.name, own.gone) == ("Woo", None)
    staff.post(page(own), given(name="Woo 2", platform="woo", category="shop"))
    assert Connector.objects.get(pk=own.pk).name == "Woo 2"


def test_a_connector_with_shops_is_never_deleted(people: People, staff: Client) -> None:
    used = begin_attempt(people).connection.connector
    Connector.objects.update(staff_made=True)
    assert staff.post(page(used, "delete"), {"post": "yes"}).status_code == 403
    assert Connector.objects.get() == used


def test_what_the_vendor_offers_is_hidden_not_deleted(generic: Connector, staff: Client) -> None:
    assert staff.post(page(generic, "delete"), {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [generic.pk], "post": "yes"}
    staff.post(listed("connector"), action)
    assert Connector.objects.exists()
