"""itembase: signed-in merchants: more shops, reconnecting, checks, tokens that are renewed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vendors.itembase_trip import Trip, visit
from vendors import sandbox
from vendors.contract import (
    Connected,
    Memos,
    NeedsMerchant,
    Progress,
    Redirect,
    Refused,
    Step,
    Unavailable,
    Waiting,
)

TOKEN = "GET /accounts/oauth/v2/token"


@pytest.fixture
def connected(tmp_path: Path) -> Iterator[Trip]:
    """A merchant with one connected shop."""
    stage = sandbox.start(tmp_path, vendors=["itembase"])
    trip = Trip(stage)
    step = trip.connect()
    assert isinstance(step, Connected)
    trip.given["shop"] = step.shop
    trip.live = trip.memos
    yield trip
    stage.stop()


def another_shop(connected: Trip) -> Trip:
    """A second attempt of the same merchant: its shop is not the first one."""
    held = connected.given["shop"]
    return connected.again(holder=lambda shop: "sibling" if shop == held else "none")


def leads_to(step: Step) -> str:
    assert isinstance(step, Redirect)
    return step.url.partition("?")[0].rpartition("/")[0].rpartition("/")[2]


# -- example 2 -----------------------------------------------------------------------------------


def test_a_second_shop_needs_no_second_sign_in(connected: Trip) -> None:
    trip = another_shop(connected)
    step = trip.follow(trip.run("start"))
    assert isinstance(step, Connected)
    assert step.shop != connected.given["shop"]
    assert trip.calls(TOKEN) == 1


def test_shops_that_were_there_before_are_not_the_new_one(connected: Trip) -> None:
    trip = connected.again()
    step = trip.follow(trip.run("start"))
    assert isinstance(step, Connected)
    assert step.shop != connected.given["shop"]


def test_a_shop_made_in_this_attempt_stays_new_when_the_link_is_made_again(connected: Trip) -> None:
    trip = connected.again()
    first = trip.run("start")
    assert isinstance(first, Redirect)
    visit(first.url)  # the return is lost: the merchant closes the tab and begins again
    trip.run("start")
    assert isinstance(trip.run("check"), Connected)


def test_an_expired_token_is_renewed_before_the_link_is_made(connected: Trip) -> None:
    trip = another_shop(connected)
    trip.expire()
    step = trip.once("start")
    assert isinstance(step, Progress)
    assert step.promote
    assert trip.live.account["refresh"] != connected.live.account["refresh"]
    assert isinstance(trip.follow(trip.run("start")), Connected)


def test_a_dead_sign_in_means_the_way_of_a_new_merchant(connected: Trip) -> None:
    trip = another_shop(connected)
    trip.expire()
    trip.running.change("itembase", "grants", {}, refresh_token="another")
    step = trip.run("start")
    assert leads_to(step) == "process"
    assert "access" in trip.live.account
    assert isinstance(trip.follow(trip.follow(step)), Connected)


# -- example 3 -----------------------------------------------------------------------------------


def test_reconnecting_activates_the_held_shop(connected: Trip) -> None:
    trip = connected.again(shop=connected.given["shop"], purpose="reconnect")
    step = trip.follow(trip.run("start"))
    assert isinstance(step, Connected)
    assert step.shop == connected.given["shop"]
    assert trip.made("connections") == 1


def test_reconnecting_signed_out_begins_with_oauth(connected: Trip) -> None:
    trip = connected.again(shop=connected.given["shop"], purpose="reconnect")
    trip.live = trip.memos = Memos()
    first = trip.run("start")
    assert leads_to(first) == "v2"
    second = trip.follow(first)
    assert leads_to(second) == "process"
    assert isinstance(trip.follow(second), Connected)
    assert trip.made("connections") == 1


def test_reconnecting_a_shop_that_was_removed_there_says_so(connected: Trip) -> None:
    trip = connected.again(shop="gone-from-itembase", purpose="reconnect")
    step = trip.run("start")
    assert isinstance(step, NeedsMerchant)
    assert step.code == "store-gone"


def test_another_itembase_user_is_refused_and_nothing_is_overwritten(connected: Trip) -> None:
    trip = connected.again(shop=connected.given["shop"], purpose="reconnect")
    trip.expire()
    trip.running.change("itembase", "grants", {}, refresh_token="another")
    live = trip.live
    with pytest.raises(Refused) as refused:
        trip.follow(trip.run("start"), email="eve@shop.example")
    assert (refused.value.who, refused.value.code) == ("merchant", "other-user")
    assert trip.live == live
    assert "access" not in trip.memos.account


def test_after_another_user_the_right_one_can_sign_in(connected: Trip) -> None:
    trip = connected.again(shop=connected.given["shop"], purpose="reconnect")
    trip.live = trip.memos = Memos()
    with pytest.raises(Refused):
        trip.follow(trip.run("start"), email="eve@shop.example")
    step = trip.follow(trip.follow(trip.run("start")))
    assert isinstance(step, Connected)


def test_a_shop_added_by_another_user_is_not_counted_as_added(connected: Trip) -> None:
    trip = connected.again()
    trip.live = trip.memos = Memos()
    second = trip.follow(trip.run("start"), email="eve@shop.example")
    with pytest.raises(Refused):
        trip.follow(second, email="eve@shop.example")
    assert leads_to(trip.run("start")) == "process"


# -- check ---------------------------------------------------------------------------------------


def test_a_check_confirms_the_shop(connected: Trip) -> None:
    assert isinstance(connected.run("check"), Connected)


def test_a_check_renews_the_sign_in_for_all_shops_of_the_account(connected: Trip) -> None:
    trip = connected.again(shop=connected.given["shop"], purpose="check")
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
    trip = connected.again(shop=connected.given["shop"], purpose="check")
    trip.expire()
    trip.running.change("itembase", "grants", {}, refresh_token="another")
    step = trip.run("check")
    assert isinstance(step, NeedsMerchant)
    assert step.code == "sign-in"


def test_a_check_without_a_sign_in_offers_to_go_on(connected: Trip) -> None:
    step = Trip(connected.running).run("check")
    assert isinstance(step, Redirect)
    assert step.url == ""


# -- rotation ------------------------------------------------------------------------------------


def test_a_lost_renewal_is_tried_once_with_the_old_token(connected: Trip) -> None:
    trip = connected.again(shop=connected.given["shop"], purpose="check")
    trip.expire()
    trip.running.fault("itembase", TOKEN, kind="reset", when="after")
    with pytest.raises(Unavailable):
        trip.run("check")
    spent = trip.calls(TOKEN)
    step = trip.run("check")
    assert isinstance(step, NeedsMerchant)
    assert trip.calls(TOKEN) == spent + 1


def test_a_token_renewed_by_a_sibling_is_used(connected: Trip) -> None:
    trip = another_shop(connected)
    trip.run("start")
    sibling = connected.again(shop=connected.given["shop"], purpose="check")
    sibling.now = trip.now
    sibling.expire()
    sibling.run("check")
    trip.live = Memos(account=sibling.live.account)
    renewals = trip.calls(TOKEN)
    assert isinstance(trip.run("check"), Waiting)
    assert trip.calls(TOKEN) == renewals


def test_a_new_token_that_is_refused_is_not_renewed_for_ever(connected: Trip) -> None:
    trip = connected.again(shop=connected.given["shop"], purpose="check")
    trip.running.fault("itembase", "GET /api/*", kind="status", status=401, times=None)
    with pytest.raises(Refused) as refused:
        trip.run("check")
    assert refused.value.who == "staff"
    assert trip.calls(TOKEN) == 2
