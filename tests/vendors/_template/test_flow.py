"""What is special about this vendor: the flow against its sandbox."""

from __future__ import annotations

import pytest

from tests.vendors._template.caller import CREATE, call, press
from tests.vendors._template.trip import Trip
from vendors import sandbox
from vendors.contract import (
    Connected,
    Declined,
    NeedsMerchant,
    Progress,
    Redirect,
    Refused,
    Unavailable,
    Unsure,
)


@pytest.fixture
def trip(running: sandbox.Running) -> Trip:
    return Trip(running.url)


def leave(trip: Trip) -> str:
    step = trip.run(trip.vendor.start)
    assert isinstance(step, Redirect)
    return step.url


def shops(running: sandbox.Running) -> list[sandbox.Row]:
    return running.state("_template").get("shops", [])


def test_the_merchant_comes_back_with_our_state_and_is_connected(
    running: sandbox.Running, trip: Trip
) -> None:
    assert press(leave(trip)) == "http://localhost/return/?state=s1"
    step = trip.run(lambda order: trip.vendor.returned(order, {"state": "s1"}))
    assert isinstance(step, Connected)
    assert [row["reference"] for row in shops(running)] == [step.shop_id]


def test_a_merchant_who_declines_may_start_again_with_the_same_shop(
    running: sandbox.Running, trip: Trip
) -> None:
    press(leave(trip), "decline")
    assert isinstance(trip.run(lambda order: trip.vendor.returned(order, {})), Declined)
    press(leave(trip))
    assert isinstance(trip.run(trip.vendor.start), Connected)
    assert len(shops(running)) == 1


def test_no_link_is_made_while_nobody_waits(trip: Trip) -> None:
    trip.change(present=False)
    assert leave(trip) == ""


def test_a_shop_whose_answer_was_lost_is_found_by_our_reference(
    running: sandbox.Running, trip: Trip
) -> None:
    running.play("_template", "lost", CREATE)
    with pytest.raises(Unsure):
        trip.run(trip.vendor.start)
    trip.change(announced="", unsure="shop")
    leave(trip)
    assert len(shops(running)) == 1


def test_nothing_is_created_while_a_lost_creation_may_still_arrive(trip: Trip) -> None:
    trip.change(unsure="shop")
    with pytest.raises(Unavailable):
        trip.run(trip.vendor.start)


def test_a_revoked_shop_is_found_by_a_check(running: sandbox.Running, trip: Trip) -> None:
    press(leave(trip))
    running.change("_template", "shops", {}, status="revoked")
    assert isinstance(trip.vendor.check(trip.order), NeedsMerchant)


def test_staff_can_only_name_a_shop_with_our_reference(
    running: sandbox.Running, trip: Trip
) -> None:
    for reference in ("c1", "another"):
        call(running, "POST", "/v1/shops", {"reference": reference, "name": "Ann's"})
    ours, other = (row["id"] for row in shops(running))
    assert isinstance(trip.vendor.resolve(trip.order, ours), Progress)
    with pytest.raises(Refused):
        trip.vendor.resolve(trip.order, other)


def test_the_sandbox_demands_the_token(running: sandbox.Running) -> None:
    assert call(running, "GET", "/v1/shops", token="wrong").status_code == 401
