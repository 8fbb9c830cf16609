"""Celigo's flow against the sandbox, over real HTTP: the merchant's way to a licence."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.vendors.celigo.caller import OTHER, SHOPIFY, desk
from tests.vendors.celigo.trip import ANN, BOB, POST, Trip, vendor_of
from vendors.contract import Ask, Connected, NeedsMerchant, Progress, Refused
from vendors.sandbox import Running


@pytest.fixture
def trip(running: Running) -> Trip:
    return Trip(running)


def test_published_connectors_are_offered_under_their_shop_system(running: Running) -> None:
    desk(running, page_size="2")
    entries = vendor_of(running.url).connectors()
    assert [entry.platform for entry in entries] == ["shopify", "magento", "amazon"]
    assert (entries[0].key, entries[0].name) == (SHOPIFY, "Shopify - NetSuite Connector")


def test_without_an_account_there_the_merchant_is_told_to_make_one(trip: Trip) -> None:
    step = trip.start()
    assert isinstance(step, NeedsMerchant)
    (question,) = step.questions
    assert (step.code, question.addresses, question.initial) == ("no-account", True, ANN.email)
    assert ANN.email in str(step.note)
    assert step.link == f"{trip.running.url}/celigo/"
    assert "licenses" not in trip.running.counts("celigo")["made"]


@pytest.mark.parametrize("status", [422, 400, 200])
def test_an_unknown_user_is_seen_at_any_status(trip: Trip, status: int) -> None:
    desk(trip.running, invalid_user=str(status))
    step = trip.start()
    assert isinstance(step, NeedsMerchant)
    assert step.code == "no-account"


def test_integrator_io_is_not_asked_faster_than_every_few_minutes(trip: Trip) -> None:
    step = trip.start()
    assert isinstance(step, NeedsMerchant)
    assert (step.poll_first, step.poll_every) == (timedelta(minutes=5), timedelta(hours=1))


def test_signed_up_the_licence_is_made_once_and_then_to_be_installed(trip: Trip) -> None:
    trip.start()
    trip.sign_up()
    for _ in range(3):
        step = trip.start()
        assert isinstance(step, NeedsMerchant)
        assert (step.code, step.poll_first) == ("install", timedelta(minutes=5))
    (licence,) = trip.licences()
    assert trip.keys[0] == step.connection_key == licence["id"]
    assert (licence["email"], licence["expires"]) == (ANN.email, thirty_days(trip))
    assert licence["opts"] == {"connectorEdition": "standard", "addonLicenses": []}


def thirty_days(trip: Trip) -> str:
    until = trip.order.now + timedelta(days=30)
    return until.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_installed_is_connected_until_the_licence_ends(trip: Trip) -> None:
    browser = trip.sign_up()
    trip.start()
    trip.install(browser)
    step = trip.start()
    assert isinstance(step, Connected)
    assert step.shop_id == step.connection_key == trip.licences()[0]["id"]
    assert step.expires_at == datetime.fromisoformat(thirty_days(trip))
    assert "installed" in str(step.evidence)
    assert trip.calls(POST) == 1


def test_a_creation_is_announced_after_looking_and_kept_at_once(trip: Trip) -> None:
    trip.sign_up()
    first = trip.once(trip.vendor.start)
    assert isinstance(first, Progress)
    assert (first.announce, first.promote) == ("licence", True)
    assert (trip.calls(POST), trip.calls(f"GET {POST[5:]}")) == (0, 1)
    second = trip.once(trip.vendor.start)
    assert isinstance(second, Progress)
    assert (second.announce, second.promote, second.done) == ("", True, ("licence",))
    assert trip.calls(POST) == 1


def test_the_plan_of_the_connector_decides_what_is_issued(trip: Trip) -> None:
    trip.sign_up()
    trip.change(options={"days": 14, "edition": "premium", "addons": "store:starter, addon:x1"})
    trip.start()
    (licence,) = trip.licences()
    assert licence["opts"] == {
        "connectorEdition": "premium",
        "addonLicenses": [
            {"type": "store", "licenses": [{"addOnEdition": "starter"}]},
            {"type": "addon", "licenses": [{"addOnId": "x1"}]},
        ],
    }
    assert datetime.fromisoformat(licence["expires"]) - trip.order.now < timedelta(days=14, hours=1)


@pytest.mark.parametrize("options", [{"days": "0"}, {"edition": "gold"}, {"addons": "store"}])
def test_a_plan_with_a_fault_sends_nothing(trip: Trip, options: dict[str, str]) -> None:
    trip.change(options=options)
    with pytest.raises(Refused) as caught:
        trip.start()
    assert (caught.value.who, caught.value.code) == ("staff", f"plan-{next(iter(options))}")
    assert trip.running.counts("celigo")["calls"] == {}


# -- whose address ---------------------------------------------------------------------------------


def test_several_addresses_are_offered_the_acting_members_first(trip: Trip) -> None:
    trip.change(emails=lambda: (BOB, ANN.email, "BOB@shop.example"))
    step = trip.start()
    assert isinstance(step, Ask)
    (question,) = step.questions
    assert ([value for value, _ in question.choices], question.initial) == (
        [ANN.email, BOB],
        ANN.email,
    )
    trip.sign_up(BOB)
    step = trip.run(trip.vendor.answered, {"email": "Bob@Shop.Example"})
    assert isinstance(step, NeedsMerchant)
    assert (step.code, trip.licences()[0]["email"]) == ("install", BOB)


def test_a_corrected_address_gets_the_only_licence(trip: Trip) -> None:
    trip.change(emails=lambda: (ANN.email, BOB))
    step = trip.run(trip.vendor.answered, {"email": ANN.email})
    assert isinstance(step, NeedsMerchant)
    assert (step.code, step.questions[0].initial) == ("no-account", ANN.email)
    trip.sign_up(BOB)
    trip.run(trip.vendor.answered, {"email": BOB})
    trip.sign_up(ANN.email)
    for address in (ANN.email, BOB, "x@y.example"):
        trip.run(trip.vendor.answered, {"email": address})
    assert [licence["email"] for licence in trip.licences()] == [BOB]


def test_an_address_changed_between_announcing_and_making_is_looked_for_first(trip: Trip) -> None:
    trip.change(emails=lambda: (ANN.email, BOB))
    trip.sign_up(BOB)
    trip.once(trip.vendor.answered, {"email": ANN.email})
    assert trip.order.announced == "licence"
    trip.run(trip.vendor.answered, {"email": BOB})
    assert [licence["email"] for licence in trip.licences()] == [BOB]
    assert trip.calls(POST) == 1


@pytest.mark.parametrize(
    ("emails", "typed", "code"), [((), "", "no-email"), ((ANN.email, BOB), "x@y.z", "unverified")]
)
def test_only_a_verified_address_of_a_member_is_sent(
    trip: Trip, emails: tuple[str, ...], typed: str, code: str
) -> None:
    trip.change(emails=lambda: emails)
    with pytest.raises(Refused) as caught:
        trip.run(trip.vendor.answered, {"email": typed})
    assert (caught.value.who, caught.value.code) == ("merchant", code)
    assert caught.value.note
    assert trip.running.counts("celigo")["calls"] == {}


def test_an_address_that_left_the_team_is_not_used_again(trip: Trip) -> None:
    trip.start()
    trip.change(emails=lambda: (BOB,))
    trip.sign_up(BOB)
    trip.start()
    assert [licence["email"] for licence in trip.licences()] == [BOB]


# -- a licence that is there already ------------------------------------------------------------------


@pytest.mark.parametrize("holder", ["none", "other", "sibling"])
def test_a_licence_we_did_not_make_for_it_is_staffs_turn(trip: Trip, holder: str) -> None:
    desk(trip.running, do="issue", connector=SHOPIFY, email=ANN.email.upper())
    (licence,) = trip.licences()
    trip.held[licence["id"]] = holder  # type: ignore[assignment]
    with pytest.raises(Refused) as caught:
        trip.start()
    assert (caught.value.who, caught.value.cause) == ("staff", "licence-exists")
    assert f"{licence['id']} ({holder})" in caught.value.detail
    assert trip.calls(POST) == 0


def test_a_licence_that_this_shop_holds_is_used(trip: Trip) -> None:
    desk(trip.running, do="issue", connector=SHOPIFY, email=ANN.email)
    trip.held[trip.licences()[0]["id"]] = "self"
    step = trip.start()
    assert isinstance(step, NeedsMerchant)
    assert (step.code, trip.calls(POST)) == ("install", 0)


def test_a_siblings_uninstalled_licence_is_not_taken(trip: Trip) -> None:
    trip.sign_up()
    trip.start()
    trip.change(reference="c2")
    with pytest.raises(Refused, match=r"\(sibling\)"):
        trip.start()
    assert len(trip.licences()) == 1


def test_a_licence_for_another_connector_does_not_matter(trip: Trip) -> None:
    desk(trip.running, do="issue", connector=OTHER, email=ANN.email)
    trip.sign_up()
    trip.start()
    assert trip.calls(POST) == 1
