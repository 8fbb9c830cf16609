"""The interruption page: another shop was found than was meant, and the merchant decides which."""

from __future__ import annotations

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding import moments
from onboarding.models import Attempt, Connection
from tests.support.attempts import CONNECTED, reloaded
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.visit import LINK, OPEN, browser, start_attempt, url, visible_text
from vendors.contract import Connected, text

pytestmark = pytest.mark.usefixtures("inline_executor")
OTHER = Connected(shop_id="shop-2", evidence=text("The vendor lists another."))


@pytest.fixture
def connection(people: People, scripted: Scripted) -> Connection:
    return start_attempt(people, scripted, CONNECTED).connection


@pytest.fixture
def doubt(people: People, connection: Connection, scripted: Scripted) -> Attempt:
    """Alice reconnects her shop, and the vendor finds another one."""
    scripted.script.append(OTHER)
    browser(people.alice).post(url("reconnect", connection))
    return reloaded(connection.attempts.latest("pk"))


@pytest.fixture
def twin(people: People, connection: Connection, scripted: Scripted) -> Attempt:
    """Alice connects a shop that she has connected already."""
    return start_attempt(people, scripted, CONNECTED, name="The same again")


def test_the_page_says_what_was_meant_and_what_was_found(people: People, doubt: Attempt) -> None:
    said = visible_text(browser(people.alice).get(doubt.get_absolute_url()))
    for expected in (
        "Is this the shop you meant?",
        "You chose a different shop, not “My shop”. Nothing was changed.",
        f"You meant My shop Connected Added {moments.day(timezone.now())} The vendor lists it.",
        "Found at Scripted The vendor lists another.",
        "“My shop” stays as it is until you decide.",
        "It is your turn",
    ):
        assert expected in said
    for answer in ("Use this shop", "Go back and choose again", "Connect it as a second shop"):
        assert answer in said


def test_a_shop_in_doubt_stays_connected_everywhere(people: People, doubt: Attempt) -> None:
    alice = browser(people.alice)
    assert "My shop Connected through Scripted" in visible_text(
        alice.get(people.acme.get_absolute_url())
    )
    connection = visible_text(alice.get(doubt.connection.get_absolute_url()))
    assert "Connected The vendor lists it. Is this the shop you meant?" in connection


def test_the_found_shop_is_used(people: People, doubt: Attempt, scripted: Scripted) -> None:
    scripted.script.append(OTHER)
    response = browser(people.alice).post(url("use-found", doubt))
    assert (response.status_code, response["Location"]) == (303, doubt.get_absolute_url())
    row = reloaded(doubt)
    assert (row.answer, row.connection.shop_id) == ("connected", "shop-2")


def test_going_back_leaves_for_the_vendor_again(
    people: People, doubt: Attempt, scripted: Scripted
) -> None:
    scripted.script.append(OPEN)
    response = browser(people.bob).post(url("go-back", doubt))
    assert (response["Location"], scripted.calls[-1]) == (LINK, "start")


def test_it_becomes_a_second_shop_with_a_name_of_its_own(
    people: People, doubt: Attempt, scripted: Scripted
) -> None:
    alice = browser(people.alice)
    assert 'value="My shop 2"' in alice.get(doubt.get_absolute_url()).content.decode()
    scripted.script.append(OTHER)
    alice.post(url("both", doubt), {"name": "My shop 2"})
    rows = Connection.objects.order_by("pk").values_list("name", "shop_id", "status")
    assert list(rows) == [("My shop", "shop-1", "connected"), ("My shop 2", "shop-2", "connected")]
    assert "“My shop 2” is connected" in visible_text(alice.get(doubt.get_absolute_url()))


@pytest.mark.parametrize(
    ("name", "problem"),
    [("MY shop", "You already have a shop called “MY shop”."), (" ", "Give this shop a name.")],
)
def test_an_invalid_name_is_an_error_at_the_field(
    people: People, doubt: Attempt, scripted: Scripted, name: str, problem: str
) -> None:
    response = browser(people.alice).post(url("both", doubt), {"name": name})
    assert f"There is a problem {problem}" in visible_text(response)
    assert f'value="{name.strip()}"' in response.content.decode() or not name.strip()
    assert 'aria-invalid="true"' in response.content.decode()
    assert reloaded(doubt).answer == "wrong_shop"
    assert scripted.calls == ["start", "start"]


def test_a_shop_that_is_connected_already_is_kept(
    people: People, connection: Connection, twin: Attempt
) -> None:
    alice = browser(people.alice)
    said = visible_text(alice.get(twin.get_absolute_url()))
    assert "You have already connected this shop under another name." in said
    assert "Found at Scripted My shop Connected The vendor lists it." in said
    assert "It is mine too" not in said
    assert "Keep “My shop”" in said
    response = alice.post(url("use-found", twin))
    assert response["Location"] == connection.get_absolute_url()
    assert "Nothing was connected twice" in visible_text(alice.get(twin.get_absolute_url()))


def test_a_shop_that_is_connected_already_becomes_no_second_one(
    people: People, twin: Attempt, scripted: Scripted
) -> None:
    response = browser(people.alice).post(url("both", twin), {"name": "Another name"})
    assert response["Location"] == twin.get_absolute_url()
    assert not Connection.objects.filter(name="Another name").exists()


@pytest.mark.parametrize("name", ["use-found", "go-back", "both"])
def test_an_answer_on_an_old_page_changes_nothing(
    people: People, doubt: Attempt, scripted: Scripted, name: str
) -> None:
    alice = browser(people.alice)
    scripted.script.append(OPEN)
    alice.post(url("go-back", doubt))
    response = alice.post(url(name, doubt), {"name": "Another name"})
    assert (response.status_code, response["Location"]) == (303, doubt.get_absolute_url())
    assert scripted.calls == ["start"] * 3
    assert Connection.objects.count() == 1


def test_an_answer_may_lead_to_the_vendor(
    people: People, doubt: Attempt, settings: Settings
) -> None:
    page = browser(people.alice).get(doubt.get_absolute_url())
    wrong = browser(people.alice).post(url("both", doubt), {"name": ""})
    for response in (page, wrong):
        assert "form-action 'self' https:" in response["Content-Security-Policy"]
