"""itembase: from the first link to a connected shop, against the sandbox over real HTTP."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.vendors.itembase.trip import BACK, NOON, Trip, settings, visit
from vendors import sandbox
from vendors.contract import (
    Ask,
    Connected,
    Declined,
    Done,
    NeedsMerchant,
    Redirect,
    Refused,
    Waiting,
)
from vendors.http.urls import allowed


@pytest.fixture
def trip(running: sandbox.Running) -> Trip:
    return Trip(running)


def link(step: object) -> str:
    assert isinstance(step, Redirect)
    return step.url


def query(step: object) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(link(step)).query).items()}


def test_no_link_is_made_without_a_merchant(running: sandbox.Running) -> None:
    step = Trip(running, present=False).run("start")
    assert isinstance(step, Redirect)
    assert step.url == ""
    assert running.counts("itembase")["calls"] == {}


def test_the_first_link_leads_to_the_process_page_and_back_with_our_state(trip: Trip) -> None:
    step = trip.run("start")
    assert isinstance(step, Redirect)
    assert step.returns
    assert step.expires_at == NOON + timedelta(seconds=1200)
    assert query(step) == {"redirect_uri": f"{BACK}?state=state-1"}
    assert allowed(step.url, trip.vendor.domains())


def test_after_the_process_page_comes_oauth_with_the_bare_address(trip: Trip) -> None:
    step = trip.follow(trip.run("start"))
    asked = query(step)
    assert asked["redirect_uri"] == BACK
    assert asked["state"] == "state-2"
    assert asked["response_type"] == "code"
    assert asked["scope"] == "user.minimal user.instances.read user.instances.write"


def test_a_new_merchant_connects_a_shop(trip: Trip) -> None:
    step = trip.connect()
    assert isinstance(step, Connected)
    shop = trip.running.state("itembase")["connections"][0]
    assert step.shop_id == shop["id"]
    assert str(step.evidence) == "itembase confirms that your eBay shop is connected."
    assert trip.account_key == shop["user"]
    assert trip.memos.connection == {"instance": shop["id"]}


def test_the_code_is_exchanged_once_and_by_the_documented_get(trip: Trip) -> None:
    trip.connect()
    assert trip.calls("GET /accounts/oauth/v2/token") == 1
    assert trip.calls("POST /accounts/oauth/v2/token") == 0


def test_the_code_can_be_exchanged_by_a_form(trip: Trip) -> None:
    environ = sandbox.environ(trip.running.url, "itembase")
    trip.vendor = settings(environ, token_method="POST")
    assert isinstance(trip.connect(), Connected)
    assert trip.calls("POST /accounts/oauth/v2/token") == 1


def test_tokens_are_not_promoted_before_their_user_is_known(trip: Trip) -> None:
    params = visit(link(trip.follow(trip.run("start"))))
    first = trip.once("returned", params)
    assert not first.promote
    assert "access" in trip.memos.account
    assert trip.live.account == {}
    second = trip.once("returned", params)
    assert second.promote
    assert second.account_key == trip.live.account["user"]


def test_a_return_repeated_after_a_kill_does_not_spend_the_code_again(trip: Trip) -> None:
    params = visit(link(trip.follow(trip.run("start"))))
    trip.once("returned", params)
    assert isinstance(trip.run("returned", params), Connected)
    assert trip.calls("GET /accounts/oauth/v2/token") == 1


def test_a_return_to_an_older_tab_of_the_attempt_is_ours(trip: Trip) -> None:
    older = trip.run("start")
    assert isinstance(trip.run("start"), Redirect)
    assert query(trip.follow(older))["response_type"] == "code"


def test_each_tab_must_bring_back_the_token_of_its_own_link(trip: Trip) -> None:
    older, newer = visit(link(trip.run("start"))), visit(link(trip.run("start")))
    with pytest.raises(Refused):
        trip.run("returned", {**older, "ibsstoken": newer["ibsstoken"]})


@pytest.mark.parametrize("name", ["ibsstoken", "token"])
def test_a_foreign_token_is_not_believed(trip: Trip, name: str) -> None:
    state = query(trip.run("start"))["redirect_uri"].partition("state=")[2]
    with pytest.raises(Refused) as refused:
        trip.run("returned", {"state": state, name: "0" * 40})
    assert (refused.value.who, refused.value.code) == ("merchant", "token-mismatch")


def test_the_older_name_of_the_token_is_understood(trip: Trip) -> None:
    params = visit(link(trip.run("start")))
    params["token"] = params.pop("ibsstoken")
    assert query(trip.run("returned", params))["response_type"] == "code"


def test_a_return_with_neither_token_nor_error_goes_on(trip: Trip) -> None:
    params = visit(link(trip.run("start")))
    assert query(trip.run("returned", {"state": params["state"]}))["response_type"] == "code"


@pytest.mark.parametrize("hops", [0, 1])
def test_saying_no_at_either_page_is_an_outcome(trip: Trip, hops: int) -> None:
    step = trip.run("start")
    for _ in range(hops):
        step = trip.follow(step)
    assert isinstance(trip.follow(step, "decline"), Declined)
    assert trip.live.account == {}


def test_who_stopped_at_the_second_page_need_not_add_the_shop_again(trip: Trip) -> None:
    trip.follow(trip.follow(trip.run("start")), "decline")
    step = trip.run("start")
    assert query(step)["response_type"] == "code"
    assert isinstance(trip.follow(step), Connected)
    assert trip.made("connections") == 1


@pytest.mark.parametrize(
    ("error", "who", "code"),
    [
        ("The token has expired.", "merchant", "expired"),
        ("server_error", "merchant", "stopped"),
        ("invalid_scope", "staff", "invalid_scope"),
    ],
)
def test_an_error_in_the_return_says_whose_turn_it_is(
    trip: Trip, error: str, who: str, code: str
) -> None:
    params = visit(link(trip.run("start")))
    with pytest.raises(Refused) as refused:
        trip.run("returned", {**params, "error": error})
    assert (refused.value.who, refused.value.code) == (who, code)


def test_a_return_from_oauth_without_a_code_connects_nothing(trip: Trip) -> None:
    state = query(trip.follow(trip.run("start")))["state"]
    assert isinstance(trip.run("returned", {"state": state}), Declined)


def test_a_code_gone_stale_means_one_button_and_a_fresh_hop(trip: Trip) -> None:
    params = visit(link(trip.follow(trip.run("start"))), "expired")
    first = trip.run("returned", params)
    assert isinstance(first, Redirect)
    assert first.url == ""
    second = trip.run("returned", params)
    assert isinstance(trip.follow(second), Connected)
    assert trip.calls("GET /accounts/oauth/v2/token") == 2


def test_several_new_shops_are_asked_about_in_words(trip: Trip) -> None:
    trip.connect()
    second = Trip(trip.running)
    step = second.connect()
    assert isinstance(step, Ask)
    labels = [str(label) for _, label in step.questions[0].choices]
    assert len(set(labels)) == 2
    assert all(label.startswith("eBay shop first seen ") for label in labels)
    assert all(str(label).endswith(f"…{shop[-6:]}") for shop, label in step.questions[0].choices)
    shop = step.questions[0].choices[1][0]
    chosen = second.run("answered", {"store": shop})
    assert isinstance(chosen, Connected)
    assert chosen.shop_id == shop


def test_an_answer_that_was_not_offered_is_asked_again(trip: Trip) -> None:
    trip.connect()
    second = Trip(trip.running)
    second.connect()
    assert isinstance(second.run("answered", {"store": "made-up"}), Ask)


def test_a_shop_that_somebody_holds_is_never_taken(trip: Trip) -> None:
    first = trip.connect()
    assert isinstance(first, Connected)
    held = {first.shop_id: "other"}
    step = Trip(trip.running, holder=lambda shop: held.get(shop, "none")).connect()
    assert isinstance(step, Connected)
    assert step.shop_id != first.shop_id


def test_a_solution_is_never_taken_for_a_shop(trip: Trip) -> None:
    status = "connection.valid"
    solution = {"id": "s", "component_id": 6, "component_type": "solution", "status": status}
    trip.running.fault("itembase", "GET /api/*", kind="replace", body=[solution])
    assert isinstance(trip.connect(), Waiting)


def test_no_shop_yet_is_waited_for_and_found_later(trip: Trip) -> None:
    trip.running.fault("itembase", "GET /api/*", kind="replace", body=[], times=2)
    step = trip.connect()
    assert isinstance(step, Waiting)
    assert (step.poll_first, step.poll_every) == (timedelta(seconds=15), timedelta(minutes=15))
    assert step.give_up_after == timedelta(hours=24)
    assert isinstance(trip.run("check"), Waiting)
    assert isinstance(trip.run("check"), Connected)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("connection.valid", Connected),
        ("connection.pending", Waiting),
        (None, Waiting),
        ("connection.broken", NeedsMerchant),
        ("something.new", Waiting),
    ],
)
def test_a_status_has_its_meaning(trip: Trip, status: str | None, outcome: type) -> None:
    step = trip.follow(trip.run("start"))
    trip.running.change("itembase", "connections", {}, status=status)
    assert isinstance(trip.follow(step), outcome)


def test_disconnecting_says_what_itembase_cannot_do(trip: Trip) -> None:
    trip.connect()
    step = trip.run("end")
    assert isinstance(step, Done)
    assert "it stays in your itembase account" in str(step.there)
    assert "deleted our access keys" in str(step.here)
    assert step.todo


@pytest.mark.parametrize(("siblings", "kept"), [(0, False), (1, True)])
def test_the_last_shop_takes_the_tokens_with_it(trip: Trip, siblings: int, kept: bool) -> None:
    trip.connect()
    trip.given["siblings"] = lambda: siblings
    trip.live = trip.memos
    trip.run("end")
    assert ("access" in trip.live.account, "access" in trip.memos.account) == (kept, kept)
    assert trip.memos.connection == {}
