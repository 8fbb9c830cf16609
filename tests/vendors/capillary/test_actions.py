"""What merchants and staff do with Capillary's API clients, against the sandbox."""

from __future__ import annotations

import pytest

from tests.vendors.capillary.trip import GRANTS, Trip, clients, press
from vendors.contract import Connected, Done, NeedsMerchant, Refused, Rows, Unsure
from vendors.sandbox import Running

CREATE = "POST /v3/integrations/clients"
UPDATE = "PUT /v3/integrations/clients/{clientKey}"
DELETE = "DELETE /v3/integrations/clients/{clientKey}"
CHANGES = {"name": "Kiosk", "description": "By us [gw:other]", "expiry": "900", "till": "50014941"}


@pytest.fixture
def trip(running: Running) -> Trip:
    """A connected shop."""
    made = Trip(running.url)
    made.connect()
    return made


def sent(running: Running) -> int:
    """How often something was changed at Capillary."""
    return sum(running.counts("capillary")["calls"].get(route, 0) for route in (UPDATE, DELETE))


def keys(running: Running) -> set[str]:
    return {str(row["id"]) for row in clients(running)}


# -- the merchant's ------------------------------------------------------------------------------


def test_a_new_key_comes_first_and_the_old_one_goes_on_your_word(
    running: Running, trip: Trip
) -> None:
    old = trip.key
    step = trip.act("rotate")
    assert isinstance(step, Connected)
    assert "Your old key works too" in str(step.evidence)
    assert (keys(running), trip.order.live.connection["old"]) == ({old, trip.key}, [old])
    assert trip.reveal["Key"] == trip.key != old
    assert isinstance(trip.act("retire"), Connected)
    assert (keys(running), trip.order.live.connection["old"]) == ({trip.key}, [])


def test_a_new_key_opens_what_the_old_one_did(running: Running, trip: Trip) -> None:
    trip.change(options={"scope_2": "READ", "expiry": "60"})
    trip.act("rotate")
    names = {row["name"]: row for row in clients(running)}
    assert set(names) == {"Acme AB Till 1", "Acme AB Till 1 (2)"}
    assert names["Acme AB Till 1 (2)"]["scopes"] == GRANTS
    assert names["Acme AB Till 1 (2)"]["expirationTokenTime"] == 600


def test_a_key_that_was_never_said_to_work_makes_room_for_the_next(
    running: Running, trip: Trip
) -> None:
    in_use = trip.key
    trip.act("rotate")
    trip.act("rotate")
    assert keys(running) == {in_use, trip.key}
    trip.act("retire")
    assert keys(running) == {trip.key}


def test_a_new_key_is_not_withheld_because_an_old_one_cannot_be_deleted(
    running: Running, trip: Trip
) -> None:
    trip.act("rotate")
    running.fault("capillary", DELETE, kind="status", status=403)
    assert isinstance(trip.act("rotate"), Connected)
    assert len(trip.order.live.connection["old"]) == 2
    trip.act("retire")
    assert keys(running) == {trip.key}


def test_a_lost_answer_to_a_new_key_leaves_the_old_one_alone(running: Running, trip: Trip) -> None:
    old = trip.key
    running.fault("capillary", CREATE, kind="reset", when="after")
    assert isinstance(trip.act("rotate"), Connected)
    assert keys(running) == {old, trip.key}
    assert len(clients(running, valid=False)) == 1


def test_a_check_says_that_an_old_key_still_works(trip: Trip) -> None:
    trip.act("rotate")
    trip.change(purpose="check")
    step = trip.vendor.check(trip.order)
    assert isinstance(step, Connected)
    assert (step.connection, "Your old key works too" in str(step.evidence)) == (None, True)


def test_without_room_no_new_key_is_made_and_nothing_is_lost(running: Running, trip: Trip) -> None:
    press(running, do="fill")
    with pytest.raises(Refused) as caught:
        trip.act("rotate")
    assert caught.value.cause == "clients-full"
    assert trip.key in keys(running)


def test_an_old_key_is_there_to_delete_only_after_a_new_one(trip: Trip) -> None:
    def offered() -> bool:
        live = trip.order.live
        return any(each.key == "retire" and each.when(live) for each in trip.vendor.actions())

    assert not offered()
    trip.act("rotate")
    assert offered()
    trip.act("retire")
    assert not offered()


@pytest.mark.parametrize("key", ["rotate", "rescope"])
def test_a_client_that_is_gone_has_to_be_reconnected(
    running: Running, trip: Trip, key: str
) -> None:
    press(running, do="delete", key=trip.key)
    assert isinstance(trip.act(key), NeedsMerchant)
    assert not clients(running)


# -- staff's -------------------------------------------------------------------------------------


def test_staff_change_a_client_and_its_reference_and_resources_stay(
    running: Running, trip: Trip
) -> None:
    step = trip.vendor.act(trip.order, "edit", CHANGES)
    assert isinstance(step, Done)
    (client,) = clients(running)
    assert (client["name"], client["description"]) == ("Kiosk", "By us [gw:c1]")
    assert (client["expirationTokenTime"], client["defaultTillId"]) == (900, 50014941)
    assert client["scopes"] == GRANTS
    assert step.connection is not None
    assert (step.connection["name"], step.connection["expiry"]) == ("Kiosk", 900)


def test_staff_change_the_scopes_of_a_client(running: Running, trip: Trip) -> None:
    line = "1 read .*a.* .*b.*; 2 WRITE"
    step = trip.vendor.act(trip.order, "edit", {"scopes": line})
    (client,) = clients(running)
    assert [scope["resources"] for scope in client["scopes"]] == [[".*a.*", ".*b.*"], []]
    assert step.connection is not None
    assert step.connection["scopes"] == client["scopes"]
    assert client["name"] == "Acme AB Till 1"


@pytest.mark.parametrize(
    "answers",
    [
        {"expiry": "0"}, {"expiry": "-5"}, {"expiry": "ten"}, {"expiry": "2592001"}, {"till": "x"},
        {"scopes": "9 READ"}, {"scopes": "1 ALL"}, {"scopes": "all of them"}, {"scopes": "1 READ;1 WRITE"},
    ],
)  # fmt: skip
def test_bad_input_is_said_at_its_field_and_nothing_is_sent(
    running: Running, trip: Trip, answers: dict[str, str]
) -> None:
    with pytest.raises(Refused) as caught:
        trip.vendor.act(trip.order, "edit", answers)
    assert (caught.value.who, caught.value.note is not None) == ("staff", True)
    assert caught.value.code in answers
    assert sent(running) == 0


def elsewhere(running: Running) -> str:
    press(running, do="one")
    return next(str(row["id"]) for row in clients(running) if row["name"].startswith("elsewhere"))


def test_a_client_made_elsewhere_is_changed_with_all_of_its_scopes(
    running: Running, trip: Trip
) -> None:
    key = elsewhere(running)
    for missing in ({}, {"name": "x"}):
        with pytest.raises(Refused):
            trip.vendor.run("edit-client", missing, ids=(key,))
    assert sent(running) == 0
    trip.vendor.run("edit-client", {"scopes": "3 READ .*x", "expiry": "30"}, ids=(key,))
    client = next(row for row in clients(running) if row["id"] == key)
    assert client["scopes"] == [{"entityId": 3, "permission": "READ", "resources": [".*x"]}]
    assert (client["expirationTokenTime"], client["description"]) == (30, "Made elsewhere.")


def test_a_client_of_a_connection_is_not_changed_behind_its_back(
    running: Running, trip: Trip
) -> None:
    for ids in ((trip.key,), (), (trip.key, "another"), (trip.vendor.key,)):
        with pytest.raises(Refused):
            trip.vendor.run("edit-client", {"scopes": "1 READ"}, ids=ids)
    assert sent(running) == 0


def test_all_clients_are_listed_with_whom_they_were_made_for(running: Running, trip: Trip) -> None:
    key = elsewhere(running)
    rows = trip.vendor.run("clients", {})
    assert isinstance(rows, Rows)
    assert rows.then == "edit-client"
    assert {row[0]: row[2:4] for row in rows.rows} == {
        trip.vendor.key: ("Gangway itself", "yes"), trip.key: ("c1", "yes"), key: ("", "yes"),
    }  # fmt: skip
    assert all(len(row) == len(rows.columns) for row in rows.rows)
    assert all(" UTC" in cell for row in rows.rows for cell in row[-2:])


def test_a_client_is_deleted_by_its_typed_key_only(running: Running, trip: Trip) -> None:
    for typed in ("", "no-such-key", trip.key[:-1], trip.vendor.key):
        with pytest.raises(Refused):
            trip.vendor.run("delete-client", {"key": typed})
    assert sent(running) == 0
    assert isinstance(trip.vendor.run("delete-client", {"key": f" {trip.key} "}), Done)
    assert not clients(running)


def test_the_inventory_names_what_is_valid_and_whose_it_is(running: Running, trip: Trip) -> None:
    key = elsewhere(running)
    first = trip.key
    trip.act("rotate")
    trip.act("retire")
    items = {item.id: item.reference for item in trip.vendor.inventory()}
    assert items == {trip.key: "c1", key: ""}
    assert first not in items


# -- doubts --------------------------------------------------------------------------------------


def doubtful(running: Running) -> tuple[Trip, str]:
    trip = Trip(running.url)
    trip.once(trip.vendor.start)
    running.fault("capillary", CREATE, kind="reset", when="after")
    with pytest.raises(Unsure):
        trip.once(trip.vendor.start)
    return trip, str(clients(running)[0]["id"])


def test_what_staff_found_is_deleted_and_made_anew(running: Running) -> None:
    trip, found = doubtful(running)
    trip.once(lambda order: trip.vendor.resolve(order, found))
    trip.connect()
    assert keys(running) == {trip.key} != {found}


def test_what_staff_did_not_find_is_made(running: Running) -> None:
    trip, _ = doubtful(running)
    trip.once(lambda order: trip.vendor.resolve(order, None))
    trip.connect()
    assert keys(running) == {trip.key}


def test_staff_cannot_have_another_client_deleted_by_mistake(running: Running) -> None:
    trip, _ = doubtful(running)
    for found in (elsewhere(running), "no-such-key", trip.vendor.key):
        with pytest.raises(Refused):
            trip.vendor.resolve(trip.order, found)
    assert sent(running) == 0
