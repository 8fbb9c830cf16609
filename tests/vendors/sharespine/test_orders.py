"""Odd answers of Sharespine's Tenant API, one call at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses
from responses import matchers

from tests.vendors.sharespine.trip import Trip
from vendors.contract import Connected, Garbled, Memos, Refused
from vendors.sharespine import evidence

API = "https://api.plugboard.example"
MEMO = {"tenant": "acme-1", "users": {"7": "u-7"}, "api_user": "api", "connection": "c0ffee"}
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
READ, UNREAD = "Orders so far", "could not read its orders"


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def trip() -> Trip:
    trip = Trip("http://127.0.0.1:9", api_url=API)
    trip.change(memos=Memos(account=MEMO), staff={"api_password": "pässword"}, now=NOW)
    trip.change(purpose="check", present=False, shop_id="acme-1/c1")
    return trip


def check(trip: Trip, web: responses.RequestsMock, orders: Any = (), root: Any = None) -> Connected:
    """A check with this root and this list of orders (a dict: the whole reply)."""
    web.add(responses.GET, f"{API}/api/", **(root or {"json": {"id": "c0ffee", "new": [1]}}))
    reply = orders if isinstance(orders, dict) else {"json": list(orders)}
    web.add(responses.GET, f"{API}/api/order", **reply)
    step = trip.once(trip.vendor.check)
    web.reset()
    assert isinstance(step, Connected)
    return step


def order(id: Any = "0a", at: Any = "2026-11-21T10:00:00Z", **more: Any) -> dict[str, Any]:
    return {"localId": id, "lastModified": at, "href": f"/api/order/{id}", **more}


def test_the_call_carries_what_the_tenant_api_demands(
    trip: Trip, web: responses.RequestsMock
) -> None:
    headers = {"X-Tenant": "acme-1", "X-ConnectionId": "c0ffee"}
    match = [matchers.header_matcher(headers)]
    since = matchers.query_param_matcher({"modifiedAtOrAfter": "2026-11-20T12:00:00Z"})
    web.add(responses.GET, f"{API}/api/", json={}, match=match)
    web.add(responses.GET, f"{API}/api/order", json=[], match=[*match, since])
    assert isinstance(trip.vendor.check(trip.order), Connected)
    sent = [call.request for call in web.calls]
    assert all("@" in each.headers["User-Agent"] and each.body is None for each in sent)
    assert all("X-Reseller" not in each.headers for each in sent)


@pytest.mark.parametrize(
    "root",
    [
        {"body": "<html>"},
        {"status": 204},
        {"json": []},
        {"json": "yes"},
        {"status": 302, "headers": {"Location": "https://evil.example/"}},
    ],
)
def test_a_root_that_cannot_be_read_confirms_nothing(
    trip: Trip, web: responses.RequestsMock, root: dict[str, Any]
) -> None:
    with pytest.raises(Garbled):
        check(trip, web, root=root)


@pytest.mark.parametrize("active", [False, "false", 0])
def test_a_root_that_says_inactive_is_staffs_turn(
    trip: Trip, web: responses.RequestsMock, active: Any
) -> None:
    with pytest.raises(Refused) as caught:
        check(trip, web, root={"json": {"active": active}})
    assert (caught.value.who, caught.value.code) == ("staff", "inactive")


@pytest.mark.parametrize("active", [True, "true", None, 1, {"state": "off"}])
def test_whatever_else_a_root_says_confirms_it(
    trip: Trip, web: responses.RequestsMock, active: Any
) -> None:
    assert check(trip, web, root={"json": {"active": active}}).confirmed


@pytest.mark.parametrize(
    "odd",
    [
        None, 7, "order", [], {}, order(id=None), order(id=""), order(at=None), order(at="soon"),
        order(at={}), order(at="9999-12-31T23:59:59Z"), order(at="0001-01-01T00:00:00+14:00"),
        order(at="2026-11-20T11:59:59Z"), {"lastModified": "2026-11-21T10:00:00Z"},
    ],
)  # fmt: skip
def test_an_odd_row_is_left_out(trip: Trip, web: responses.RequestsMock, odd: Any) -> None:
    step = check(trip, web, [odd, order("good"), odd])
    assert step.evidence.params == {"count": "1", "time": NOW - timedelta(hours=2)}


@pytest.mark.parametrize(
    "at",
    [
        "2026-11-21T10:00:00", "2026-11-21T11:00:00.000+0100", "2026-11-21T10:00:00.000Z",
        1795255200, "1795255200",
    ],
)  # fmt: skip
def test_a_time_is_read_however_it_is_written(
    trip: Trip, web: responses.RequestsMock, at: Any
) -> None:
    assert check(trip, web, [order(12, at)]).evidence.params["time"] == NOW - timedelta(hours=2)
    assert check(trip, web, [order("12", at)]).evidence.params["count"] == "1"


@pytest.mark.parametrize(
    "reply", [{"body": "<html>"}, {"json": {"orders": []}}, {"status": 403}, {"status": 500}]
)
def test_a_list_that_cannot_be_read_unsettles_nothing(
    trip: Trip, web: responses.RequestsMock, reply: dict[str, Any]
) -> None:
    step = check(trip, web, reply)
    assert (step.confirmed, UNREAD in str(step.evidence)) == (True, True)


def test_no_content_is_no_orders(trip: Trip, web: responses.RequestsMock) -> None:
    assert "No orders yet" in str(check(trip, web, {"status": 204}).evidence)


def test_a_list_that_is_too_long_is_asked_for_again_and_shorter(
    trip: Trip, web: responses.RequestsMock
) -> None:
    web.add(responses.GET, f"{API}/api/", json={})
    web.add(responses.GET, f"{API}/api/order", body=json.dumps([order(note="x" * 8_000_001)]))
    web.add(responses.GET, f"{API}/api/order", json=[order(at="2026-11-21T11:30:00Z")])
    step = trip.once(trip.vendor.check)
    assert isinstance(step, Connected)
    assert step.evidence.params["count"] == "1"
    assert "2026-11-21T11%3A00%3A00Z" in str(web.calls[2].request.url)


def test_a_list_that_is_always_too_long_never_breaks_a_check(
    trip: Trip, web: responses.RequestsMock
) -> None:
    for hours in (0, 24, 48):
        trip.change(now=NOW + timedelta(hours=hours))
        assert UNREAD in str(check(trip, web, {"body": "[" * 8_000_001}).evidence)
    assert trip.order.memos.account["orders"]["cursor"] == "2026-11-23T11:00:00Z"


def test_what_is_kept_stays_small(trip: Trip, web: responses.RequestsMock) -> None:
    for hour in range(1, 4):
        trip.change(now=NOW + timedelta(hours=hour))
        at = f"{NOW + timedelta(hours=hour):%Y-%m-%dT%H:%M:%SZ}"
        check(trip, web, [order(f"{hour}-{number}", at) for number in range(700)])
    kept = trip.order.memos.account["orders"]
    assert (kept["count"], len(kept["known"])) == (2100, evidence.KNOWN)


def test_more_orders_at_one_moment_than_we_remember_count_once(
    trip: Trip, web: responses.RequestsMock
) -> None:
    rows = [order(str(number)) for number in range(evidence.KNOWN + 5)]
    for _ in range(3):
        step = check(trip, web, rows)
    assert step.evidence.params["count"] == str(evidence.KNOWN + 5)


def test_an_id_that_cannot_stand_in_a_header_is_not_sent(
    trip: Trip, web: responses.RequestsMock
) -> None:
    for tenant in ("a\r\nX-Tenant: b", "żółw"):
        trip.change(memos=Memos(account={**MEMO, "tenant": tenant}))
        with pytest.raises(Garbled):
            trip.vendor.check(trip.order)
    assert not web.calls
