"""Lost answers to a creation at Capillary: exactly one valid client remains, and we know its secret."""

from __future__ import annotations

import pytest

from tests.vendors.capillary.trip import Trip, clients
from vendors.contract import Connected, Unavailable
from vendors.sandbox import Running

CREATE = "POST /v3/integrations/clients"


def made(running: Running) -> int:
    return running.counts("capillary")["made"].get("clients", 0)


LOST = [{"kind": "reset", "when": "after"}, {"kind": "truncated"}, {"kind": "empty"}]


@pytest.mark.parametrize("fault", LOST)
def test_after_a_lost_answer_exactly_one_client_is_valid(
    running: Running, fault: dict[str, str]
) -> None:
    trip = Trip(running.url)
    running.fault("capillary", CREATE, **fault)  # type: ignore[arg-type]
    step = trip.connect()
    (client,) = clients(running)
    assert step.reveal == {"Key": client["id"], "Secret": client["secret"]}
    assert (made(running), len(clients(running, valid=False))) == (2, 1)


def test_a_creation_that_may_still_arrive_is_waited_for(running: Running) -> None:
    trip = Trip(running.url)
    running.fault("capillary", CREATE, kind="reset", when="before")
    with pytest.raises(Unavailable) as caught:
        trip.run(trip.vendor.start)
    assert caught.value.retry_after == 30
    trip.later(31)
    trip.connect()
    assert (made(running), len(clients(running))) == (1, 1)


def test_what_nobody_holds_is_deleted_by_the_next_attempt(running: Running) -> None:
    trip = Trip(running.url)
    while not trip.key:
        trip.once(trip.vendor.start)
    trip.afresh("connect")  # the attempt was given up with the secret in its draft
    trip.connect()
    assert (made(running), len(clients(running))) == (2, 1)


def test_the_client_of_another_connection_is_left_alone(running: Running) -> None:
    first, second = Trip(running.url), Trip(running.url)
    first.connect()
    second.change(reference="c2", shop_name="Till 2 [gw:c1]")
    second.connect()
    running.fault("capillary", CREATE, kind="reset", when="after")
    assert isinstance(first.act("rotate"), Connected)
    assert len(clients(running)) == 3


def test_answers_lost_again_and_again_are_asked_for_ever_slower(running: Running) -> None:
    trip = Trip(running.url)
    running.fault("capillary", CREATE, kind="reset", when="after", times=3)
    for wait in (60, 120):
        with pytest.raises(Unavailable) as caught:
            trip.run(trip.vendor.start)
        assert caught.value.retry_after == wait
        trip.later(wait)
    trip.connect()
    assert (made(running), len(clients(running))) == (4, 1)
