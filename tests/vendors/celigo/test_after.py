"""Celigo's flow once a licence is there: checks, disconnects and reconnects, against the sandbox."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.vendors.celigo.caller import SHOPIFY, call, press
from tests.vendors.celigo.trip import LICENCE, POST, Trip
from vendors.contract import Connected, Done, NeedsMerchant, Refused
from vendors.sandbox import Running


@pytest.fixture
def trip(running: Running) -> Trip:
    return Trip(running)


def test_a_check_confirms_and_makes_nothing(trip: Trip) -> None:
    trip.connected()
    step = trip.check()
    assert isinstance(step, Connected)
    assert (step.shop_id, step.expires_at is not None) == (trip.order.shop_id, True)
    assert trip.calls(POST) == 1


def test_a_check_sees_what_was_uninstalled_expired_or_deleted(trip: Trip) -> None:
    trip.connected()
    codes = [code(trip)]
    press(trip.running, trip.sign_up(), "uninstall", license=trip.order.shop_id)
    codes.append(code(trip))
    trip.passes(days=31)
    codes.append(code(trip))
    call(trip.running, "DELETE", f"/connectors/{SHOPIFY}/licenses/{trip.order.shop_id}")
    assert [*codes, code(trip)] == ["connected", "install", "expired", "licence-gone"]


def code(trip: Trip) -> str:
    step = trip.check()
    return step.code if isinstance(step, NeedsMerchant) else type(step).__name__.lower()


def test_disconnecting_ends_the_licence_now_and_keeps_all_else(trip: Trip) -> None:
    before = trip.connected().licences()[0]
    trip.passes(seconds=1)
    step = trip.end()
    assert isinstance(step, Done)
    (after,) = trip.licences()
    assert after["expires"] < before["expires"]
    assert {**after, "expires": ""} == {**before, "expires": ""}
    assert datetime.fromisoformat(after["expires"]) <= trip.order.now
    assert trip.calls(f"DELETE {LICENCE}") == 0


def test_disconnecting_twice_or_after_a_lost_answer_keeps_the_first_end(trip: Trip) -> None:
    trip.connected()
    until = trip.licences()[0]["expires"]
    trip.change(purpose="end")
    trip.once(trip.vendor.end)
    trip.vendor.end(trip.order)  # a PUT whose answer was not kept
    trip.passes(minutes=5)
    assert isinstance(trip.end(), Done)
    assert trip.calls(f"PUT {LICENCE}") == 1
    assert trip.order.memos.account["licences"]["c1"]["former"] == until


def test_reconnecting_gives_back_what_was_left(trip: Trip) -> None:
    until = trip.connected().licences()[0]["expires"]
    trip.end()
    trip.passes(days=3)
    trip.change(purpose="reconnect")
    step = trip.start()
    assert isinstance(step, Connected)
    assert (trip.licences()[0]["expires"], len(trip.licences())) == (until, 1)
    assert "former" not in trip.order.memos.account["licences"]["c1"]


def test_reconnecting_after_its_end_is_no_second_trial(trip: Trip) -> None:
    trip.connected()
    trip.end()
    trip.passes(days=31)
    trip.change(purpose="reconnect")
    step = trip.start()
    assert isinstance(step, NeedsMerchant)
    assert (step.code, len(trip.licences()), trip.calls(POST)) == ("expired", 1, 1)
    assert "Write to us" in str(step.note)


def test_a_licence_renewed_while_disconnected_is_not_shortened(trip: Trip) -> None:
    trip.connected()
    trip.end()
    later = "2031-01-01T00:00:00.000Z"
    path = f"/connectors/{SHOPIFY}/licenses/{trip.order.shop_id}"
    call(trip.running, "PUT", path, {"expires": later, "opts": {}})
    trip.change(purpose="reconnect")
    assert isinstance(trip.start(), Connected)
    assert trip.licences()[0]["expires"] == later


def test_disconnecting_before_installing_ends_the_licence_too(trip: Trip) -> None:
    trip.sign_up()
    trip.start()
    trip.passes(seconds=1)
    assert isinstance(trip.end(), Done)
    assert datetime.fromisoformat(trip.licences()[0]["expires"]) <= trip.order.now


def test_disconnecting_what_is_not_there_sends_nothing_harmful(trip: Trip) -> None:
    assert isinstance(trip.end(), Done)
    assert trip.running.counts("celigo")["calls"] == {}
    trip.change(purpose="connect")
    trip.connected()
    call(trip.running, "DELETE", f"/connectors/{SHOPIFY}/licenses/{trip.order.shop_id}")
    assert isinstance(trip.end(), Done)
    assert trip.calls(f"PUT {LICENCE}") == 0


def test_a_licence_that_another_shop_took_over_is_left_alone(trip: Trip) -> None:
    trip.connected()
    trip.held[trip.order.shop_id] = "other"
    assert isinstance(trip.end(), Done)
    assert trip.calls(f"PUT {LICENCE}") == 0
    trip.change(purpose="reconnect")
    with pytest.raises(Refused) as caught:
        trip.start()
    assert (caught.value.who, caught.value.code) == ("merchant", "held")


def test_a_licence_that_is_gone_is_not_replaced(trip: Trip) -> None:
    trip.connected()
    call(trip.running, "DELETE", f"/connectors/{SHOPIFY}/licenses/{trip.order.shop_id}")
    trip.change(purpose="reconnect")
    step = trip.start()
    assert isinstance(step, NeedsMerchant)
    assert (step.code, trip.calls(POST)) == ("licence-gone", 1)
