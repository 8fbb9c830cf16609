"""Pausing, waking, ending and deleting a space at Sharespine, with and without SHARESPINE_MANAGE."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.vendors.sharespine.trip import Trip
from vendors.contract import Connected, Done, Garbled, NeedsMerchant, Redirect, Refused, Unavailable
from vendors.sandbox import Running

PUT, DELETE = "PUT /reseller/tenant/{codeName}", "DELETE /reseller/tenant/{codeName}"
NAME = "demoacme-1"


@pytest.fixture
def running(running: Running) -> Running:
    """With the tenant API switched on."""
    requests.post(f"{running.url}/sharespine/operator", data={"manage": "1"}, timeout=5)
    return running


def connected(running: Running, manage: bool = True, **order: Any) -> Trip:
    trip = Trip(running.url, manage=manage)
    trip.run(trip.vendor.start)
    trip.change(shop_id=f"{NAME}/c1", **order)
    return trip


def done(trip: Trip, call: str) -> Done:
    step = trip.run(getattr(trip.vendor, call))
    assert isinstance(step, Done)
    return step


def is_on(running: Running) -> bool:
    return bool(running.state("sharespine")["tenants"][0]["active"])


def calls(running: Running, route: str) -> int:
    return running.counts("sharespine")["calls"].get(route, 0)


@pytest.mark.parametrize("call", ["pause", "end"])
def test_with_manage_the_space_is_switched_off_and_kept(running: Running, call: str) -> None:
    trip = connected(running)
    step = done(trip, call)
    assert (step.staff_task, step.promote, is_on(running)) == ("", True, False)
    assert "has switched off data exchange" in str(step.there)
    assert trip.order.memos.account["tenant"] == NAME
    assert trip.order.memos.account["active"] is False


@pytest.mark.parametrize("call", ["pause", "end"])
def test_without_manage_staff_get_the_words_to_send(running: Running, call: str) -> None:
    step = done(connected(running, manage=False), call)
    assert f"Set the tenant {NAME} of our reseller account inactive." in step.staff_task
    assert "Our staff will ask Sharespine" in str(step.there)
    assert (is_on(running), calls(running, PUT)) == (True, 0)


@pytest.mark.parametrize("call", ["pause", "end"])
def test_a_space_that_other_shops_use_stays_on(running: Running, call: str) -> None:
    step = done(connected(running, siblings=lambda: 1), call)
    assert step.todo
    assert (step.staff_task, is_on(running), calls(running, PUT)) == ("", True, 0)


@pytest.mark.parametrize("call", ["pause", "end"])
@pytest.mark.parametrize("fault", [{"kind": "html"}, {"kind": "status", "status": 405}])
def test_where_the_switch_does_not_work_staff_have_to_ask(
    running: Running, call: str, fault: dict[str, Any]
) -> None:
    trip = connected(running)
    running.fault("sharespine", PUT, **fault)
    assert NAME in done(trip, call).staff_task


def test_a_switch_that_is_not_answered_is_pressed_again(running: Running) -> None:
    trip = connected(running)
    running.fault("sharespine", PUT, kind="reset", when="after")
    with pytest.raises(Unavailable):
        trip.vendor.pause(trip.order)
    assert done(trip, "pause").staff_task == ""


def test_before_anything_is_made_there_is_nothing_to_end(running: Running) -> None:
    trip = Trip(running.url, manage=True)
    assert "Nothing was created" in str(done(trip, "end").there)
    assert isinstance(trip.vendor.resume(trip.order), Redirect)


@pytest.mark.parametrize("call", ["pause", "end"])
def test_a_space_that_rests_is_woken_by_the_next_shop(running: Running, call: str) -> None:
    trip = connected(running)
    done(trip, call)
    trip.change(purpose="reconnect")
    assert isinstance(trip.run(trip.vendor.start), Redirect)
    assert (is_on(running), trip.order.memos.account["active"]) == (True, True)


def test_opening_a_space_that_rests_does_not_wake_it(running: Running) -> None:
    trip = connected(running)
    done(trip, "pause")
    trip.change(purpose="enter")
    assert isinstance(trip.vendor.enter(trip.order), NeedsMerchant)
    assert not is_on(running)


def test_a_woken_shop_is_connected_with_its_evidence(running: Running) -> None:
    trip = connected(running)
    rows = running.state("sharespine")["users"]
    password = next(row["password"] for row in rows if row["login"] == "api")
    trip.change(staff={"api_password": password}, purpose="resume")
    done(trip, "pause")
    step = trip.run(trip.vendor.resume)
    assert isinstance(step, Connected)
    assert (step.confirmed, step.shop_id, is_on(running)) == (True, f"{NAME}/c1", True)


def test_without_manage_staff_ask_for_the_space_to_be_switched_on(running: Running) -> None:
    trip = connected(running, manage=False)
    done(trip, "pause")
    step = done(trip, "resume")
    assert f"Set the tenant {NAME} of our reseller account active." in step.staff_task
    trip.change(siblings=lambda: 1)
    done(trip, "pause")
    assert isinstance(trip.run(trip.vendor.resume), Connected)


def test_a_space_that_staff_had_switched_off_says_so(running: Running) -> None:
    trip = connected(running, manage=False)
    done(trip, "end")
    running.change("sharespine", "tenants", {}, active=False)
    with pytest.raises(Refused, match=f"tenant {NAME} switched off") as caught:
        trip.vendor.start(trip.order)
    assert (caught.value.who, caught.value.code) == ("staff", "tenant-off")


def act(trip: Trip, **answers: str) -> Done:
    step = trip.once(lambda order: trip.vendor.act(order, "delete-tenant", answers))
    assert isinstance(step, Done)
    return step


def test_a_space_is_deleted_by_its_typed_name(running: Running) -> None:
    trip = connected(running)
    step = act(trip, code_name=NAME)
    assert (step.ends, step.account, step.promote, step.staff_task) == (True, {}, True, "")
    assert running.state("sharespine")["tenants"][0]["deleted"] is True
    trip.change(purpose="connect", shop_id="")
    assert isinstance(trip.run(trip.vendor.start), Redirect)
    assert trip.order.memos.account["tenant"] == "demoacme-2"


@pytest.mark.parametrize("typed", ["", "demoacme-2", "DEMOACME-1", f" {NAME}", "demoacme"])
def test_another_name_deletes_nothing(running: Running, typed: str) -> None:
    trip = connected(running)
    with pytest.raises(Refused) as caught:
        act(trip, code_name=typed)
    assert caught.value.who == "staff"
    assert "Nothing was deleted" in str(caught.value.note)
    assert calls(running, DELETE) == 0


def test_without_manage_a_deletion_is_words_to_send_and_can_be_told(running: Running) -> None:
    trip = connected(running, manage=False)
    step = act(trip, code_name=NAME, state="there")
    assert (step.ends, step.account, calls(running, DELETE)) == (False, None, 0)
    assert f"Delete the tenant {NAME}" in step.staff_task
    assert act(trip, code_name=NAME, state="gone").ends
    assert calls(running, DELETE) == 0


def test_a_space_that_is_not_there_counts_as_deleted(running: Running) -> None:
    trip = connected(running)
    running.change("sharespine", "tenants", {}, deleted=True)
    step = act(trip, code_name=NAME)
    assert (step.ends, step.account) == (True, {})
    assert NAME in step.staff_task


def test_a_lost_deletion_is_asked_for_again(running: Running) -> None:
    trip = connected(running)
    running.fault("sharespine", DELETE, kind="reset", when="after")
    with pytest.raises(Unavailable):
        act(trip, code_name=NAME)
    assert act(trip, code_name=NAME).ends


@pytest.mark.parametrize("fault", [{"kind": "html"}, {"kind": "status", "status": 403}])
def test_a_deletion_that_is_refused_ends_nothing(running: Running, fault: dict[str, Any]) -> None:
    trip = connected(running)
    running.fault("sharespine", DELETE, **fault)
    with pytest.raises((Refused, Garbled)):
        act(trip, code_name=NAME)


def test_a_reseller_without_the_verb_gets_the_words(running: Running) -> None:
    requests.post(f"{running.url}/sharespine/operator", data={"manage": "0"}, timeout=5)
    trip = connected(running)
    step = act(trip, code_name=NAME)
    assert (step.ends, NAME in step.staff_task) == (False, True)


def test_there_is_nothing_else_to_do(running: Running) -> None:
    trip = Trip(running.url)
    with pytest.raises(Garbled):
        trip.vendor.act(trip.order, "explode", {})
    with pytest.raises(Refused):
        act(trip, code_name="")
    (action,) = trip.vendor.actions()
    assert (action.danger, action.on, [q.key for q in action.questions]) == (
        True, "account", ["code_name", "state"],
    )  # fmt: skip
