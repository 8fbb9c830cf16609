"""With the password of its API user, Sharespine itself says whether a shop is connected."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
import requests

from tests.vendors.sharespine.trip import Trip
from vendors.contract import Connected, Redirect, Refused, Unavailable
from vendors.sandbox import Running

ROOT, ORDERS = "GET /api/", "GET /api/order"


@pytest.fixture
def trip(running: Running) -> Trip:
    """Everything is made, and staff have entered the password."""
    trip = Trip(running.url)
    trip.run(trip.vendor.start)
    (row,) = [row for row in running.state("sharespine")["users"] if row["login"] == "api"]
    trip.change(staff={"api_password": row["password"]}, shop_id="demoacme-1/c1")
    return trip


def check(trip: Trip) -> Connected:
    trip.change(purpose="check", present=False, now=datetime.now(UTC))
    step = trip.once(trip.vendor.check)
    assert isinstance(step, Connected)
    return step


def place_orders(trip: Trip, number: int = 1) -> None:
    """By hand, on the page that a login URL opens."""
    trip.change(present=True)
    with requests.Session() as browser:
        door = trip.vendor.start(trip.order)
        assert isinstance(door, Redirect)
        wizard = browser.get(door.url, timeout=5)
        for _ in range(number):
            assert browser.post(wizard.url, data={"case": "order"}, timeout=5).ok


def test_sharespine_confirms_what_the_merchant_said(trip: Trip) -> None:
    step = trip.once(lambda order: trip.vendor.returned(order, {}))
    assert isinstance(step, Connected)
    assert (step.confirmed, step.shop_id) == (True, "demoacme-1/c1")
    assert str(step.evidence) == "Sharespine confirms the connection. No orders yet."


def test_without_the_password_it_rests_on_the_merchants_word(trip: Trip) -> None:
    for staff in ({}, {"api_password": ""}):
        trip.change(staff=staff)
        step = check(trip)
        assert (step.confirmed, "You marked" in str(step.evidence)) == (False, True)


def test_orders_are_counted_once_and_dated(running: Running, trip: Trip) -> None:
    place_orders(trip, 2)
    for _ in range(3):
        step = check(trip)
        assert step.evidence.params["count"] == "2"
    newest = running.state("sharespine")["orders"][-1]["lastModified"]
    assert step.evidence.params["time"] == datetime.fromisoformat(newest)
    place_orders(trip)
    assert check(trip).evidence.params["count"] == "3"


def test_an_order_that_changed_is_the_same_order(running: Running, trip: Trip) -> None:
    place_orders(trip)
    check(trip)
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=5)
    running.change("sharespine", "orders", {}, lastModified=f"{later:%Y-%m-%dT%H:%M:%SZ}")
    assert check(trip).evidence.params == {"count": "1", "time": later}


def test_only_what_changed_since_the_last_look_is_asked_for(running: Running, trip: Trip) -> None:
    place_orders(trip)
    yesterday = datetime.now(UTC) - timedelta(days=2)
    running.change("sharespine", "orders", {}, lastModified=f"{yesterday:%Y-%m-%dT%H:%M:%SZ}")
    assert "No orders yet" in str(check(trip).evidence)


def test_nothing_of_an_order_is_kept_or_logged(
    trip: Trip, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="vendors.http.api")
    place_orders(trip)
    kept = repr((check(trip).account, caplog.text))
    order = running.state("sharespine")["orders"][0]
    password = trip.order.staff["api_password"]
    assert not any(
        word in kept for word in (order["id"], order["buyer"], password, "80"[:0] or "?")
    )
    assert repr(trip.order).count(password) == 0


@pytest.mark.parametrize("status", [401, 403])
def test_a_closed_door_is_staffs_turn(running: Running, trip: Trip, status: int) -> None:
    running.fault("sharespine", ROOT, kind="status", status=status)
    with pytest.raises(Refused, match="the tenant demoacme-1") as caught:
        check(trip)
    assert (caught.value.who, caught.value.cause) == ("staff", "api-password")


@pytest.mark.parametrize("kind", ["tenants", "connections"])
def test_what_is_not_active_is_staffs_turn(running: Running, trip: Trip, kind: str) -> None:
    running.change("sharespine", kind, {}, active=False)
    with pytest.raises(Refused) as caught:
        check(trip)
    assert (caught.value.who, caught.value.status) == ("staff", 403)


def test_a_wrong_password_is_staffs_turn(trip: Trip) -> None:
    trip.change(staff={"api_password": "wrong"})
    with pytest.raises(Refused) as caught:
        trip.vendor.returned(trip.order, {})
    assert (caught.value.cause, caught.value.status) == ("api-password", 401)


@pytest.mark.parametrize("kind", ["reset", "status", "truncated"])
def test_a_silent_root_says_nothing(running: Running, trip: Trip, kind: str) -> None:
    running.fault("sharespine", ROOT, kind=kind, times=None)
    with pytest.raises(Unavailable):
        check(trip)


@pytest.mark.parametrize("kind", ["reset", "status", "truncated", "html", "empty"])
def test_orders_that_do_not_come_unsettle_nothing(running: Running, trip: Trip, kind: str) -> None:
    running.fault("sharespine", ORDERS, kind=kind, times=None)
    assert "could not read its orders" in str(check(trip).evidence)
    running.clear()
    place_orders(trip)
    assert check(trip).evidence.params["count"] == "1"
    running.fault("sharespine", ORDERS, kind=kind, times=None)
    assert check(trip).evidence.params["count"] == "1"
