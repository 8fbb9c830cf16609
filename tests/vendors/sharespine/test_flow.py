"""Sharespine's flow against the sandbox, over real HTTP; odd replies of one call by `responses`."""

from __future__ import annotations

import logging

import pytest
import requests

from tests.vendors.sharespine.trip import ANN, BOB, Trip
from vendors.contract import (
    Connected,
    Progress,
    Redirect,
    Refused,
    StartOver,
    Unavailable,
    Unsure,
    VendorError,
)
from vendors.sandbox import Running

TENANT = "POST /reseller/tenant"
USER = "POST /reseller/tenant/{codeName}/user"
CONNECTION = "POST /reseller/tenant/{codeName}/connection"
LOGIN = "POST /reseller/tenant/{codeName}/login/{login}"
ROUTES = {"tenant": TENANT, "user": USER, "api_user": USER, "connection": CONNECTION}


def raised(trip: Trip, kind: type[VendorError]) -> VendorError:
    with pytest.raises(kind) as caught:
        trip.run(trip.vendor.start)
    return caught.value


def test_a_new_merchant_gets_everything_once_and_an_open_door(running: Running) -> None:
    trip = Trip(running.url)
    step = trip.run(trip.vendor.start)
    assert isinstance(step, Redirect)
    assert step.expires_at
    assert (step.returns, "login" in step.done) == (False, True)
    assert trip.ticks() == ["tenant", "user", "api_user", "connection"]
    assert trip.order.account_key == "demoacme-1"
    made = {"tenants": 1, "users": 2, "connections": 1, "logins": 1}
    assert running.counts("sharespine")["made"] == made
    assert "Sharespine" in requests.get(step.url, timeout=5).text


def test_each_creation_is_announced_before_and_promoted_after(running: Running) -> None:
    trip = Trip(running.url)
    trip.run(trip.vendor.start)
    steps = [step for step in trip.steps if isinstance(step, Progress)]
    assert [step.announce for step in steps[::2]] == ["tenant", "user", "api_user", "connection"]
    assert all(step.promote and step.account and not step.announce for step in steps[1::2])
    assert all(step.account is None for step in steps[::2])


def test_what_is_sent_is_what_the_merchant_and_the_operator_said(running: Running) -> None:
    trip = Trip(running.url, options=("a", "b"), permissions=("p",), configuration={"k": 1})
    trip.change(options={"options": ["c"], "path": "/shops"})
    trip.run(trip.vendor.start)
    state = running.state("sharespine")
    tenant, (user, machine) = state["tenants"][0], state["users"]
    assert (tenant["customerReference"], tenant["fullName"]) == ("acme", "Acme AB")
    assert (tenant["options"], user["permissions"]) == (["c"], ["p"])
    assert (user["login"], user["email"], user["fullName"]) == ("u-7", "ann@shop.example", "Ann")
    assert (machine["login"], machine["email"]) == ("api", "gangway@example.com")
    assert state["connections"][0]["configuration"] == {"k": 1}
    assert state["logins"][0]["path"] == "/shops"


def test_without_a_merchant_no_link_is_minted(running: Running) -> None:
    trip = Trip(running.url)
    trip.change(present=False)
    step = trip.run(trip.vendor.start)
    assert isinstance(step, Redirect)
    assert (step.url, step.returns) == ("", False)
    assert "logins" not in running.counts("sharespine")["made"]


def test_a_returning_merchant_gets_a_login_url_alone(running: Running) -> None:
    trip = Trip(running.url)
    trip.run(trip.vendor.start)
    for purpose in ("connect", "reconnect", "enter"):
        trip.change(purpose=purpose, reference="c2")
        assert isinstance(trip.vendor.enter(trip.order), Redirect)
    made = running.counts("sharespine")["made"]
    assert (made["tenants"], made["users"], made["logins"]) == (1, 2, 4)


def test_another_member_gets_a_sign_in_of_their_own(running: Running) -> None:
    trip = Trip(running.url)
    trip.run(trip.vendor.start)
    trip.change(user=lambda: BOB, purpose="enter")
    step = trip.run(trip.vendor.enter)
    assert isinstance(step, Redirect)
    assert "/u-8/" in step.url
    assert trip.order.memos.account["users"] == {"7": "u-7", "8": "u-8"}


@pytest.mark.parametrize("key", list(ROUTES))
@pytest.mark.parametrize("fault", [{"kind": "reset", "when": "after"}, {"kind": "html"}])
def test_a_lost_answer_is_never_asked_for_again(
    running: Running, key: str, fault: dict[str, str]
) -> None:
    trip = Trip(running.url)
    while trip.order.announced != key:
        trip.once(trip.vendor.start)
    running.fault("sharespine", ROUTES[key], **fault)  # type: ignore[arg-type]
    assert raised(trip, Unsure).cause == f"unsure-{key}"
    made = running.counts("sharespine")["made"]
    trip.change(unsure=key)
    again = raised(trip, Unsure)
    assert again.cause == f"unsure-{key}"
    assert ("acme" if key == "tenant" else "demoacme-1") in again.detail
    assert running.counts("sharespine")["made"] == made


@pytest.mark.parametrize("key", list(ROUTES))
def test_what_staff_found_goes_on_as_if_it_had_been_answered(running: Running, key: str) -> None:
    trip = Trip(running.url)
    while trip.order.announced != key:
        trip.once(trip.vendor.start)
    running.fault("sharespine", ROUTES[key], kind="reset", when="after")
    raised(trip, Unsure)
    trip.change(unsure=key)
    rows = running.state("sharespine")
    found = {"tenant": "demoacme-1", "user": "u-7", "api_user": "api"}
    id_there = found.get(key) or rows["connections"][0]["id"]
    step = trip.once(lambda order: trip.vendor.resolve(order, id_there))
    is_known = key in {
        "user",
        "api_user",
    }  # Sharespine can be asked for a user, and for nothing else
    assert (step.done, step.promote) == ((key,) if is_known else (), True)
    trip.change(unsure="", found={} if is_known else {key: id_there})
    assert isinstance(trip.run(trip.vendor.start), Redirect)
    made = running.counts("sharespine")["made"]
    assert (made["tenants"], made["users"], made["connections"]) == (1, 2, 1)


def entered(running: Running, key: str, id: str) -> Trip:
    """The answer to a creation was lost, and staff have entered this id."""
    trip = Trip(running.url)
    while trip.order.announced != key:
        trip.once(trip.vendor.start)
    running.fault("sharespine", ROUTES[key], kind="reset", when="before")
    raised(trip, Unsure)
    trip.change(unsure=key)
    trip.once(lambda order: trip.vendor.resolve(order, id))
    trip.change(unsure="", found={key: id})
    return trip


def test_a_tenant_that_staff_entered_is_not_the_accounts_before_a_call_has_worked(
    running: Running,
) -> None:
    trip = entered(running, "tenant", "nonsense-123")
    assert trip.order.account_key == ""
    trip.once(trip.vendor.start)
    unsure = raised(trip, Unsure)
    assert isinstance(unsure, Unsure)
    assert (unsure.creation, unsure.cause) == ("tenant", "unsure-tenant")
    assert "Sharespine does not know this id: nonsense-123" in unsure.detail
    assert "users" not in running.counts("sharespine")["made"]


@pytest.mark.parametrize("status", [400, 403, 404, 410, 422])
def test_any_refusal_of_the_first_call_on_an_entered_tenant_asks_staff_again(
    running: Running, status: int
) -> None:
    trip = entered(running, "tenant", "nonsense-123")
    trip.once(trip.vendor.start)
    running.fault("sharespine", ROUTES["user"], kind="status", status=status)
    unsure = raised(trip, Unsure)
    assert isinstance(unsure, Unsure)
    assert unsure.creation == "tenant"


def test_refused_credentials_say_nothing_about_an_entered_id(running: Running) -> None:
    trip = entered(running, "tenant", "nonsense-123")
    trip.once(trip.vendor.start)
    running.fault("sharespine", ROUTES["user"], kind="status", status=401)
    refused = raised(trip, Refused)
    assert isinstance(refused, Refused)
    assert refused.who == "staff"


@pytest.mark.parametrize("key", ["user", "api_user"])
def test_a_user_that_staff_found_is_asked_for_at_once(running: Running, key: str) -> None:
    trip = Trip(running.url)
    while trip.order.announced != key:
        trip.once(trip.vendor.start)
    running.fault("sharespine", ROUTES[key], kind="reset", when="before")
    raised(trip, Unsure)
    trip.change(unsure=key)
    with pytest.raises(Refused) as refused:
        trip.vendor.resolve(trip.order, "u-7" if key == "user" else "api")
    assert "does not know this login" in str(refused.value.note)


def test_a_connection_that_staff_entered_is_named_when_the_tenant_api_refuses(
    running: Running,
) -> None:
    trip = entered(running, "connection", "nonsense-123")
    assert isinstance(trip.run(trip.vendor.start), Redirect)
    assert "connection" not in trip.steps[-1].done
    (row,) = [row for row in running.state("sharespine")["users"] if row["login"] == "api"]
    trip.change(staff={"api_password": row["password"]})
    with pytest.raises(Refused) as refused:
        trip.vendor.returned(trip.order, {})
    assert "the id of the API connection that staff entered is wrong: nonsense-123" in str(
        refused.value
    )


def test_what_does_not_exist_is_announced_and_made_again(running: Running) -> None:
    trip = Trip(running.url)
    trip.once(trip.vendor.start)
    running.fault("sharespine", TENANT, kind="reset", when="before")
    raised(trip, Unsure)
    trip.change(unsure="tenant")
    trip.once(lambda order: trip.vendor.resolve(order, None))
    trip.change(unsure="")
    assert isinstance(trip.run(trip.vendor.start), Redirect)
    assert running.counts("sharespine")["made"]["tenants"] == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refused_tenant_is_staffs_turn(running: Running, status: int) -> None:
    running.fault("sharespine", TENANT, kind="status", status=status)
    error = raised(Trip(running.url), Refused)
    assert isinstance(error, Refused)
    assert (error.who, error.status) == ("staff", status)


def test_wrong_credentials_are_staffs_turn(running: Running) -> None:
    error = raised(Trip(running.url, password="wrong"), Refused)
    assert error.cause == "credentials"
    assert raised(Trip(running.url, reseller="wrong"), Refused).cause == "credentials"


def test_a_login_url_that_does_not_come_costs_nothing(running: Running) -> None:
    running.fault("sharespine", LOGIN, kind="reset", when="after")
    trip = Trip(running.url)
    raised(trip, Unavailable)
    assert isinstance(trip.run(trip.vendor.start), Redirect)
    assert running.counts("sharespine")["made"]["tenants"] == 1


def test_too_many_requests_happen_nowhere(running: Running) -> None:
    headers = {"Retry-After": "30"}
    running.fault("sharespine", TENANT, kind="status", status=429, headers=headers)
    error = raised(Trip(running.url), Unavailable)
    assert isinstance(error, Unavailable)
    assert error.retry_after == 30


def test_finished_is_connected_on_the_merchants_word(running: Running) -> None:
    trip = Trip(running.url)
    trip.run(trip.vendor.start)
    step = trip.vendor.returned(trip.order, {})
    assert isinstance(step, Connected)
    assert (step.shop_id, step.confirmed) == ("demoacme-1/c1", False)
    assert "You marked" in str(step.evidence)
    trip.change(user=lambda: BOB)
    assert isinstance(trip.vendor.returned(trip.order, {}), Connected)


def test_finished_without_a_prepared_connection_starts_over(running: Running) -> None:
    trip = Trip(running.url)
    step = trip.vendor.returned(trip.order, {})
    assert isinstance(step, StartOver)
    assert "not ready yet" in str(step.note)
    assert running.counts("sharespine")["calls"] == {}
    trip.run(trip.vendor.start)
    assert isinstance(trip.vendor.returned(trip.order, {}), Connected)


def test_nothing_secret_is_logged(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="vendors.http.api")
    trip = Trip(running.url)
    step = trip.run(trip.vendor.start)
    assert isinstance(step, Redirect)
    token = step.url.rpartition("/")[2]
    lines = [record.getMessage() for record in caplog.records if record.name == "vendors.http.api"]
    assert len(lines) == 5
    secrets = (token, trip.vendor.password, ANN.email, "demoacme-1")
    assert not any(secret in line for secret in secrets for line in lines)
    assert step.url not in repr(step)
