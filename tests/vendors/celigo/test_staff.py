"""What staff may do at Celigo, against the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.vendors.celigo.caller import SHOPIFY, call, desk
from tests.vendors.celigo.trip import ANN, BOB, LICENCE, POST, Trip
from vendors.contract import Connected, Done, NeedsMerchant, Refused
from vendors.sandbox import Running

YEAR = datetime.now(UTC).year + 1
DAY, ITS_END = f"{YEAR}-01-31", f"{YEAR}-01-31T23:59:59.999Z"


@pytest.fixture
def trip(running: Running) -> Trip:
    return Trip(running).connected()


def done(trip: Trip, key: str, **answers: str) -> Done:
    step = trip.act(key, **answers)
    assert isinstance(step, Done)
    return step


def refused(trip: Trip, key: str, **answers: str) -> Refused:
    """Nothing was sent."""
    before = trip.running.counts("celigo")["calls"]
    with pytest.raises(Refused) as caught:
        trip.act(key, **answers)
    assert trip.running.counts("celigo")["calls"] == before
    assert caught.value.who == "staff"
    assert caught.value.note
    return caught.value


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (DAY, ITS_END),
        (f"{YEAR}-01-31T12:00:00Z", f"{YEAR}-01-31T12:00:00.000Z"),
        (f" {YEAR}-01-31T12:00:00+02:00 ", f"{YEAR}-01-31T10:00:00.000Z"),
        (f"{YEAR}-01-31 12:00", f"{YEAR}-01-31T12:00:00.000Z"),
    ],
)
def test_renewing_sets_the_end_and_nothing_else(trip: Trip, typed: str, stored: str) -> None:
    before = trip.licences()[0]
    step = done(trip, "renew", until=typed)
    assert trip.licences()[0] == {**before, "expires": stored}
    assert str(YEAR) in str(step.here)


def test_renewing_twice_sends_it_once(trip: Trip) -> None:
    for _ in range(2):
        assert "confirmed" in str(done(trip, "renew", until=DAY).there)
    assert trip.calls(f"PUT {LICENCE}") == 1


@pytest.mark.parametrize(
    "typed", ["", "soon", "2020-01-01", "31.01.2030", "9999-12-31", "2030-02-30"]
)
def test_an_end_that_is_over_or_unreadable_sends_nothing(trip: Trip, typed: str) -> None:
    assert refused(trip, "renew", until=typed).code == "until"


def test_an_expired_shop_is_connected_again_once_it_is_renewed(trip: Trip) -> None:
    done(trip, "expire")
    trip.passes(seconds=1)
    assert isinstance(trip.check(), NeedsMerchant)
    done(trip, "renew", until=DAY)
    step = trip.check()
    assert isinstance(step, Connected)
    assert step.expires_at == datetime.fromisoformat(ITS_END)


def test_what_staff_ended_no_reconnect_wakes(trip: Trip) -> None:
    trip.end()
    done(trip, "expire")
    trip.change(purpose="reconnect")
    step = trip.start()
    assert isinstance(step, NeedsMerchant)
    assert step.code == "expired"
    assert trip.calls(f"PUT {LICENCE}") == 1


def test_renewing_a_disconnected_shop_counts_when_it_is_reconnected(trip: Trip) -> None:
    trip.end()
    ended = trip.licences()[0]["expires"]
    assert "Nothing was sent" in str(done(trip, "renew", until=DAY).there)
    assert trip.licences()[0]["expires"] == ended
    trip.change(purpose="reconnect")
    assert isinstance(trip.start(), Connected)
    assert trip.licences()[0]["expires"] == ITS_END


def test_the_edition_and_add_ons_are_changed_and_the_rest_is_kept(trip: Trip) -> None:
    path = f"/connectors/{SHOPIFY}/licenses/{trip.order.shop_id}"
    mine = {**call(trip.running, "GET", path).json(), "_editionId": SHOPIFY, "opts": {"x": 1}}
    call(trip.running, "PUT", path, mine)
    done(trip, "edition", edition="enterprise", addons="store:enterprise")
    after = call(trip.running, "GET", path).json()
    addons = [{"type": "store", "licenses": [{"addOnEdition": "enterprise"}]}]
    assert after["opts"] == {"x": 1, "connectorEdition": "enterprise", "addonLicenses": addons}
    assert {**after, "opts": {"x": 1}} == mine
    done(trip, "edition", edition="", addons="none")
    opts = call(trip.running, "GET", path).json()["opts"]
    assert opts == {"x": 1, "connectorEdition": "enterprise", "addonLicenses": []}


def test_an_answer_with_another_edition_is_told(trip: Trip) -> None:
    body = {"opts": {"connectorEdition": "starter", "addonLicenses": "odd"}}
    trip.running.fault("celigo", f"PUT {LICENCE}", kind="replace", merge=body)
    step = done(trip, "edition", edition="premium")
    assert "“starter” and 0 add-ons" in str(step.here)
    assert "not what we asked for" in str(step.there)


@pytest.mark.parametrize("expires", ["2020-01-01T00:00:00.000Z", None, "soon"])
def test_an_answer_with_another_end_is_told(trip: Trip, expires: str | None) -> None:
    trip.running.fault("celigo", f"PUT {LICENCE}", kind="replace", merge={"expires": expires})
    assert "not what we asked for" in str(done(trip, "renew", until=DAY).there)


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({}, "edition"),
        ({"edition": "gold"}, "edition"),
        ({"edition": "premium", "addons": "store"}, "addons"),
        ({"addons": "store:gold"}, "addons"),
    ],
)
def test_an_unknown_edition_or_add_on_sends_nothing(
    trip: Trip, answers: dict[str, str], field: str
) -> None:
    assert refused(trip, "edition", **answers).code == field


def test_a_licence_is_deleted_only_by_its_typed_id(trip: Trip) -> None:
    assert refused(trip, "delete", id="").code == "id"
    assert refused(trip, "delete", id=trip.order.shop_id[:-1]).code == "id"
    step = done(trip, "delete", id=f" {trip.order.shop_id} ")
    assert ("deleted" in str(step.here), trip.licences()) == (True, [])
    assert "no longer existed" in str(done(trip, "delete", id=trip.order.shop_id).here)


def test_without_a_licence_there_is_nothing_to_do(trip: Trip) -> None:
    trip.change(reference="c2", shop_id="")
    for key, answers in [("renew", {"until": DAY}), ("expire", {}), ("delete", {"id": "x"})]:
        assert refused(trip, key, **answers).code == "no-licence"


def test_a_licence_deleted_elsewhere_is_told(trip: Trip) -> None:
    call(trip.running, "DELETE", f"/connectors/{SHOPIFY}/licenses/{trip.order.shop_id}")
    with pytest.raises(Refused) as caught:
        trip.act("renew", until=DAY)
    assert caught.value.code == "no-licence"


def another(trip: Trip) -> Trip:
    """A second shop of the merchant, whose address has a licence that we did not make."""
    desk(trip.running, do="issue", connector=SHOPIFY, email=BOB)
    trip.change(reference="c2", shop_id="", emails=lambda: (BOB,), purpose="connect")
    with pytest.raises(Refused, match="exist already"):
        trip.start()
    return trip


def test_staff_may_give_a_shop_the_licence_that_was_there(trip: Trip) -> None:
    second = another(trip)
    found = second.licences()[-1]["id"]
    step = done(second, "adopt", id=found)
    assert step.connection_key == found
    second.change(purpose="connect")
    step_after = second.start()
    assert isinstance(step_after, NeedsMerchant)
    assert (step_after.code, step_after.connection_key) == ("install", found)
    assert second.calls(POST) == 1


def test_a_shop_gets_no_licence_that_another_has_or_nobody(trip: Trip) -> None:
    siblings = trip.order.shop_id
    second = another(trip)
    theirs = second.licences()[-1]["id"]
    second.held = {theirs: "other"}
    for wrong in (siblings, theirs, "../x", ""):
        assert refused(second, "adopt", id=wrong).code == "id"
    with pytest.raises(Refused) as caught:
        second.act("adopt", id="f" * 24)
    assert caught.value.code == "id"


def test_the_inventory_lists_every_licence_of_every_connector(trip: Trip) -> None:
    another(trip)
    desk(trip.running, empty_list="200", page_size="2")
    items = {item.id: item for item in trip.vendor.inventory()}
    assert set(items) == {licence["id"] for licence in trip.licences()}
    facts: dict[str, Any] = dict(items[trip.order.memos.account["licences"]["c1"]["id"]].facts)
    assert (facts["email"], facts["edition"]) == (ANN.email, "standard")
    assert facts["installed as"]


def test_every_action_that_cannot_be_taken_back_says_so(trip: Trip) -> None:
    actions = {action.key: action for action in trip.vendor.actions()}
    assert len(actions) == len(trip.vendor.actions()) == 10
    dangers = {key for key, action in actions.items() if action.danger}
    assert dangers == {"expire", "delete", "delete-connector"}
    assert [key for key, action in actions.items() if action.hidden] == ["push-update"]
