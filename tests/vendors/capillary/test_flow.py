"""Capillary's merchant path against the sandbox, over real HTTP."""

from __future__ import annotations

import logging

import pytest
import requests

from tests.vendors.capillary.trip import GRANTS, PROFILE, Trip, clients, press
from vendors.capillary.sandbox import basic_environ
from vendors.contract import (
    Ask,
    Business,
    Connected,
    Done,
    NeedsMerchant,
    Progress,
    Refused,
    Unavailable,
    VendorError,
    Waiting,
)
from vendors.sandbox import Running

CREATE = "POST /v3/integrations/clients"
LIST = "GET /v3/integrations/clients"
GENERATE = "POST /v3/oauth/token/generate"
DELETE = "DELETE /v3/integrations/clients/{clientKey}"


def raised(trip: Trip, kind: type[VendorError]) -> VendorError:
    with pytest.raises(kind) as caught:
        trip.run(trip.vendor.start)
    return caught.value


def made(running: Running) -> int:
    return running.counts("capillary")["made"].get("clients", 0)


def test_a_client_is_made_tried_out_and_shown_once(running: Running) -> None:
    trip = Trip(running.url)
    step = trip.connect()
    (client,) = clients(running)
    assert step.reveal == {"Key": client["id"], "Secret": client["secret"]}
    assert (step.shop_id, trip.key) == ("c1", client["id"])
    assert str(step.evidence) == "Your key works."
    assert trip.ticks() == ["client", "token"]
    assert "secret" not in trip.order.live.connection
    assert client["secret"] not in repr(trip.steps)


def test_the_creation_is_announced_and_the_last_act_of_its_call(running: Running) -> None:
    trip = Trip(running.url)
    trip.connect()
    announced, done = (step for step in trip.steps if isinstance(step, Progress))
    assert (announced.announce, done.announce) == ("client", "")
    assert done.connection is not None
    assert {"key", "secret", "scopes"} <= set(done.connection)


def test_what_is_sent_is_the_profile_and_our_reference(running: Running) -> None:
    trip = Trip(running.url)
    trip.connect()
    (client,) = clients(running)
    assert (client["name"], client["scopes"]) == ("Acme AB Till 1", GRANTS)
    assert client["description"].endswith("[gw:c1]")
    assert (client["expirationTokenTime"], client["defaultTillId"]) == (600, 15000449)
    memo = trip.order.live.connection
    assert (memo["scopes"], memo["expiry"], memo["till"]) == (GRANTS, 600, 15000449)


def test_a_till_in_the_profile_goes_before_the_operators(running: Running) -> None:
    trip = Trip(running.url)
    trip.change(options={**PROFILE, "till": "50014941"})
    trip.connect()
    assert clients(running)[0]["defaultTillId"] == 50014941


def test_a_till_with_its_password_may_call_too(running: Running) -> None:
    basic = basic_environ(running.url)
    name, password = basic["CAPILLARY_USERNAME"], basic["CAPILLARY_PASSWORD"]
    trip = Trip(running.url, auth="basic", key="", secret="", username=name, password=password)
    trip.connect()
    assert running.counts("capillary")["calls"][GENERATE] == 1


@pytest.mark.parametrize("settings", [{"secret": "wrong"}, {"auth": "basic", "username": "x"}])
def test_wrong_credentials_are_staffs_turn(running: Running, settings: dict[str, str]) -> None:
    error = raised(Trip(running.url, **settings), Refused)
    assert error.cause == "credentials"
    assert made(running) == 0


def test_a_sixteenth_client_is_never_made(running: Running) -> None:
    press(running, do="fill")
    error = raised(Trip(running.url), Refused)
    assert isinstance(error, Refused)
    assert (error.who, error.cause) == ("staff", "clients-full")
    assert "limit for keys" in str(error.note)
    assert running.counts("capillary")["calls"].get(CREATE, 0) == 0


def test_the_room_is_counted_again_right_before_the_creation(running: Running) -> None:
    trip = Trip(running.url)
    trip.once(trip.vendor.start)
    assert trip.order.announced == "client"
    press(running, do="fill")
    assert raised(trip, Refused).cause == "clients-full"
    assert running.counts("capillary")["calls"].get(CREATE, 0) == 0


def test_a_name_that_is_there_is_warned_about_once(running: Running) -> None:
    Trip(running.url).connect()
    trip = Trip(running.url)
    trip.change(reference="c2")
    ask = trip.run(trip.vendor.start)
    assert isinstance(ask, Ask)
    assert ask.questions[0].initial == "Acme AB Till 1 2"
    again = trip.run(lambda order: trip.vendor.answered(order, {"name": " "}))
    assert isinstance(again, Connected)  # kept, after the warning
    assert [row["name"] for row in clients(running)] == ["Acme AB Till 1"] * 2


def test_another_name_is_taken(running: Running) -> None:
    Trip(running.url).connect()
    trip = Trip(running.url)
    trip.change(reference="c2")
    trip.run(trip.vendor.start)
    step = trip.run(lambda order: trip.vendor.answered(order, {"name": " Till\n two "}))
    assert isinstance(step, Connected)
    assert {row["name"] for row in clients(running)} == {"Acme AB Till 1", "Till two"}


def test_a_key_that_is_not_accepted_yet_is_waited_for(running: Running) -> None:
    trip = Trip(running.url)
    while not trip.key:
        trip.once(trip.vendor.start)
    body = {"data": None, "errors": [{"code": 320001, "message": "Invalid client key"}]}
    running.fault("capillary", GENERATE, kind="replace", body=body)
    assert isinstance(trip.run(trip.vendor.start), Waiting)
    assert isinstance(trip.run(trip.vendor.start), Connected)
    assert made(running) == 1


def test_minutes_for_seconds_are_reported_and_harm_nothing(running: Running) -> None:
    press(running, do="switch", unit="minutes")
    step = Trip(running.url).connect()
    assert "36000 seconds instead of 600" in str(step.evidence)
    assert step.reveal


@pytest.mark.parametrize("answer", ["200", "201"])
def test_a_client_in_either_answer_is_a_client(running: Running, answer: str) -> None:
    press(running, do="switch", created=answer, success="zero")
    Trip(running.url).connect()
    assert len(clients(running)) == 1


def test_201_with_errors_is_a_refusal(running: Running) -> None:
    press(running, do="switch", created="201-errors")
    error = raised(Trip(running.url), Refused)
    assert isinstance(error, Refused)
    assert (error.who, error.code) == ("staff", "320020")


@pytest.mark.parametrize("busy", ["429-once", "461-once", "521-once", "4001-once"])
def test_a_busy_capillary_is_asked_later(running: Running, busy: str) -> None:
    trip = Trip(running.url)
    trip.once(trip.vendor.start)
    press(running, do="switch", next_call=busy)
    raised(trip, Unavailable)
    trip.connect()
    assert made(running) == 1


@pytest.mark.parametrize("shape", ["498", "498-old", "200-old", "401-old"])
def test_an_expired_token_is_replaced(running: Running, shape: str) -> None:
    trip = Trip(running.url)
    trip.connect()
    press(running, do="switch", expired_token=shape)
    press(running, case="expired")
    assert isinstance(trip.vendor.check(trip.order), Connected)
    assert running.counts("capillary")["calls"][GENERATE] == 3


@pytest.mark.parametrize("deleted", ["shown", "gone"])
def test_a_deleted_client_is_found_out_and_made_anew(running: Running, deleted: str) -> None:
    trip = Trip(running.url)
    trip.connect()
    press(running, do="switch", deleted=deleted)
    press(running, do="delete", key=trip.key)
    trip.change(purpose="check")
    step = trip.vendor.check(trip.order)
    assert isinstance(step, NeedsMerchant)
    assert step.code == "client-gone"
    old = trip.key
    trip.afresh("reconnect")
    assert trip.connect().reveal
    assert [row["id"] for row in clients(running)] == [trip.key] != [old]


def test_reconnecting_a_valid_client_shows_no_secret(running: Running) -> None:
    trip = Trip(running.url)
    trip.connect()
    memo = trip.order.live
    trip.afresh("reconnect")
    assert trip.connect().reveal is None
    assert trip.order.live == memo
    assert made(running) == 1


def test_a_wrong_address_is_no_reason_to_call_a_client_gone(running: Running) -> None:
    trip = Trip(running.url)
    trip.connect()
    away = Trip(running.url, api_url=f"{running.url}/elsewhere")
    with pytest.raises(Refused) as caught:
        away.vendor.check(trip.order)
    assert caught.value.who == "staff"


def test_disconnecting_deletes_all_that_is_ours(running: Running) -> None:
    trip, other = Trip(running.url), Trip(running.url)
    trip.connect()
    other.change(reference="c2", merchant=Business(reference="b", name="Bee"))
    other.connect()
    trip.act("rotate")
    trip.afresh("end")
    step = trip.vendor.end(trip.order)
    assert isinstance(step, Done)
    assert "deleted" in str(step.there)
    assert [row["id"] for row in clients(running)] == [other.key]
    again = trip.vendor.end(trip.order)
    assert isinstance(again, Done)
    assert "Nothing" in str(again.there)


def test_nothing_secret_is_logged(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    trip = Trip(running.url)
    trip.connect()
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert "/v3/integrations/clients" in said
    secrets = (*trip.reveal.values(), trip.vendor.secret, trip.vendor.key)
    assert not any(secret in said for secret in secrets)


def test_the_revealed_pair_opens_the_door(running: Running) -> None:
    trip = Trip(running.url)
    trip.connect()
    pair = {"key": trip.reveal["Key"], "secret": trip.reveal["Secret"]}
    url = f"{running.url}/capillary/v3/oauth/token/generate"
    assert requests.post(url, json=pair, timeout=5).json()["data"]["ttlSeconds"] == 600
