"""Celigo's client and flow on odd replies of a single call, and its settings."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import responses

from tests.vendors.celigo.trip import ANN, simple_order
from vendors.celigo.client import Client
from vendors.celigo.flow import Celigo
from vendors.contract import Connected, Garbled, NeedsMerchant, Refused, Step, Unavailable, Unsure

API = "https://api.integrator.io/v1"
LIST = f"{API}/connectors/c/licenses"
ONE = f"{LIST}/l1"
INSTALLED = {
    "_id": "l1",
    "expires": "2026-12-22T00:00:00.000Z",
    "created": "2026-11-22T00:00:00.000Z",
    "opts": {"connectorEdition": "standard"},
    "user": {"email": ANN.email, "_id": "u1", "name": "Ann"},
    "_integrationId": "i1",
}
NOTE = {"email": ANN.email, "before": []}
VENDOR = Celigo(api_token="s3cr3t")


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def client() -> Client:
    return VENDOR.client()


def issued(web: responses.RequestsMock, **reply: Any) -> Step:
    web.post(LIST, **reply)
    return VENDOR.start(simple_order(NOTE, announced="licence"))


# -- errors[] -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 400, 404, 409, 422, 500, 503])
@pytest.mark.parametrize(
    "errors",
    [
        [{"code": "invalid_user"}],
        [{"code": "invalid_user", "message": None, "field": "email"}],
        [{"message": "odd"}, "odd", {"code": "invalid_field"}, {"code": "invalid_user"}],
    ],
)
def test_an_unknown_user_is_known_by_the_code_alone(
    web: responses.RequestsMock, status: int, errors: list[Any]
) -> None:
    step = issued(web, json={"errors": errors}, status=status)
    assert isinstance(step, NeedsMerchant)
    assert step.code == "no-account"


@pytest.mark.parametrize("status", [200, 201, 422])
@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ([{"field": "expires", "code": "missing_required_field"}], "missing_required_field"),
        ([{"message": "no code"}], "error"),
        ({"code": "alone"}, "alone"),
    ],
)
def test_any_other_error_is_staffs_turn(
    web: responses.RequestsMock, status: int, errors: Any, code: str
) -> None:
    with pytest.raises(Refused) as caught:
        issued(web, json={"errors": errors}, status=status)
    assert (caught.value.who, caught.value.code) == ("staff", code)


@pytest.mark.parametrize("errors", [None, []])
def test_no_errors_are_none(web: responses.RequestsMock, errors: Any) -> None:
    step = issued(web, json={**INSTALLED, "errors": errors}, status=201)
    assert step.connection_key == "l1"


@pytest.mark.parametrize("status", [200, 429, 500])
def test_a_rate_limit_is_known_by_its_code_too(web: responses.RequestsMock, status: int) -> None:
    body = {"errors": [{"code": "rate_limited", "message": "slow down"}]}
    with pytest.raises(Unavailable) as caught:
        issued(web, json=body, status=status, headers={"Retry-After": "17"})
    assert caught.value.retry_after == 17


def test_a_rate_limit_may_not_say_for_how_long(web: responses.RequestsMock) -> None:
    with pytest.raises(Unavailable) as caught:
        issued(web, body="<html>", status=429)
    assert caught.value.retry_after is None


@pytest.mark.parametrize("status", [200, 401, 403])
def test_a_token_without_rights_is_staffs_turn(web: responses.RequestsMock, status: int) -> None:
    web.get(LIST, json={"errors": [{"code": "access_restricted"}]}, status=status)
    with pytest.raises(Refused) as caught:
        VENDOR.start(simple_order())
    assert (caught.value.who, caught.value.cause) == ("staff", "credentials")


@pytest.mark.parametrize(
    "reply",
    [
        {"body": "<html>502</html>", "status": 201},
        {"status": 204},
        {"json": {"expires": "2026-12-22T00:00:00.000Z"}, "status": 201},
        {"json": {**INSTALLED, "user": {"email": "other@shop.example"}}, "status": 201},
        {"json": {"errors": [{"code": "internal"}]}, "status": 500},
    ],
)
def test_an_odd_answer_to_a_creation_is_unsure(
    web: responses.RequestsMock, reply: dict[str, Any]
) -> None:
    with pytest.raises(Unsure) as caught:
        issued(web, **reply)
    assert caught.value.cause == "unsure-licence"
    assert ANN.email not in caught.value.detail


# -- one licence ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"user": {"email": ANN.email, "_id": 12}, "_integrationId": 34}, Connected),
        ({"expires": None}, Connected),
        ({"expires": "soon"}, Connected),
        ({"_integrationId": None}, NeedsMerchant),
        ({"_integrationId": ""}, NeedsMerchant),
        ({"user": {"email": ANN.email}}, NeedsMerchant),
        ({"user": None}, NeedsMerchant),
        ({"expires": "2026-11-22T00:00:00.000Z"}, NeedsMerchant),
    ],
)
def test_installed_means_a_user_and_an_integration(
    web: responses.RequestsMock, change: dict[str, Any], kind: type[Step]
) -> None:
    web.get(ONE, json={**INSTALLED, **change})
    assert isinstance(VENDOR.check(simple_order({"id": "l1"}, purpose="check")), kind)


def test_what_a_check_cannot_read_is_no_verdict(web: responses.RequestsMock) -> None:
    web.get(ONE, body="<html>")
    with pytest.raises(Garbled):
        VENDOR.check(simple_order({"id": "l1"}, purpose="check"))


def test_a_put_carries_all_that_it_would_else_erase(web: responses.RequestsMock) -> None:
    odd = {**INSTALLED, "expires": "08/03/2027", "sandbox": True, "_editionId": "e", "new": 1}
    web.get(ONE, json=odd)
    sent = {"expires": "08/03/2027", "opts": opts("premium"), "sandbox": True, "_editionId": "e"}
    web.put(ONE, json=odd, match=[responses.matchers.json_params_matcher(sent)])
    VENDOR.act(simple_order({"id": "l1"}, purpose="act"), "edition", {"edition": "premium"})


def opts(edition: str) -> dict[str, Any]:
    return {"connectorEdition": edition}


@pytest.mark.parametrize("expires", [None, "2026-12-22T00:00:00.000Z"])
def test_an_answer_that_the_licence_goes_on_is_no_end(
    web: responses.RequestsMock, expires: str | None
) -> None:
    web.get(ONE, json=INSTALLED)
    web.put(ONE, json={**INSTALLED, "expires": expires})
    with pytest.raises(Garbled, match="another end"):
        VENDOR.end(simple_order({"id": "l1", "former": INSTALLED["expires"]}, purpose="end"))


@pytest.mark.parametrize(("status", "there"), [(200, True), (204, True), (404, False)])
def test_deleted_and_gone_are_both_success(
    client: Client, web: responses.RequestsMock, status: int, there: bool
) -> None:
    web.delete(ONE, status=status)
    web.delete(f"{API}/connectors/c", status=status)
    assert client.delete_licence("c", "l1") is there
    assert client.delete_connector("c") is there


def test_a_refused_delete_is_none(client: Client, web: responses.RequestsMock) -> None:
    web.delete(ONE, json={"errors": [{"code": "invalid_ref"}]}, status=200)
    with pytest.raises(Refused):
        client.delete_licence("c", "l1")


def test_nothing_secret_is_logged(
    web: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    web.get(LIST, json=[INSTALLED])
    with pytest.raises(Refused) as caught:
        VENDOR.start(simple_order())
    for secret in ("s3cr3t", ANN.email):
        assert secret not in caplog.text + caught.value.detail
