"""A sign-in of their own for every member who opens Sharespine's pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.vendors.sharespine.trip import BOB, Trip
from vendors.contract import Order, Progress, Redirect, Refused, Step, Unsure
from vendors.sandbox import Running

USER = "POST /reseller/tenant/{codeName}/user"
MADE = {"tenants": 1, "users": 3, "connections": 1}


@pytest.fixture
def trip(running: Running) -> Trip:
    """Ann has connected a shop; now Bob is there."""
    trip = Trip(running.url)
    trip.run(trip.vendor.start)
    trip.steps.clear()
    trip.change(user=lambda: BOB, shop_id="demoacme-1/c1")
    return trip


def call(trip: Trip, purpose: str) -> Callable[[Order], Step]:
    return trip.vendor.enter if purpose == "enter" else trip.vendor.start


def made(running: Running) -> dict[str, int]:
    counted = running.counts("sharespine")["made"]
    return {kind: counted[kind] for kind in MADE}


@pytest.mark.parametrize("purpose", ["enter", "reconnect", "connect"])
def test_a_second_member_is_announced_made_and_let_in(
    running: Running, trip: Trip, purpose: str
) -> None:
    trip.change(purpose=purpose)
    step = trip.run(call(trip, purpose))
    announced, done = trip.steps[:2]
    assert isinstance(announced, Progress)
    assert (announced.announce, done.done, done.promote) == ("user", ("user",), True)
    assert isinstance(step, Redirect)
    assert "/u-8/" in step.url
    assert made(running) == MADE
    assert running.state("sharespine")["logins"][-1]["login"] == "u-8"


def test_whoever_has_a_sign_in_gets_no_second_one(running: Running, trip: Trip) -> None:
    trip.run(trip.vendor.enter)
    assert isinstance(trip.vendor.enter(trip.order), Redirect)
    assert made(running) == MADE


@pytest.mark.parametrize("purpose", ["enter", "reconnect", "connect"])
def test_a_lost_sign_in_of_a_second_member_is_looked_for(
    running: Running, trip: Trip, purpose: str
) -> None:
    trip.change(purpose=purpose)
    running.fault("sharespine", USER, kind="reset", when="after")
    with pytest.raises(Unsure, match="login u-8 in the tenant demoacme-1"):
        trip.run(call(trip, purpose))
    trip.change(unsure="user")
    for wrong in ("u-7", "api"):
        with pytest.raises(Refused):
            trip.vendor.resolve(trip.order, wrong)
    trip.once(lambda order: trip.vendor.resolve(order, "u-8"))
    trip.change(unsure="")
    assert isinstance(trip.run(call(trip, purpose)), Redirect)
    assert made(running) == MADE


def test_a_second_member_goes_on_where_the_first_one_stopped(running: Running) -> None:
    trip = Trip(running.url)
    while "user" not in trip.ticks():
        trip.once(trip.vendor.start)
    trip.change(user=lambda: BOB)
    assert isinstance(trip.run(trip.vendor.start), Redirect)
    assert trip.ticks() == ["tenant", "user", "user", "api_user", "connection"]
    assert made(running) == MADE


def test_for_a_member_who_is_not_there_no_link_is_minted(running: Running, trip: Trip) -> None:
    before = running.counts("sharespine")["made"]["logins"]
    trip.change(present=False, purpose="enter")
    step = trip.run(trip.vendor.enter)
    assert isinstance(step, Redirect)
    assert step.url == ""
    assert running.counts("sharespine")["made"]["logins"] == before
