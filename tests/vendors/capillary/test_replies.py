"""What we make of Capillary's odd replies, one call at a time, without a server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import responses
from responses import RequestsMock

from vendors.capillary.client import (
    ApiClient,
    Client,
    NewClient,
    machine_code,
    meaning,
    usable_seconds,
)
from vendors.contract import Garbled, Refused, Unavailable, Unsure, VendorError

API = "https://eu.api.capillary.example"
CLIENTS = f"{API}/v3/integrations/clients"
TOKEN = f"{API}/v3/oauth/token/generate"
NEW: NewClient = {
    "name": "n", "description": "d", "expirationTokenTime": 600, "defaultTillId": 1, "scopes": [],
}  # fmt: skip
MADE = {"clientKey": "k1", "clientSecret": "s3cr3t", "isValid": True}
OLDER_498 = {"response": {"status": {"success": "true", "code": "498", "message": "Token expired"}}}


@pytest.fixture
def mock() -> Iterator[RequestsMock]:
    with RequestsMock() as started:
        yield started


def basic() -> Client:
    return Client(api_url=API, auth="basic", username="till.1", password="pässword")


def oauth(key: str) -> Client:
    """Each test has a key of its own: tokens are kept for the whole process."""
    return Client(api_url=API, key=key, secret="s")


def token(mock: RequestsMock, access: str, seconds: Any = 600) -> None:
    data = {"accessToken": access, "ttlSeconds": seconds}
    mock.add(responses.POST, TOKEN, json={"data": data, "errors": None})


def failure(mock: RequestsMock, method: str = "GET", **reply: Any) -> VendorError:
    mock.add(method, CLIENTS, **reply)
    with pytest.raises(VendorError) as caught:
        basic().clients() if method == "GET" else basic().create(NEW)
    return caught.value


# -- envelopes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"data": [], "errors": None}, ""),
        ({"data": True, "errors": [{"code": 0, "message": ""}]}, ""),
        ({"data": None, "errors": []}, ""),
        ({"data": None, "errors": [{"code": 0, "message": ""}, {"code": 320001}]}, "320001"),
        ({"data": None, "errors": [{"code": "0", "message": "something"}]}, "unknown"),
        ({"data": None, "errors": {"code": 1060}}, "1060"),
        ({"errors": ["went wrong"]}, "unknown"),
        (OLDER_498, "498"),
        ({"response": {"status": {"success": True, "code": 200}}}, ""),
        ({"response": {"status": {"success": "false"}}}, "unknown"),
        ({"response": {"status": {"success": False, "code": 403}}}, "403"),
        ({"response": "no"}, ""),
        (None, ""),
        ([1], ""),
    ],
)
def test_every_shape_of_an_error_is_found(body: Any, code: str) -> None:
    assert machine_code(200, body) == code


def error(code: Any, data: Any = None) -> dict[str, Any]:
    return {"data": data, "errors": [{"code": code, "message": "m"}]}


@pytest.mark.parametrize(
    ("status", "body", "means"),
    [
        (200, {"data": [], "errors": None}, 200),
        (201, {"data": {}, "errors": None}, 201),
        (201, error(1060), 422),
        (201, error(1060, data={"clientKey": "k"}), 207),
        (200, error(320001), 401),
        (500, error("320001"), 401),
        (400, error(498), 498),
        (200, OLDER_498, 498),
        (400, error(1060), 400),
        (403, error(4000), 403),
        (503, error(4001), 429),
        (461, None, 429),
        (521, None, 429),
        (200, error(461), 429),
        (200, error(404), 404),
        (502, error(12), 502),
        (429, error(498), 429),
        (404, None, 404),
    ],
)
def test_the_body_decides_what_a_status_means(status: int, body: Any, means: int) -> None:
    assert meaning(status, body) == means


@pytest.mark.parametrize(
    "reply",
    [
        {"body": "<html>Bad gateway</html>", "status": 502},
        {"json": error(1, data=MADE), "status": 201},
        {"json": {"data": {"clientKey": "k1"}, "errors": None}},
        {"json": {"data": None, "errors": None}},
        {"body": "<html>"},
        {"status": 204},
    ],
)
def test_a_creation_without_a_clear_answer_is_unsure(
    mock: RequestsMock, reply: dict[str, Any]
) -> None:
    found = failure(mock, "POST", **reply)
    assert isinstance(found, Unsure)
    assert "s3cr3t" not in str(found)


@pytest.mark.parametrize("reply", [{"status": 201, "json": error(1)}, {"json": error(320015)}])
def test_a_creation_that_was_refused_made_nothing(
    mock: RequestsMock, reply: dict[str, Any]
) -> None:
    assert isinstance(failure(mock, "POST", **reply), Refused)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ({"body": "<html>", "status": 502}, Unavailable),
        ({"body": "<html>", "status": 200}, Garbled),
        ({"json": {"data": None, "errors": None}}, Garbled),
        ({"json": {"data": [{"name": "no key"}]}}, Garbled),
        ({"json": []}, Garbled),
        ({"json": {"response": {"status": {"success": "true", "code": "403"}}}}, Refused),
    ],
)
def test_an_odd_list_is_no_list(
    mock: RequestsMock, reply: dict[str, Any], kind: type[VendorError]
) -> None:
    assert isinstance(failure(mock, **reply), kind)


# -- lenient in type -----------------------------------------------------------------------------


def test_numbers_may_be_text_and_times_have_no_colon(mock: RequestsMock) -> None:
    row = {
        "clientKey": 12, "isValid": "true", "expirationTokenTime": "600", "defaultTillId": "7",
        "attribution": {"createdOn": "2020-04-15T14:14:06.104+0530", "lastUpdatedOn": "yesterday"},
        "scopes": [{"entityId": "2", "permission": "READ"}], "more": {},
    }  # fmt: skip
    mock.add(responses.GET, f"{CLIENTS}/12", json={"data": row})
    found = basic().get("12")
    assert isinstance(found, ApiClient)
    assert (found.expiry, found.till, found.valid) == (600, 7, True)
    assert found.attribution.created == datetime(2020, 4, 15, 8, 44, 6, 104000, tzinfo=UTC)
    assert found.attribution.changed is None
    assert found.scopes is not None
    assert found.scopes[0].entity_id == 2


@pytest.mark.parametrize("row", [{}, {"attribution": None, "isValid": None}, {"attribution": "x"}])
def test_what_we_only_show_may_be_missing(mock: RequestsMock, row: dict[str, Any]) -> None:
    mock.add(responses.GET, CLIENTS, json={"data": [{"clientKey": "k", **row}]})
    (found,) = basic().clients()
    assert (found.valid, found.attribution.created) == (True, None)


def test_an_answer_for_another_client_is_garbled(mock: RequestsMock) -> None:
    mock.add(responses.GET, f"{CLIENTS}/k1", json={"data": {"clientKey": "k2"}})
    with pytest.raises(Garbled, match="another client"):
        basic().get("k1")


@pytest.mark.parametrize(("reply", "was"), [({"isValid": False}, True), ({}, True), (None, False)])
def test_a_deleted_client_is_deleted(mock: RequestsMock, reply: Any, was: bool) -> None:
    json = {"data": {"clientKey": "k1", **reply}} if reply is not None else error(404)
    mock.add(responses.DELETE, f"{CLIENTS}/k1", json=json)
    assert basic().delete("k1") is was


def test_a_deleted_client_that_is_still_valid_is_garbled(mock: RequestsMock) -> None:
    mock.add(responses.DELETE, f"{CLIENTS}/k1", json={"data": {"clientKey": "k1", "isValid": True}})
    with pytest.raises(Garbled):
        basic().delete("k1")


# -- the operator's sign-in ----------------------------------------------------------------------


def test_basic_sends_the_md5_of_the_password(mock: RequestsMock) -> None:
    mock.add(responses.GET, CLIENTS, json={"data": []})
    basic().clients()
    # made with md5sum and base64 in a shell
    sent = mock.calls[0].request.headers["Authorization"]
    assert sent == "Basic dGlsbC4xOjhlMTg0MzAzM2EwZjZlZTUyZTJmNjE4YWE4ZWJiZWY0"


def test_a_token_is_kept_and_goes_in_its_own_header(mock: RequestsMock) -> None:
    token(mock, "a.b.c")
    mock.add(responses.GET, CLIENTS, json={"data": []})
    for _ in range(3):
        oauth("kept").clients()
    assert [call.request.method for call in mock.calls] == ["POST", "GET", "GET", "GET"]
    headers = mock.calls[1].request.headers
    assert (headers["X-CAP-API-OAUTH-TOKEN"], headers.get("Authorization")) == ("a.b.c", None)


@pytest.mark.parametrize(
    ("seconds", "used"), [(10, 9), (120, 108), (121, 61), (600, 540), (None, 0), (0, 0)]
)
def test_a_token_is_used_a_little_shorter_than_it_lasts(seconds: int | None, used: float) -> None:
    assert usable_seconds(seconds) == used


@pytest.mark.parametrize("expired", [{"status": 498}, {"json": OLDER_498}, {"json": error(498)}])
def test_an_expired_token_is_replaced_once(mock: RequestsMock, expired: dict[str, Any]) -> None:
    client = oauth(f"twice-{sorted(expired)}-{expired}")
    for access in ("first", "second"):
        token(mock, access)
        mock.add(responses.GET, CLIENTS, **expired)
    with pytest.raises(Refused) as caught:
        client.clients()
    assert (caught.value.status, caught.value.who) == (498, "staff")
    tokens = [call.request.headers.get("X-CAP-API-OAUTH-TOKEN") for call in mock.calls]
    assert tokens == [None, "first", None, "second"]


def test_a_creation_goes_on_with_a_new_token(mock: RequestsMock) -> None:
    token(mock, "first")
    mock.add(responses.POST, CLIENTS, status=498)
    token(mock, "second")
    mock.add(responses.POST, CLIENTS, json={"data": MADE})
    assert oauth("creating").create(NEW).secret == "s3cr3t"


@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_a_wrong_key_is_told_by_its_code(mock: RequestsMock, status: int) -> None:
    mock.add(responses.POST, TOKEN, json=error(320001), status=status)
    with pytest.raises(Refused) as caught:
        oauth(f"wrong-{status}").clients()
    assert (caught.value.cause, caught.value.code) == ("credentials", "320001")


def test_a_token_that_cannot_stand_in_a_header_is_garbled(mock: RequestsMock) -> None:
    token(mock, "a\r\nX-Evil: 1")
    with pytest.raises(Garbled) as caught:
        oauth("evil").clients()
    assert "Evil" not in str(caught.value)
