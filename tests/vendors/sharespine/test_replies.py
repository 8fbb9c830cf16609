"""Sharespine's flow without a server: odd replies of one call, and what asks nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from tests.vendors.sharespine.trip import Trip
from vendors.contract import Connected, Done, Garbled, Memos, Redirect, Refused, StartOver, Unsure

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
    assert isinstance(step, StartOver)
    assert "not ready yet" in str(step.note)


def test_a_check_asks_nothing_and_promises_nothing() -> None:
    trip = ready(purpose="check", present=False)
    assert isinstance(trip.vendor.check(trip.order), Redirect)
    trip.change(shop_id="acme-1/c1")
    step = trip.vendor.check(trip.order)
    assert isinstance(step, Connected)
    assert (step.shop_id, step.confirmed) == ("acme-1/c1", False)
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
    assert step.expires_at == datetime(2026, 4, 4, 13, 57, 16, tzinfo=UTC)


@pytest.mark.parametrize("expires", [None, "", "soon", 1700000000, "2020-01-01T00:00:00Z"])
def test_a_link_without_a_sensible_end_is_good_all_the_same(expires: Any) -> None:
    assert opened(json={"loginUrl": DOOR, "expires": expires}).expires_at is None


def created(memo: dict[str, Any], key: str, path: str, **reply: Any) -> Any:
    with responses.RequestsMock() as mock:
        mock.add(responses.POST, f"{API}/reseller/tenant{path}", **reply)
        trip = ready(announced=key, holder=lambda there: "other" if there == "theirs" else "none")
        trip.change(memos=Memos(account=memo))
        return trip.vendor.start(trip.order)


@pytest.mark.parametrize(
    ("memo", "key", "path", "reply", "after"),
    [
        ({}, "tenant", "", {"codeName": 12}, {"tenant": "12"}),
        ({"tenant": "t"}, "connection", "/t/connection", {"id": 7}, {"connection": "7"}),
        ({"tenant": "t"}, "user", "/t/user", {"login": "u-7"}, {"users": {"7": "u-7"}}),
    ],
)
def test_numbers_are_taken_for_ids_and_more_than_we_know_is_ignored(
    memo: dict[str, Any], key: str, path: str, reply: dict[str, Any], after: dict[str, Any]
) -> None:
    full = {"tenant": "t", "users": {"7": "u-7"}, "api_user": "api", "connection": "c"}
    known = memo if key != "connection" else {**full, "connection": ""}
    made = created(known, key, path, json={**reply, "new": {"in": ["2031"]}, "id_": 1})
    assert made.account == {**known, **after}


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


@pytest.mark.parametrize(
    ("reply", "works"),
    [
        ({"status": 204}, True),
        ({"json": {"codeName": "acme-1", "active": False, "new": 1}}, True),
        ({"json": {"codeName": "acme-1"}}, True),
        ({"json": {"codeName": "acme-1", "active": "false"}}, True),
        ({"json": {"codeName": "acme-1", "active": True}}, False),
        ({"body": "<html>"}, False),
        ({"body": ""}, False),
        ({"json": ["Error"]}, False),
        ({"status": 302, "headers": {"Location": "https://evil.example/"}}, False),
        ({"status": 404}, False),
    ],
)
def test_only_the_record_or_silence_says_that_a_space_is_off(
    reply: dict[str, Any], works: bool
) -> None:
    trip = ready(manage=True)
    with responses.RequestsMock() as mock:
        mock.add(responses.PUT, f"{API}/reseller/tenant/acme-1", **reply)
        step = trip.vendor.pause(trip.order)
        assert mock.calls[0].request.body == b'{"active": false}'
    assert isinstance(step, Done)
    assert (step.staff_task == "") == works
