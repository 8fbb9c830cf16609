"""A merchant's key gets other permissions: the same client, changed whole, against the sandbox."""

from __future__ import annotations

import pytest

from tests.vendors.capillary.trip import Trip, clients
from vendors.contract import Connected, Garbled, Refused, Unavailable
from vendors.sandbox import Running

UPDATE = "PUT /v3/integrations/clients/{clientKey}"


@pytest.fixture
def trip(running: Running) -> Trip:
    """A connected shop."""
    made = Trip(running.url)
    made.connect()
    return made


def test_permissions_are_set_anew_and_the_key_stays(running: Running, trip: Trip) -> None:
    trip.change(options={"scope_2": "READ", "expiry": "60", "till": "50014744"})
    step = trip.act("rescope")
    assert isinstance(step, Connected)
    (client,) = clients(running)
    assert client["scopes"] == [{"entityId": 2, "permission": "READ", "resources": []}]
    assert (client["name"], client["description"][-7:]) == ("Acme AB Till 1", "[gw:c1]")
    assert (client["expirationTokenTime"], client["defaultTillId"]) == (60, 50014744)
    assert trip.order.live.connection["scopes"] == client["scopes"]


def test_a_change_whose_answer_was_lost_is_made_again_whole(running: Running, trip: Trip) -> None:
    trip.change(options={"scope_3": "READ", "expiry": "60"})
    running.fault("capillary", UPDATE, kind="reset", when="after")
    with pytest.raises(Unavailable):
        trip.act("rescope")
    assert isinstance(trip.act("rescope"), Connected)
    (client,) = clients(running)
    assert client["scopes"] == [{"entityId": 3, "permission": "READ", "resources": []}]
    assert client["id"] == trip.key


def test_other_permissions_than_were_asked_for_are_noticed(running: Running, trip: Trip) -> None:
    scopes = [{"entityId": 1, "permission": "READ"}]
    body = {"data": {"clientKey": trip.key, "isValid": True, "scopes": scopes}, "errors": None}
    running.fault("capillary", UPDATE, kind="replace", body=body)
    with pytest.raises(Garbled, match="other scopes"):
        trip.act("rescope")


def test_a_scope_outside_the_list_is_not_sent(running: Running, trip: Trip) -> None:
    before = clients(running)
    trip.change(options={"scope_9": "READ", "expiry": "60"})
    with pytest.raises(Refused, match="does not list the scope 9"):
        trip.act("rescope")
    assert clients(running) == before


def test_a_new_key_after_the_change_opens_what_was_chosen(running: Running, trip: Trip) -> None:
    trip.change(options={"scope_3": "READ", "expiry": "60"})
    trip.act("rescope")
    trip.act("rotate")
    trip.act("retire")
    (client,) = clients(running)
    assert client["scopes"] == [{"entityId": 3, "permission": "READ", "resources": []}]
