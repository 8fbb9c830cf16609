"""itembase: a shop that is there, but not shared with us: the activation hop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import responses

from tests.vendors.itembase.trip import Trip, first_shop, leads_to, settings
from vendors.contract import Connected, Garbled, NeedsMerchant, Redirect, Unavailable, Waiting
from vendors.itembase.client import Client
from vendors.sandbox import Running

KEYS = {"ITEMBASE_CLIENT_ID": "acme", "ITEMBASE_CLIENT_SECRET": "hush-hush"}
ACTIVATE = "https://solutionservice.itembase.com/activate"
PAGE = "https://solutionservice.itembase.com/finish/85b6"
ROUTE = "GET /solution/activate"


@pytest.fixture
def trip(running: Running) -> Trip:
    trip = Trip(running)
    trip.now = datetime.now(UTC)  # the sandbox names moments of its own clock
    return trip


def unactivated(trip: Trip) -> Redirect:
    step = trip.follow(trip.follow(trip.run("start"), "unactivated"))
    assert isinstance(step, Redirect)
    return step


def test_a_shop_that_is_not_shared_leads_to_the_activation_page(trip: Trip) -> None:
    step = unactivated(trip)
    assert leads_to(step) == "finish"
    assert step.bare
    assert step.returns
    assert step.expires_at
    assert timedelta(minutes=19) < step.expires_at - trip.now < timedelta(minutes=21)


def test_after_the_activation_the_shop_is_connected(trip: Trip) -> None:
    assert isinstance(trip.follow(unactivated(trip)), Connected)
    assert (trip.calls(ROUTE), trip.made("solutions")) == (1, 1)


def test_who_stops_at_the_activation_is_not_sent_round(trip: Trip) -> None:
    step = trip.follow(unactivated(trip), "decline")
    assert isinstance(step, NeedsMerchant)
    assert step.goes_on
    assert "Allow itembase to share your eBay shop with us." in str(step.note)
    assert step.poll_first == timedelta(seconds=15)
    assert trip.calls(ROUTE) == 1


def test_looking_again_without_the_merchant_makes_no_link(trip: Trip) -> None:
    trip.follow(unactivated(trip), "decline")
    trip.given["present"] = False
    steps = [trip.run("returned", {}) for _ in range(7)]
    assert {type(step) for step in steps} == {NeedsMerchant}
    assert trip.calls(ROUTE) == 1
    trip.given["present"] = True
    assert isinstance(trip.follow(trip.run("returned", {})), Connected)


def test_the_merchant_who_goes_on_gets_a_fresh_activation_link(trip: Trip) -> None:
    trip.follow(unactivated(trip), "decline")
    again = trip.run("returned", {})
    assert leads_to(again) == "finish"
    assert isinstance(trip.follow(again), Connected)
    assert trip.calls(ROUTE) == 2


def test_an_activation_seen_late_is_found_by_looking_again(trip: Trip) -> None:
    step = unactivated(trip)
    user = trip.running.state("itembase")["users"][0]["id"]
    row = trip.running.state("itembase")["connections"][0]
    trip.running.fault(
        "itembase", "GET /api/*", kind="replace", flow=user, body=[
            {"id": row["id"], "component_id": 6, "component_type": "connection", "status": None}
        ],
    )  # fmt: skip
    assert isinstance(trip.follow(step), Waiting)
    trip.given["present"] = False
    assert isinstance(trip.run("returned", {}), Connected)


def test_nobody_there_means_a_button_and_no_link(trip: Trip) -> None:
    step = trip.follow(trip.run("start"), "unactivated")
    trip.given["present"] = False
    waits = trip.follow(step)
    assert isinstance(waits, Redirect)
    assert (waits.url, trip.calls(ROUTE)) == ("", 0)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("connection.pending", Redirect), (None, Redirect), ("connection.broken", NeedsMerchant)],
)
def test_a_shop_is_shared_before_it_is_valid_but_mended_before_it_is_shared(
    trip: Trip, status: str | None, outcome: type
) -> None:
    step = trip.follow(trip.run("start"), "unactivated")
    trip.running.change("itembase", "connections", {}, status=status)
    assert isinstance(trip.follow(step), outcome)


def test_a_solution_of_another_kind_of_row_does_not_count(trip: Trip) -> None:
    step = trip.follow(trip.run("start"), "unactivated")
    row = trip.running.state("itembase")["connections"][0]
    rows = [
        {"id": row["id"], "component_id": 6, "component_type": "connection", "status": None},
        {"id": "x", "component_id": 77, "component_type": "brand-new-type", "status": None},
        {"id": "y", "component_id": 6, "component_type": None, "status": "connection.valid"},
    ]
    trip.running.fault("itembase", "GET /api/*", kind="replace", body=rows)
    assert leads_to(trip.follow(step)) == "finish"


def test_an_activation_that_failed_is_tried_again(trip: Trip) -> None:
    trip.running.fault("itembase", ROUTE, kind="status", status=503)
    with pytest.raises(Unavailable):
        unactivated(trip)
    trip.running.state("itembase")
    state = list(trip.memos.connection["links"])[-1]
    step = trip.run("returned", {"state": state})
    assert isinstance(trip.follow(step), Connected)


def test_a_check_finds_that_the_shop_is_no_longer_shared(trip: Trip) -> None:
    connected = first_shop(trip.running)
    connected.deactivate()
    check = connected.again(shop_id=connected.given["shop_id"], purpose="check")
    step = check.run("check")
    assert isinstance(step, NeedsMerchant)
    assert step.code == "not-shared"
    assert trip.calls(ROUTE) == 0


def test_reconnecting_shares_it_again(trip: Trip) -> None:
    connected = first_shop(trip.running)
    connected.deactivate()
    again = connected.again(shop_id=connected.given["shop_id"], purpose="reconnect")
    step = again.follow(again.run("start"), "unactivated")
    assert isinstance(again.follow(step), Connected)


# -- odd answers ---------------------------------------------------------------------------------


@pytest.fixture
def client() -> Client:
    return settings(KEYS).client()


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.mark.parametrize(
    ("given", "taken"),
    [(1800000000, 1800000000), ("1800000000", 1800000000), (None, None)],
)
def test_an_activation_link_is_read_leniently(
    client: Client, web: responses.RequestsMock, given: Any, taken: int | None
) -> None:
    web.get(ACTIVATE, json={"activation_url": PAGE, "expires_at": given, "x": {}}, status=201)
    link = client.activation("a")
    assert (link.activation_url, link.expires_at) == (PAGE, taken)


def test_an_activation_link_need_not_name_its_end(
    client: Client, web: responses.RequestsMock
) -> None:
    web.get(ACTIVATE, json={"activation_url": PAGE})
    assert client.activation("a").expires_at is None
    assert web.calls[0].request.headers["Authorization"] == "Bearer a"


@pytest.mark.parametrize("expires_at", [0, -1, 10**30, 1_000_000_000])
def test_an_absurd_end_of_an_activation_link_is_none(trip: Trip, expires_at: int) -> None:
    merge = {"expires_at": expires_at}
    trip.running.fault("itembase", ROUTE, kind="replace", merge=merge)
    assert unactivated(trip).expires_at is None


@pytest.mark.parametrize(
    "url",
    [
        "https://solutionservice.itembase.com.evil.example/finish/85b6",
        "https://evil.example/finish/85b6",
        "http://solutionservice.itembase.com/finish/85b6",
        "https://selfservice.itembase.com/finish/85b6",
        "https://solutionservice.itembase.com:8443/finish/85b6",
        "https://a:b@solutionservice.itembase.com/finish/85b6",
        "javascript:alert(1)",
        "/finish/85b6",
    ],
)
def test_an_activation_elsewhere_leads_nowhere(
    client: Client, web: responses.RequestsMock, url: str
) -> None:
    web.get(ACTIVATE, json={"activation_url": url, "expires_at": 1800000000})
    with pytest.raises(Garbled) as garbled:
        client.activation("a")
    assert "85b6" not in str(garbled.value)


@pytest.mark.parametrize(
    "answer",
    [
        {"body": "<html>busy</html>", "content_type": "text/html"},
        {"body": "", "status": 204},
        {"json": []},
        {"json": {"activation_url": None}},
        {"json": {"activation_url": PAGE, "expires_at": "soon"}},
    ],
)
def test_an_unreadable_activation_is_garbled(
    client: Client, web: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    web.get(ACTIVATE, **answer)
    with pytest.raises(Garbled):
        client.activation("a")


def test_a_shop_with_a_problem_has_a_link_to_itembase(trip: Trip) -> None:
    step = trip.follow(trip.run("start"), "attention")
    step = trip.follow(step) if isinstance(step, Redirect) else step
    assert isinstance(step, NeedsMerchant)
    assert step.code == "store-attention"
    assert step.link.endswith("/itembase/accounts")
    assert requests.get(step.link, timeout=5).ok
