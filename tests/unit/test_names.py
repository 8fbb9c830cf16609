"""Names of a merchant's shops: what a reader takes for the same name belongs to one shop."""

from __future__ import annotations

from functools import partial

import pytest
from django.db import IntegrityError

from onboarding import journey
from onboarding.journey import merchant_actions
from onboarding.models import Attempt, Connection
from onboarding.models.status import Status
from tests.support.at_once import at_once, meeting
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People, connector
from tests.support.scripted import Scripted
from tests.support.visit import browser, url, visible_text

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]
SAME = [
    ("Магазин", "МАГАЗИН"),
    ("Straße", "STRASSE"),
    ("eBay  shop", "ebay shop"),
    ("ｅＢａｙ", "eBay"),
    ("eBay", "eB\u200bay"),
    ("Cafe\u0301", "Café"),
]


@pytest.fixture
def shop(people: People, scripted: Scripted) -> Connection:
    return connected(people, scripted, "eBay")


def connected(people: People, scripted: Scripted, name: str) -> Connection:
    attempt = begin_attempt(people, name)
    found = type(CONNECTED)(shop_id=f"id of {name}", evidence=CONNECTED.evidence)
    return run_step(attempt, scripted, found).connection


def names() -> list[str]:
    return sorted(Connection.objects.values_list("name", flat=True))


@pytest.mark.parametrize(("first", "second"), SAME)
def test_names_that_look_the_same_are_the_same(
    people: People, scripted: Scripted, first: str, second: str
) -> None:
    connected(people, scripted, first)
    with pytest.raises(journey.NameTaken):
        begin_attempt(people, second)


@pytest.mark.parametrize(("first", "second"), SAME)
def test_a_shop_is_not_renamed_to_such_a_name(
    people: People, scripted: Scripted, first: str, second: str
) -> None:
    connected(people, scripted, first)
    other = connected(people, scripted, "Other")
    response = browser(people.alice).post(url("rename", other), {"name": second})
    assert "You already have a shop called" in visible_text(response)
    assert "Other" in names()


@pytest.mark.parametrize(("first", "second"), SAME)
def test_a_free_name_looks_like_no_other(
    people: People, scripted: Scripted, first: str, second: str
) -> None:
    connected(people, scripted, first)
    assert journey.free_name(people.acme, second) == f"{second} 2"


def test_a_shop_may_change_the_case_of_its_own_name(people: People, shop: Connection) -> None:
    browser(people.alice).post(url("rename", shop), {"name": "EBAY"})
    assert names() == ["EBAY"]


def test_two_merchants_may_use_one_name(people: People, shop: Connection) -> None:
    journey.begin(
        merchant=people.other,
        connector=shop.connector,
        user=people.charlie,
        name="eBay",
        answers={},
    )
    assert names() == ["eBay", "eBay"]


def test_the_database_itself_refuses_a_second_shop_of_a_name(shop: Connection) -> None:
    given = {"account": shop.account, "vendor": shop.vendor, "connector": shop.connector}
    with pytest.raises(IntegrityError):
        Connection.objects.create(name="EBAY", **given)
    Connection.objects.create(name="EBAY", status=Status.DISCONNECTED, **given)


def test_a_name_as_long_as_compatibility_forms_make_it_is_kept(people: People) -> None:
    assert begin_attempt(people, "\ufdfa" * 100).connection.name == "\ufdfa" * 100


# -- races: all have looked before one of them writes ------------------------------------------------


def rename_to(people: People, shop: Connection, name: str) -> str:
    return visible_text(
        browser(people.alice).post(url("rename", shop), {"name": name}, follow=True)
    )


def test_of_two_renames_one_wins(
    people: People, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = connected(people, scripted, "A"), connected(people, scripted, "B")
    meeting(monkeypatch, merchant_actions, "_connection_named")
    said = at_once(
        lambda: rename_to(people, first, "Same"), lambda: rename_to(people, second, "SAME")
    )
    assert sum("You already have a shop called" in each for each in said) == 1
    assert sum("Saved." in each for each in said) == 1


def test_a_rename_and_a_beginning_make_two_names(
    people: People, scripted: Scripted, shop: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting(monkeypatch, merchant_actions, "_connection_named")

    def begin() -> str:
        try:
            return begin_attempt(people, "Same").connection.name
        except journey.NameTaken:
            return "taken"

    results = at_once(begin, lambda: rename_to(people, shop, "same"))
    taken = results[0] == "taken", "You already have a shop called" in results[1]
    assert sorted(taken) == [False, True]
    assert len({name.casefold() for name in names()}) == len(names())


def test_two_disconnected_shops_of_one_name_come_back_with_two(
    people: People, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = connected(people, scripted, "eBay")
    Connection.objects.update(status=Status.DISCONNECTED)
    second = connected(people, scripted, "EBAY")
    Connection.objects.update(status=Status.DISCONNECTED)
    meeting(monkeypatch, merchant_actions, "free_name")
    at_once(*(partial(journey.reconnect, each, people.alice) for each in (first, second)))
    assert sorted(name.casefold() for name in names()) == ["ebay", "ebay 2"]


def test_shops_of_two_connectors_share_the_names(people: People, shop: Connection) -> None:
    with pytest.raises(journey.NameTaken):
        journey.begin(
            merchant=people.acme,
            connector=connector("scripted", "second"),
            user=people.alice,
            name="eBay",
            answers={},
        )
    assert Attempt.objects.count() == 1
