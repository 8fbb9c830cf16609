"""The wrong shop was found: the merchant decides, and nothing changes until then."""

from __future__ import annotations

import pytest

from onboarding import journey
from onboarding.models import Attempt, Connection
from onboarding.models.status import Status
from tests.support.attempts import CONNECTED, begin_attempt, reloaded, run_step
from tests.support.people import People
from tests.support.scripted import Scripted
from vendors.contract import Connected, Progress, text

pytestmark = pytest.mark.both

OTHER = Connected(shop_id="shop-2", evidence=text("The vendor lists another."))


@pytest.fixture
def connection(people: People, scripted: Scripted) -> Connection:
    return run_step(begin_attempt(people), scripted, CONNECTED).connection


@pytest.fixture
def doubt(people: People, connection: Connection, scripted: Scripted) -> Attempt:
    draft = Progress(connection={"store": "shop-2"})
    return run_step(journey.reconnect(connection, people.alice), scripted, draft, OTHER)


def test_another_shop_at_reconnect_changes_nothing_by_itself(doubt: Attempt) -> None:
    connection = doubt.connection
    assert (doubt.answer, doubt.found_shop_id) == ("wrong_shop", "shop-2")
    assert (connection.status, connection.shop_id, connection.memo) == (
        Status.CONNECTED,
        "shop-1",
        {},
    )


def test_it_is_used_when_the_merchant_says_so(
    people: People, doubt: Attempt, scripted: Scripted
) -> None:
    journey.use_found_shop(doubt, people.alice)
    row = run_step(doubt, scripted, OTHER)
    assert (row.connection.shop_id, row.connection.pk) == ("shop-2", doubt.connection_id)
    assert row.connection.memo == {"store": "shop-2"}
    assert row.ended


def test_saying_yes_to_one_shop_is_no_yes_to_a_third(
    people: People, doubt: Attempt, scripted: Scripted
) -> None:
    journey.use_found_shop(doubt, people.alice)
    row = run_step(doubt, scripted, Connected(shop_id="shop-3", evidence=text("…")))
    assert (row.answer, row.connection.shop_id) == ("wrong_shop", "shop-1")


def test_it_is_mine_too_makes_a_second_connection(
    people: People, doubt: Attempt, scripted: Scripted
) -> None:
    journey.connect_both(doubt, people.alice, "Second shop")
    row = run_step(doubt, scripted, OTHER)
    first = Connection.objects.get(name="My shop")
    assert (row.connection.name, row.connection.shop_id) == ("Second shop", "shop-2")
    assert (first.shop_id, first.status, first.memo) == ("shop-1", Status.CONNECTED, {})


def test_the_second_connection_needs_a_name_of_its_own(people: People, doubt: Attempt) -> None:
    with pytest.raises(journey.NameTaken):
        journey.connect_both(doubt, people.alice, "my shop")
    assert Connection.objects.count() == 1


def test_going_back_starts_again_without_what_was_found(
    people: People, doubt: Attempt, scripted: Scripted
) -> None:
    journey.reject_found_shop(doubt, people.alice)
    row = run_step(doubt, scripted, CONNECTED)
    assert scripted.calls[-1] == "start"
    assert scripted.last.memos.connection == {}
    assert row.connection.shop_id == "shop-1"


def test_a_shop_that_a_sibling_has_stays_where_it_is(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    twin = run_step(begin_attempt(people, "The same again"), scripted, CONNECTED)
    assert journey.connection_of_found_shop(twin) == connection
    journey.use_found_shop(twin, people.alice)
    ended = reloaded(twin)
    assert ended.ended
    assert ended.connection.status == Status.DISCONNECTED
    assert Connection.objects.get(pk=connection.pk).status == Status.CONNECTED


def test_a_shop_of_another_merchant_is_refused(
    people: People, connection: Connection, scripted: Scripted
) -> None:
    attempt = journey.begin(
        merchant=people.other,
        connector=connection.connector,
        user=people.charlie,
        name="Mine",
        answers={},
    )
    row = run_step(attempt, scripted, CONNECTED)
    assert (row.answer, row.found_shop_id, row.connection.shop_id) == ("refused", "", "")
    assert "Another business has already connected this shop" in row.sentence


@pytest.mark.parametrize("verb", [journey.use_found_shop, journey.reject_found_shop])
def test_there_is_nothing_to_choose_otherwise(
    people: People, scripted: Scripted, verb: object
) -> None:
    row = run_step(begin_attempt(people), scripted, CONNECTED)
    verb(row, people.alice)  # type: ignore[operator]
    assert reloaded(row).due_at is None
