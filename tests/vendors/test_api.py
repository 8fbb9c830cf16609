"""`Api.send`: what it makes of answers, and of missing ones."""

from __future__ import annotations

import logging
import time
import traceback
from typing import Any

import pytest
import responses
from responses import RequestsMock

from tests.support.canned import RESET, Canned, http
from vendors.contract import Garbled, Refused, Unavailable, Unsure, VendorError
from vendors.http.api import Api, Empty, Nothing, Reply
from vendors.http.wire import retry_after

URL = "https://api.vendor.example/base"
SECRET = "s3cr3t"


class Thing(Reply):
    id: str
    size: int = 0


def make(base_url: str = URL, **settings: Any) -> Api:
    return Api(name="vendor", base_url=base_url, **settings)


def failure(api: Api, **call: Any) -> VendorError:
    with pytest.raises(VendorError) as caught:
        api.send(**{"method": "POST", "path": "/things", "reply": Thing, **call})
    return caught.value


def answered(status: int, body: str = "{}", creates: bool = False, **call: Any) -> VendorError:
    headers = call.pop("answer_headers", {})
    body = "" if status == 204 else body
    with RequestsMock() as mock:
        mock.add(responses.POST, f"{URL}/things", body=body, status=status, headers=headers)
        return failure(make(), creates=creates, **call)


def test_types_are_lenient_and_unknown_fields_are_ignored() -> None:
    with RequestsMock() as mock:
        mock.add(responses.GET, f"{URL}/things", json={"id": 7, "size": "3", "new": [1]})
        thing = make().send("GET", "/things", Thing)
    assert (thing.id, thing.size) == ("7", 3)
    assert repr(thing) == "Thing()"


def test_a_list_of_models_is_a_reply_too() -> None:
    with RequestsMock() as mock:
        mock.add(responses.GET, f"{URL}/things", json=[{"id": "a"}, {"id": "b"}])
        assert [thing.id for thing in make().send("GET", "/things", list[Thing])] == ["a", "b"]


@pytest.mark.parametrize(
    ("status", "plain", "creating"),
    [
        (202, Garbled, Unsure),
        (204, Garbled, Unsure),
        (302, Garbled, Unsure),
        (400, Refused, Refused),
        (401, Refused, Refused),
        (404, Refused, Refused),
        (408, Unavailable, Unsure),
        (409, Refused, Refused),
        (429, Unavailable, Unavailable),
        (500, Unavailable, Unsure),
        (503, Unavailable, Unsure),
    ],
)
def test_a_status_means_more_when_the_call_creates(
    status: int, plain: type[VendorError], creating: type[VendorError]
) -> None:
    error = answered(status)
    assert type(error) is plain
    assert error.detail == f"POST /things answered {status}"
    assert type(answered(status, creates=True)) is creating


@pytest.mark.parametrize("body", ["", "<html>ok</html>", "[]", '{"id": null}', '{"size": 1}'])
def test_a_success_that_cannot_be_read_is_garbled_or_unsure(body: str) -> None:
    assert type(answered(200, body)) is Garbled
    assert type(answered(201, body, creates=True)) is Unsure


def test_a_reply_that_does_not_matter_may_be_anything() -> None:
    with RequestsMock() as mock:
        mock.add(responses.PUT, f"{URL}/things", status=204)
        mock.add(responses.PUT, f"{URL}/things", body="<html>")
        make().send("PUT", "/things", Nothing)
        make().send("PUT", "/things", Nothing)
        assert len(mock.calls) == 2


@pytest.mark.parametrize(("status", "body"), [(204, ""), (200, ""), (200, " \n")])
def test_an_empty_answer_is_a_success(status: int, body: str) -> None:
    with RequestsMock() as mock:
        mock.add(responses.DELETE, f"{URL}/things", body=body, status=status)
        assert repr(make().send("DELETE", "/things", Empty)) == "Empty()"


@pytest.mark.parametrize("body", ["<html>Sign in</html>", "{}", "null"])
@pytest.mark.parametrize(("creates", "kind"), [(False, Garbled), (True, Unsure)])
def test_a_page_is_no_empty_answer(body: str, creates: bool, kind: type[VendorError]) -> None:
    error = answered(200, body, creates, reply=Empty)
    assert type(error) is kind
    assert error.detail.endswith("unreadable: a body where none is documented")


def test_204_alone_may_be_the_success() -> None:
    assert type(answered(200, "", reply=Empty, ok=(204,))) is Garbled
    too_large = answered(200, " " * 3_000_000, reply=Empty)
    assert too_large.detail.endswith("more than we read")


def test_a_call_with_an_idempotency_key_is_no_creation_and_may_give_nothing_back() -> None:
    """It is not marked, so its lost answer is Unavailable: the retry has the same key."""
    key = {"Idempotency-Key": "k-1"}
    with Canned(RESET, http("", "201 Created")) as server:
        assert type(failure(make(server.url), reply=Nothing, headers=key)) is Unavailable
        make(server.url).send("POST", "/things", Nothing, headers=key)
        assert all("Idempotency-Key: k-1" in request for request in server.requests)
    assert type(answered(500, reply=Nothing, headers=key)) is Unavailable


class Taken(Reply):
    existing: str


@pytest.mark.parametrize("creates", [False, True])
def test_the_body_of_a_documented_refusal_is_read(creates: bool) -> None:
    body = f'{{"existing": "{SECRET}", "code": "taken"}}'
    error = answered(409, body, creates, refused={409: Taken}, machine_code=lambda _, b: b["code"])
    assert isinstance(error, Refused)
    assert isinstance(error.reply, Taken)
    assert error.reply.existing == SECRET
    assert (error.code, error.status, error.detail) == ("taken", 409, "POST /things answered 409")
    assert SECRET not in f"{error} {error!r} {error.reply!r} {error.args}"


@pytest.mark.parametrize(
    ("status", "body"),
    [(409, "<html>"), (409, "{}"), (409, "[]"), (409, ""), (404, '{"existing": "1"}')],
)
def test_another_refusal_has_no_body(status: int, body: str) -> None:
    error = answered(status, body, refused={409: Taken})
    assert isinstance(error, Refused)
    assert (error.status, error.reply) == (status, None)


def test_credentials_may_be_refused_with_a_body_too() -> None:
    error = answered(403, '{"existing": "1"}', refused={403: Taken})
    assert isinstance(error, Refused)
    assert (error.cause, type(error.reply)) == ("credentials", Taken)


@pytest.mark.parametrize("status", [200, 302, 408, 429, 500])
def test_only_a_refusal_has_such_a_body(status: int) -> None:
    with pytest.raises(ValueError, match="a refusal is a 4xx"):
        make().send("GET", "/things", Thing, refused={status: Taken})


def test_wrong_credentials_are_staffs_unless_they_are_the_merchants() -> None:
    error = answered(403)
    assert isinstance(error, Refused)
    assert (error.who, error.cause, error.status) == ("staff", "credentials", 403)
    theirs = answered(401, credentials="merchant")
    assert isinstance(theirs, Refused)
    assert theirs.who == "merchant"


@pytest.mark.parametrize(
    ("body", "code"),
    [('{"code": "taken"}', "taken"), (f'{{"code": "no {SECRET}!"}}', ""), ("<html>", "")],
)
def test_only_a_machine_code_of_an_error_is_kept(body: str, code: str) -> None:
    error = answered(422, body, machine_code=lambda _, body: (body or {}).get("code", ""))
    assert isinstance(error, Refused)
    assert (error.code, error.status) == (code, 422)
    assert SECRET not in str(error)


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("120", 120, 120),
        ("99999999", 86_400, 86_400),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 86_400, 86_400),
        ("Sat, 01 Jan 2000 00:00:00 GMT", 0, 0),
    ],
)
def test_retry_after_is_read_and_capped(value: str, least: float, most: float) -> None:
    error = answered(429, answer_headers={"Retry-After": value})
    assert isinstance(error, Unavailable)
    assert error.retry_after is not None
    assert least <= error.retry_after <= most


@pytest.mark.parametrize("value", ["", "soon", "-5", "1e9", "٣"])
def test_an_odd_retry_after_is_none(value: str) -> None:
    assert retry_after(value) is None


def test_nothing_secret_gets_into_errors_or_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Canned(http(f'{{"id": {{"x": "{SECRET}"}}}}'), RESET) as server:
        api = make(server.url, headers={"X-Key": SECRET})
        call = {"path": "/a/{id}", "parts": {"id": SECRET}, "query": {"q": SECRET}}
        errors = [failure(api, method="GET", bearer=SECRET, **call) for _ in range(2)]
    texts = "".join("".join(traceback.format_exception(error)) for error in errors)
    assert SECRET not in texts + caplog.text + repr(api)
    assert "GET /a/{id} answered 200, unreadable: id(string_type)" in texts
    assert "vendor: GET /a/{id}: 200 in" in caplog.text


def test_ids_are_encoded_into_the_path() -> None:
    with Canned(http('{"id": 1}')) as server:
        make(f"{server.url}/v/").send("GET", "/a/{id}", Thing, parts={"id": "x/../ä?"})
        assert server.requests[0].startswith("GET /v/a/x%2F..%2F%C3%A4%3F HTTP/1.1")


@pytest.mark.parametrize("part", ["", ".", ".."])
def test_an_id_that_would_be_another_path_is_not_sent(part: str) -> None:
    assert type(failure(make(), path="/a/{id}", parts={"id": part}, creates=True)) is Garbled


@pytest.mark.parametrize("creates", [False, True])
@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://nowhere.invalid"])
def test_what_never_left_has_made_nothing(url: str, creates: bool) -> None:
    error = failure(make(url), creates=creates)
    assert type(error) is Unavailable
    assert error.detail == "POST /things could not be sent: no connection"


@pytest.mark.parametrize(("creates", "kind"), [(False, Unavailable), (True, Unsure)])
def test_a_lost_answer_is_unsure_only_for_a_creation(
    creates: bool, kind: type[VendorError]
) -> None:
    with Canned(RESET) as server:
        assert type(failure(make(server.url), creates=creates)) is kind
        assert len(server.requests) == 1


def test_a_read_is_repeated_once_when_it_may_be() -> None:
    with Canned(RESET, http('{"id": 1}'), RESET, RESET) as server:
        assert make(server.url).send("GET", "/things", Thing, retries=1).id == "1"
        assert type(failure(make(server.url), method="GET", retries=1)) is Unavailable
        assert len(server.requests) == 4
    with pytest.raises(ValueError, match="only a GET"):
        make().send("POST", "/things", Thing, retries=1)


DRIPS = [
    (b"HTTP/1.1 200 OK\r\n", b"X-Slow: 1\r\n"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n", b" "),
    (b"HTTP/1.1 200 OK\r\n\r\n{}", b" "),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
]


@pytest.mark.parametrize("drip", DRIPS)
@pytest.mark.parametrize(("creates", "kind"), [(False, Unavailable), (True, Unsure)])
def test_a_slow_drip_ends_at_the_deadline(
    drip: tuple[bytes, bytes], creates: bool, kind: type[VendorError]
) -> None:
    started = time.monotonic()
    with Canned(drip) as server:
        error = failure(make(server.url, total=0.2), creates=creates)
    assert type(error) is kind
    assert error.detail == "POST /things took too long"
    assert time.monotonic() - started < 2
