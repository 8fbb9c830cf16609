"""Celigo: a lost answer to the creation of a licence ends with exactly one licence."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.celigo.caller import OTHER, SHOPIFY, desk
from tests.vendors.celigo.trip import ANN, BOB, POST, Trip
from vendors.contract import Garbled, NeedsMerchant, Progress, Refused, Unavailable, Unsure
from vendors.sandbox import Running

AFTER: list[dict[str, Any]] = [
    {"kind": "reset", "when": "after"},
    {"kind": "html"},
    {"kind": "empty"},
    {"kind": "truncated"},
    {"kind": "status", "status": 503, "when": "after"},
    {"kind": "replace", "body": "{}"},
]
BEFORE: list[dict[str, Any]] = [{"kind": "reset"}, {"kind": "status", "status": 500}]


@pytest.fixture
def trip(running: Running) -> Trip:
    trip = Trip(running)
    trip.sign_up()
    return trip


def lost(trip: Trip, **fault: Any) -> None:
    """Announced, made (or not), and never answered."""
    trip.once(trip.vendor.start)
    trip.running.fault("celigo", POST, **{"kind": "reset", "when": "after", **fault})
    with pytest.raises(Unsure) as caught:
        trip.once(trip.vendor.start)
    assert caught.value.cause == "unsure-licence"
    assert ANN.email not in caught.value.detail
    assert trip.order.unsure == "licence"


@pytest.mark.parametrize("fault", AFTER, ids=lambda fault: fault["kind"])
def test_a_licence_whose_answer_was_lost_is_found(trip: Trip, fault: dict[str, Any]) -> None:
    lost(trip, **fault)
    found = trip.once(trip.vendor.start)
    (licence,) = trip.licences()
    assert (found.connection_key, found.done) == (licence["id"], ("licence",))
    step = trip.start()
    assert isinstance(step, NeedsMerchant)
    assert (step.code, trip.calls(POST)) == ("install", 1)


@pytest.mark.parametrize("fault", BEFORE, ids=lambda fault: fault["kind"])
def test_a_licence_that_was_not_made_is_announced_and_made_anew(
    trip: Trip, fault: dict[str, Any]
) -> None:
    trip.once(trip.vendor.start)
    trip.running.fault("celigo", POST, **fault)
    with pytest.raises(Unavailable, match="may still arrive"):
        trip.start()
    trip.passes(seconds=30)
    step = trip.start()
    assert isinstance(step, NeedsMerchant)
    assert (step.code, len(trip.licences()), trip.calls(POST)) == ("install", 1, 2)


def test_a_licence_that_arrives_only_after_we_looked_for_it_is_ours(trip: Trip) -> None:
    trip.once(trip.vendor.start)
    trip.running.fault("celigo", POST, kind="reset")
    with pytest.raises(Unavailable, match="may still arrive"):
        trip.start()
    desk(trip.running, do="issue", connector=SHOPIFY, email=ANN.email)
    trip.passes(seconds=30)
    step = trip.start()
    assert isinstance(step, NeedsMerchant)
    assert (step.code, len(trip.licences()), trip.calls(POST)) == ("install", 1, 1)


def test_what_others_got_meanwhile_is_not_ours(trip: Trip) -> None:
    lost(trip)
    for connector, email in ((OTHER, ANN.email), (SHOPIFY, BOB)):
        desk(trip.running, do="issue", connector=connector, email=email)
    first = trip.licences()[0]["id"]
    assert trip.once(trip.vendor.start).connection_key == first


def test_a_new_one_that_another_shop_holds_is_not_ours(trip: Trip) -> None:
    lost(trip)
    desk(trip.running, do="issue", connector=SHOPIFY, email=ANN.email)
    ours, theirs = (licence["id"] for licence in trip.licences())
    trip.held[theirs] = "other"
    assert trip.once(trip.vendor.start).connection_key == ours


def several(trip: Trip) -> list[str]:
    lost(trip)
    desk(trip.running, do="issue", connector=SHOPIFY, email=ANN.email)
    with pytest.raises(Unsure) as caught:
        trip.once(trip.vendor.start)
    ids = [licence["id"] for licence in trip.licences()]
    assert all(id in caught.value.detail for id in ids)
    return ids


def test_of_several_staff_name_the_one(trip: Trip) -> None:
    ids = several(trip)
    step = trip.once(trip.vendor.resolve, ids[0])
    assert (step.connection_key, step.promote) == (ids[0], True)
    assert isinstance(trip.start(), NeedsMerchant)
    assert trip.order.memos.account["licences"]["c1"]["id"] == ids[0]


def test_what_staff_name_must_be_able_to_be_ours(trip: Trip) -> None:
    ids = several(trip)
    desk(trip.running, do="issue", connector=SHOPIFY, email=BOB)
    trip.held[ids[1]] = "other"
    for wrong in (ids[1], trip.licences()[-1]["id"], "f" * 24, "../..", ""):
        with pytest.raises(Refused) as caught:
            trip.vendor.resolve(trip.order, wrong)
        assert (caught.value.who, caught.value.note is not None) == ("staff", True)


def test_staff_may_say_that_none_was_made(trip: Trip) -> None:
    trip.once(trip.vendor.start)
    trip.change(announced="", unsure="licence")
    step = trip.once(trip.vendor.resolve, None)
    assert isinstance(step, Progress)
    assert isinstance(trip.start(), NeedsMerchant)
    assert len(trip.licences()) == 1


def test_nothing_else_is_ever_unsure(trip: Trip) -> None:
    trip.change(unsure="tenant")
    with pytest.raises(Garbled, match="tenant"):
        trip.vendor.resolve(trip.order, None)


def test_another_address_after_a_lost_answer_gets_no_second_licence(trip: Trip) -> None:
    trip.change(emails=lambda: (ANN.email, BOB))
    trip.sign_up(BOB)
    trip.once(trip.vendor.answered, {"email": ANN.email})
    trip.running.fault("celigo", POST, kind="reset", when="after")
    with pytest.raises(Unsure):
        trip.once(trip.vendor.answered, {"email": ANN.email})
    trip.run(trip.vendor.answered, {"email": BOB})
    assert [licence["email"] for licence in trip.licences()] == [ANN.email]


def test_without_a_look_nothing_is_announced(trip: Trip) -> None:
    trip.running.fault("celigo", f"GET {POST[5:]}", kind="status", status=503)
    with pytest.raises(Unavailable):
        trip.start()
    assert (trip.order.announced, trip.calls(POST)) == ("", 0)


def test_a_look_that_fails_after_a_lost_answer_leaves_the_doubt(trip: Trip) -> None:
    lost(trip)
    trip.running.fault("celigo", f"GET {POST[5:]}", kind="status", status=503)
    with pytest.raises(Unavailable):
        trip.once(trip.vendor.start)
    assert trip.order.unsure == "licence"
    assert isinstance(trip.start(), NeedsMerchant)
    assert len(trip.licences()) == 1


def test_too_many_requests_made_nothing(trip: Trip) -> None:
    trip.once(trip.vendor.start)
    desk(trip.running, rate_limit="once")
    with pytest.raises(Unavailable) as caught:
        trip.once(trip.vendor.start)
    assert caught.value.retry_after == 2
    assert trip.licences() == []
