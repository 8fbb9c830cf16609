"""itembase: signed-in merchants: more shops, reconnecting, checks, tokens that are renewed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.vendors.itembase.trip import Trip, first_shop, leads_to, visit
from vendors.contract import (
    Connected,
    Memos,
    NeedsMerchant,
    Progress,
    Redirect,
    Refused,
    Unavailable,
    Waiting,
)
from vendors.itembase.client import Me
from vendors.sandbox import Running

TOKEN = "GET /accounts/oauth/v2/token"


@pytest.fixture
def connected(running: Running) -> Trip:
    """A merchant with one connected shop."""
    return first_shop(running)


def test_an_expired_token_is_renewed_before_the_link_is_made(connected: Trip) -> None:
    trip = connected.another_shop()
    trip.expire()
    step = trip.once("start")
    assert isinstance(step, Progress)
    assert step.promote
    assert trip.live.account["refresh"] != connected.live.account["refresh"]
    assert isinstance(trip.follow(trip.run("start")), Connected)


def test_a_known_account_signs_in_before_a_shop_is_added(connected: Trip) -> None:
    trip = connected.another_shop()
    trip.sign_out()
    step = trip.run("start")
    assert leads_to(step) == "v2"
    assert "access" in trip.live.account
    second = trip.follow(step)
    assert leads_to(second) == "process"
    assert isinstance(trip.follow(second), Connected)


def test_who_has_no_other_shop_may_come_with_another_user(connected: Trip) -> None:
    trip = connected.again()
    trip.live = trip.memos = Memos()
    assert isinstance(trip.connect(email="eve@shop.example"), Connected)
    assert trip.account_key != connected.account_key


# -- reconnecting ----------------------------------------------------------------------------------


def reconnecting(connected: Trip) -> Trip:
    return connected.again(shop_id=connected.given["shop_id"], purpose="reconnect")


def test_reconnecting_activates_the_held_shop(connected: Trip) -> None:
    trip = reconnecting(connected)
    step = trip.follow(trip.run("start"))
    assert isinstance(step, Connected)
    assert step.shop_id == connected.given["shop_id"]
    assert trip.made("connections") == 1


def test_reconnecting_signed_out_begins_with_oauth(connected: Trip) -> None:
    trip = reconnecting(connected)
    trip.live = trip.memos = Memos()
    first = trip.run("start")
    assert leads_to(first) == "v2"
    second = trip.follow(first)
    assert leads_to(second) == "process"
    assert isinstance(trip.follow(second), Connected)
    assert trip.made("connections") == 1


@pytest.mark.parametrize("shop", ["never-there", "removed"])
def test_reconnecting_a_shop_that_was_removed_there_says_so(connected: Trip, shop: str) -> None:
    if shop == "removed":
        shop = connected.given["shop_id"]
        connected.running.change("itembase", "connections", {}, removed=True)
    step = connected.again(shop_id=shop, purpose="reconnect").run("start")
    assert isinstance(step, NeedsMerchant)
    assert step.code == "store-gone"


# -- another user ----------------------------------------------------------------------------------


@pytest.mark.parametrize("again", [reconnecting, Trip.another_shop])
def test_another_itembase_user_is_refused_and_nothing_is_overwritten(
    connected: Trip, again: Callable[[Trip], Trip]
) -> None:
    trip = again(connected)
    trip.sign_out()
    live, key = trip.live, trip.account_key
    with pytest.raises(Refused) as refused:
        trip.follow(trip.run("start"), email="eve@shop.example")
    assert (refused.value.who, refused.value.code) == ("merchant", "other-user")
    assert "start again with that account" in str(refused.value.note)
    assert (trip.live, trip.account_key) == (live, key)
    assert "access" not in trip.memos.account
    assert trip.made("connections") == 1


def test_after_another_user_the_right_one_can_sign_in(connected: Trip) -> None:
    trip = reconnecting(connected)
    trip.live = trip.memos = Memos()
    with pytest.raises(Refused):
        trip.follow(trip.run("start"), email="eve@shop.example")
    step = trip.follow(trip.follow(trip.run("start")))
    assert isinstance(step, Connected)


def test_the_refusal_of_another_user_is_repeated_after_a_kill(connected: Trip) -> None:
    trip = reconnecting(connected)
    trip.sign_out()
    step = trip.run("start")
    assert isinstance(step, Redirect)
    params = visit(step.url, email="eve@shop.example")
    for _ in range(2):
        with pytest.raises(Refused):
            trip.run("returned", params)


def test_two_first_shops_of_two_users_do_not_mix(connected: Trip) -> None:
    """Both attempts began before anybody was signed in; the other one was faster."""
    trip = Trip(connected.running, siblings=lambda: 1)
    step = trip.follow(trip.run("start"), email="eve@shop.example")
    trip.account_key, trip.live = connected.account_key, Memos(account={})
    with pytest.raises(Refused):
        trip.follow(step, email="eve@shop.example")
    assert leads_to(trip.run("start")) == "v2"


# -- check ---------------------------------------------------------------------------------------


def test_a_check_confirms_the_shop(connected: Trip) -> None:
    assert isinstance(connected.run("check"), Connected)


def test_a_check_renews_the_sign_in_for_all_shops_of_the_account(connected: Trip) -> None:
    trip = connected.again(shop_id=connected.given["shop_id"], purpose="check")
    trip.expire()
    before = trip.live.account["refresh"]
    assert isinstance(trip.run("check"), Connected)
    assert trip.live.account["refresh"] != before


def test_a_check_finds_that_the_shop_is_gone(connected: Trip) -> None:
    connected.running.fault("itembase", "GET /api/*", kind="replace", body=[])
    step = connected.run("check")
    assert isinstance(step, NeedsMerchant)
    assert step.code == "store-gone"


def test_a_check_with_a_dead_sign_in_asks_to_sign_in_again(connected: Trip) -> None:
    trip = connected.again(shop_id=connected.given["shop_id"], purpose="check")
    trip.sign_out()
    step = trip.run("check")
    assert isinstance(step, NeedsMerchant)
    assert step.code == "sign-in"


def test_a_check_without_a_sign_in_offers_to_go_on(connected: Trip) -> None:
    step = Trip(connected.running).run("check")
    assert isinstance(step, Redirect)
    assert step.url == ""


# -- rotation ------------------------------------------------------------------------------------


def test_a_lost_renewal_is_tried_once_with_the_old_token(connected: Trip) -> None:
    trip = connected.again(shop_id=connected.given["shop_id"], purpose="check")
    trip.expire()
    trip.running.fault("itembase", TOKEN, kind="reset", when="after")
    with pytest.raises(Unavailable):
        trip.run("check")
    spent = trip.calls(TOKEN)
    step = trip.run("check")
    assert isinstance(step, NeedsMerchant)
    assert trip.calls(TOKEN) == spent + 1


def test_a_token_renewed_by_a_sibling_is_used(connected: Trip) -> None:
    trip = connected.another_shop()
    trip.run("start")
    sibling = connected.again(shop_id=connected.given["shop_id"], purpose="check")
    sibling.now = trip.now
    sibling.expire()
    sibling.run("check")
    trip.live = Memos(account=sibling.live.account)
    renewals = trip.calls(TOKEN)
    assert isinstance(trip.run("check"), Waiting)
    assert trip.calls(TOKEN) == renewals


def test_a_new_token_that_is_refused_is_not_renewed_for_ever(connected: Trip) -> None:
    trip = connected.again(shop_id=connected.given["shop_id"], purpose="check")
    trip.running.fault("itembase", "GET /api/*", kind="status", status=401, times=None)
    with pytest.raises(Refused) as refused:
        trip.run("check")
    assert refused.value.who == "staff"
    assert trip.calls(TOKEN) == 2


def test_a_token_that_lasts_a_few_seconds_is_renewed_when_they_are_over(connected: Trip) -> None:
    trip = connected.another_shop()
    over = {"at": trip.now.timestamp() - 3, "until": trip.now.timestamp() - 1}
    trip.live = trip.memos = Memos(account={**trip.live.account, **over})
    renewals = trip.calls(TOKEN)
    assert isinstance(trip.once("start"), Progress)
    assert trip.calls(TOKEN) == renewals + 1


def test_a_lost_renewal_means_one_hop_to_sign_in(connected: Trip) -> None:
    trip = connected.another_shop()
    trip.expire()
    trip.running.fault("itembase", TOKEN, kind="reset", when="after")
    with pytest.raises(Unavailable):
        trip.run("start")
    step = trip.run("start")
    assert leads_to(step) == "v2"
    assert leads_to(trip.follow(step)) == "process"


def test_the_newest_sign_in_wins(connected: Trip) -> None:
    """A sibling signed in anew while this attempt held an older renewal."""
    trip = connected.another_shop()
    trip.expire()
    trip.run("start")
    sibling = connected.again(shop_id=connected.given["shop_id"], purpose="reconnect")
    sibling.now = trip.now
    sibling.follow(sibling.run("start"))
    sibling.sign_out()
    sibling.now += timedelta(minutes=1)
    sibling.follow(sibling.follow(sibling.run("start")))
    trip.live = Memos(account=sibling.live.account)
    renewals = trip.calls(TOKEN)
    assert isinstance(trip.run("check"), Waiting)
    assert trip.calls(TOKEN) == renewals


@pytest.mark.parametrize(
    ("says", "label"),
    [
        ({"email": "ann@lamps.example", "username": "ann"}, "ann@lamps.example"),
        ({"email": "", "username": " ann\u200b "}, "ann"),
        ({"email": None}, ""),
        ({"email": {"of": "nobody"}, "username": "ann\x00"}, ""),
        ({}, ""),
    ],
)
def test_whose_account_it_is_never_makes_a_reply_unreadable(
    says: dict[str, object], label: str
) -> None:
    """Only the id is needed; the rest is for people."""
    assert Me.model_validate({"uuid": "u-1", **says}).label == label
