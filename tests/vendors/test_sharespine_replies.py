"""Sharespine's flow without a server: odd replies of one call, and what asks nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from tests.vendors.sharespine_trip import Trip
from vendors.contract import Connected, Done, Garbled, Memos, Progress, Redirect, Refused, Unsure

MEMO = {"tenant": "acme-1", "users": {"7": "u-7"}, "api_user": "api", "connection": "c0ffee"}
API = "https://api.plugboard.example"
DOOR = "https://my.test.plugboard.io/_tokenlogin/u-7/xyz"


def ready(manage: bool = False, **order: Any) -> Trip:
    """A trip of a merchant for whom everything is made."""
    trip = Trip("http://127.0.0.1:9", api_url=API, login_hosts=(".plugboard.io",), manage=manage)
    trip.change(memos=Memos(account=MEMO), **order)
    return trip


@pytest.mark.parametrize(
    ("key", "found"),
    [("tenant", "../x"), ("tenant", "taken"), ("user", "u-8"), ("api_user", "u-7")],
)
def test_an_id_that_cannot_be_ours_is_not_taken(key: str, found: str) -> None:
    trip = ready(unsure=key, holder=lambda there: "other" if there == "taken" else "none")
    with pytest.raises(Refused) as caught:
        trip.vendor.resolve(trip.order, found)
    assert caught.value.who == "staff"
    assert caught.value.note


def test_finished_before_anything_is_made_is_not_connected() -> None:
    trip = ready()
    trip.change(memos=Memos(account={"tenant": "acme-1"}))
    step = trip.vendor.returned(trip.order, {})
    assert isinstance(step, Redirect)
    assert step.url == ""


def test_a_check_asks_nothing_and_promises_nothing() -> None:
    trip = ready(purpose="check", present=False)
    assert isinstance(trip.vendor.check(trip.order), Redirect)
    trip.change(shop="acme-1/c1")
    step = trip.vendor.check(trip.order)
    assert isinstance(step, Connected)
    assert (step.shop, step.confirmed) == ("acme-1/c1", False)
    trip.change(purpose="reconnect")
    assert isinstance(trip.vendor.check(trip.order), Redirect)


def opened(**reply: Any) -> Redirect:
    with responses.RequestsMock() as mock:
        mock.add(responses.POST, f"{API}/reseller/tenant/acme-1/login/u-7", **reply)
        trip = ready(now=datetime(2026, 1, 1, tzinfo=UTC))
        step = trip.vendor.start(trip.order)
    assert isinstance(step, Redirect)
    return step


@pytest.mark.parametrize(
    "url",
    [
        "https://my.plugboard.io.evil.example/_tokenlogin/u-7/x",
        "http://my.plugboard.io/_tokenlogin/u-7/x",
        "https://ann@my.plugboard.io/_tokenlogin/u-7/x",
        "javascript:alert(1)//my.plugboard.io/",
        "//my.plugboard.io/x",
        "https://my.plugboard.io\\@evil.example/x",
        f"{DOOR})",
        f" {DOOR}",
    ],
)
def test_a_login_url_that_may_not_be_followed_is_garbled(url: str) -> None:
    with pytest.raises(Garbled, match="SHARESPINE_LOGIN_HOSTS") as caught:
        opened(json={"loginUrl": url})
    assert url not in str(caught.value)


@pytest.mark.parametrize("reply", [{"body": "<html>"}, {"status": 204}, {"json": {"path": "/"}}])
def test_a_login_url_that_cannot_be_read_is_garbled(reply: dict[str, Any]) -> None:
    with pytest.raises(Garbled):
        opened(**reply)


def test_the_end_of_a_link_is_read_as_utc() -> None:
    step = opened(json={"path": "/", "loginUrl": DOOR, "expires": "2026-04-04T13:57:16Z", "x": 1})
    assert step.url == DOOR
    assert step.expires == datetime(2026, 4, 4, 13, 57, 16, tzinfo=UTC)


@pytest.mark.parametrize("expires", [None, "", "soon", 1700000000, "2020-01-01T00:00:00Z"])
def test_a_link_without_a_sensible_end_is_good_all_the_same(expires: Any) -> None:
    assert opened(json={"loginUrl": DOOR, "expires": expires}).expires is None


def created(memo: dict[str, Any], key: str, path: str, **reply: Any) -> Any:
    with responses.RequestsMock() as mock:
        mock.add(responses.POST, f"{API}/reseller/tenant{path}", **reply)
        trip = ready(announced=key, holder=lambda there: "other" if there == "theirs" else "none")
        trip.change(memos=Memos(account=memo))
        return trip.vendor.start(trip.order)


def test_numbers_are_taken_for_ids() -> None:
    assert created({}, "tenant", "", json={"codeName": 12}).account == {"tenant": "12"}


@pytest.mark.parametrize(
    ("memo", "key", "path", "reply"),
    [
        ({}, "tenant", "", {"json": {"codeName": "theirs"}}),
        ({}, "tenant", "", {"json": {"codeName": ""}}),
        ({}, "tenant", "", {"status": 204}),
        ({"tenant": "t"}, "user", "/t/user", {"json": {"login": "u-8"}}),
        ({"tenant": "t"}, "user", "/t/user", {"json": {}}),
    ],
)
def test_an_odd_answer_after_a_creation_is_unsure(
    memo: dict[str, Any], key: str, path: str, reply: dict[str, Any]
) -> None:
    with pytest.raises(Unsure) as caught:
        created(memo, key, path, **reply)
    assert caught.value.cause == f"unsure-{key}"


def test_disconnecting_leaves_the_words_to_send_to_sharespine() -> None:
    trip = ready(purpose="end")
    step = trip.vendor.end(trip.order)
    assert isinstance(step, Done)
    assert "acme-1" in step.staff_task
    trip.change(siblings=1)
    step = trip.vendor.end(trip.order)
    assert isinstance(step, Done)
    assert (step.staff_task, step.todo is not None) == ("", True)


def switched(trip: Trip, status: int) -> tuple[Done, Any]:
    with responses.RequestsMock() as mock:
        mock.add(responses.PUT, f"{API}/reseller/tenant/acme-1", status=status)
        step = trip.once(trip.vendor.end)
        assert isinstance(step, Done)
        return step, mock.calls[0].request.body


def test_with_manage_the_space_is_switched_off_and_on_again() -> None:
    trip = ready(manage=True)
    step, body = switched(trip, 200)
    assert (body, step.staff_task) == (b'{"active": false}', "")
    with responses.RequestsMock() as mock:
        mock.add(responses.PUT, f"{API}/reseller/tenant/acme-1", status=204)
        assert isinstance(trip.once(trip.vendor.start), Progress)
        assert mock.calls[0].request.body == b'{"active": true}'
    assert trip.order.memos.account["active"] is True


def test_a_refused_switch_leaves_the_words_to_send() -> None:
    trip = ready(manage=True)
    step, _ = switched(trip, 405)
    assert "acme-1" in step.staff_task
