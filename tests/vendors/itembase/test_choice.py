"""itembase: another shop for a merchant who is signed in: a new one, or one that is there already."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.vendors.itembase.trip import Trip, choices, first_shop, holding, leads_to, visit
from vendors.contract import (
    Ask,
    Connected,
    Declined,
    KnownShop,
    NeedsMerchant,
    Redirect,
    Refused,
    Step,
    Waiting,
)
from vendors.sandbox import Running

TOKEN = "GET /accounts/oauth/v2/token"
NEW = "Add a new eBay shop"
FREE = "not connected to us yet"


def free(step: Step) -> str:
    """The id of the one shop that is offered as free."""
    [shop] = [value for label, value in choices(step).items() if FREE in label]
    return shop


@pytest.fixture
def connected(running: Running) -> Trip:
    """A merchant with one connected shop."""
    return first_shop(running)


# -- example 2: a new shop -----------------------------------------------------------------------


def test_a_second_shop_needs_no_second_sign_in(connected: Trip) -> None:
    trip = connected.another_shop()
    step = trip.follow(trip.run("start"))
    assert isinstance(step, Connected)
    assert step.shop_id != connected.given["shop_id"]
    assert trip.calls(TOKEN) == 1


def test_a_new_shop_is_told_apart_from_those_that_were_there(connected: Trip) -> None:
    trip = connected.another_shop()
    older = trip.add_store()
    step = trip.run("answered", {"store": choices(trip.run("start"))[NEW]})
    done = trip.follow(step)
    assert isinstance(done, Connected)
    assert done.shop_id not in {older, connected.given["shop_id"]}


def test_two_attempts_at_once_ask_which_shop_is_whose(connected: Trip) -> None:
    first, second = connected.another_shop(), connected.another_shop()
    links = [first.run("start"), second.run("start")]
    back = [visit(step.url) for step in links if isinstance(step, Redirect)]
    asked = first.run("returned", back[0])
    assert len(choices(asked)) == 2
    done = first.run("answered", {"store": next(iter(choices(asked).values()))})
    assert isinstance(done, Connected)
    second.given["holder"] = lambda shop: (
        "sibling" if shop in {done.shop_id, connected.given["shop_id"]} else "none"
    )
    other = second.run("returned", back[1])
    assert isinstance(other, Connected)
    assert other.shop_id != done.shop_id


def test_a_shop_whose_return_was_lost_is_offered_and_not_made_twice(connected: Trip) -> None:
    trip = connected.another_shop()
    first = trip.run("start")
    assert isinstance(first, Redirect)
    visit(first.url)  # the merchant closes the tab and begins again
    shop = free(trip.run("start"))
    step = trip.follow(trip.run("answered", {"store": shop}))
    assert isinstance(step, Connected)
    assert (step.shop_id, trip.made("connections")) == (shop, 2)


def test_an_answer_carried_out_again_offers_what_was_added_meanwhile(connected: Trip) -> None:
    trip = connected.another_shop()
    trip.add_store()
    new = {"store": choices(trip.run("start"))[NEW]}
    step = trip.run("answered", new)
    assert isinstance(step, Redirect)
    visit(step.url)
    assert len(choices(trip.run("answered", new))) == 3
    assert leads_to(trip.run("answered", new)) == "process"


# -- example 3: a shop that is there -------------------------------------------------------------


def test_shops_that_are_there_are_offered_in_words(connected: Trip) -> None:
    trip = connected.another_shop()
    there = trip.add_store(status="connection.pending")
    trip.add_store(component=7)
    step = trip.run("start")
    assert isinstance(step, Ask)
    shop, new = choices(step)
    assert shop.startswith("eBay shop first seen ")
    assert shop.endswith(f", being checked by itembase, itembase ID …{there[-6:]}")
    assert (new, str(step.heading)) == (NEW, "Which eBay shop?")
    assert trip.calls("POST /selfservice/v1/tokens") == 1


def test_shops_are_told_apart_by_what_the_merchant_called_them(connected: Trip) -> None:
    trip = connected.another_shop()
    there, here = trip.add_store(), connected.given["shop_id"]
    known = {there: KnownShop(name="Lamps", address="lamps.example"), here: KnownShop(name="Sofas")}
    until = datetime(2026, 11, 12, 9, 10, tzinfo=UTC)
    trip.given |= {"known_shop": known.get, "last_used": {there: until}.get}
    trip.given["holder"] = holding(sibling=here)
    step = trip.run("start")
    assert isinstance(step, Ask)
    assert list(choices(step)) == [
        f"“Lamps”, lamps.example, connected to us until {until}", NEW,
    ]  # fmt: skip
    assert str(step.questions[0].help) == "Already connected: “Sofas”."


def test_a_shop_keeps_its_words_however_often_it_is_offered(connected: Trip) -> None:
    trip = connected.another_shop()
    trip.add_store()
    first = choices(trip.run("start"))
    trip.now += timedelta(minutes=5)
    assert choices(trip.run("answered", {"store": "made-up"})) == first


def test_a_shop_that_is_there_is_connected_without_a_second_one(connected: Trip) -> None:
    trip = connected.another_shop()
    there = trip.add_store()
    step = trip.run("answered", {"store": free(trip.run("start"))})
    assert leads_to(step) == "process"
    done = trip.follow(step)
    assert isinstance(done, Connected)
    assert (done.shop_id, trip.made("connections")) == (there, 2)
    token = trip.running.state("itembase")["tokens"][-1]
    assert (token["instance_id"], token["component_ids"]) == (there, [])


def test_who_is_not_signed_in_is_not_asked(connected: Trip) -> None:
    connected.add_store()
    assert leads_to(Trip(connected.running).run("start")) == "process"


@pytest.mark.parametrize("holder", ["other", "sibling"])
def test_a_held_shop_is_not_offered(connected: Trip, holder: str) -> None:
    trip = connected.another_shop()
    held = {trip.add_store(): holder, connected.given["shop_id"]: "sibling"}
    trip.given["holder"] = lambda shop: held.get(shop, "none")
    assert leads_to(trip.run("start")) == "process"


@pytest.mark.parametrize(
    ("holder", "code", "words"),
    [
        ("other", "held", "Another business has already connected this shop. Start again"),
        ("sibling", "held-by-you", "already connected this shop"),
    ],
)
def test_a_shop_that_was_taken_meanwhile_is_refused(
    connected: Trip, holder: str, code: str, words: str
) -> None:
    trip = connected.another_shop()
    there = trip.add_store()
    trip.run("start")
    trip.given["holder"] = holding(**{holder: there})
    with pytest.raises(Refused) as refused:
        trip.run("answered", {"store": there})
    assert (refused.value.who, refused.value.code) == ("merchant", code)
    assert words in str(refused.value.note)


def test_a_shop_taken_while_the_merchant_was_away_can_be_chosen_anew(connected: Trip) -> None:
    trip = connected.another_shop()
    there = trip.add_store()
    trip.run("start")
    step = trip.run("answered", {"store": there})
    trip.given["holder"] = holding(other=there, sibling=connected.given["shop_id"])
    with pytest.raises(Refused):
        trip.follow(step)
    assert isinstance(trip.follow(trip.run("start")), Connected)
    assert trip.made("connections") == 3


def test_a_made_up_answer_is_asked_again_and_makes_nothing(connected: Trip) -> None:
    trip = connected.another_shop()
    trip.add_store()
    trip.run("start")
    assert free(trip.run("answered", {"store": "made-up"}))
    assert trip.made("tokens") == 1


def test_a_shop_removed_before_the_answer_is_no_longer_offered(connected: Trip) -> None:
    trip = connected.another_shop()
    there = trip.add_store()
    trip.run("start")
    trip.running.change("itembase", "connections", {"id": there}, removed=True)
    assert list(choices(trip.run("answered", {"store": there}))) == [NEW]


def test_a_shop_removed_while_the_merchant_was_away_says_so(connected: Trip) -> None:
    trip = connected.another_shop()
    there = trip.add_store()
    trip.run("start")
    step = trip.run("answered", {"store": there})
    assert isinstance(step, Redirect)
    params = visit(step.url)
    trip.running.change("itembase", "connections", {"id": there}, removed=True)
    assert isinstance(trip.run("returned", params), NeedsMerchant)


def test_after_a_no_another_shop_can_be_chosen(connected: Trip) -> None:
    trip = connected.another_shop()
    trip.add_store()
    shop = free(trip.run("start"))
    step = trip.follow(trip.run("answered", {"store": shop}), "decline")
    assert isinstance(step, Declined)
    assert list(choices(trip.run("start")).values()) == [shop, "new"]


def test_an_answer_without_its_merchant_makes_no_link(connected: Trip) -> None:
    trip = connected.another_shop()
    there = trip.add_store()
    trip.run("start")
    trip.given["present"] = False
    step = trip.run("answered", {"store": there})
    assert isinstance(step, Redirect)
    assert (step.url, trip.made("tokens")) == ("", 1)


def test_a_sign_in_that_died_before_the_answer_is_renewed_by_a_hop(connected: Trip) -> None:
    trip = connected.another_shop()
    there = trip.add_store()
    trip.run("start")
    trip.sign_out()
    step = trip.run("answered", {"store": there})
    assert leads_to(step) == "v2"
    assert free(trip.follow(step)) == there


def test_the_very_shop_of_another_business_is_refused_after_a_while(connected: Trip) -> None:
    """A newcomer who added what another business has connected already."""
    held = connected.given["shop_id"]
    trip = Trip(connected.running, holder=holding(other=held))
    trip.running.fault("itembase", "GET /api/*", kind="replace", times=None, body=[
        {"id": held, "component_id": 6, "component_type": "connection", "status": None}
    ])  # fmt: skip
    assert isinstance(trip.connect(), Waiting)
    assert all(isinstance(trip.run("check"), Waiting) for _ in range(5))
    with pytest.raises(Refused) as refused:
        trip.run("check")
    assert refused.value.code == "held"
