"""`vendors/http/reply.py`: what a reply may hold. Odd values are unreadable by the name of their field."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError, create_model

import vendors
from tests.support.canned import Canned, http
from vendors._template.flow import Template
from vendors.capillary.client import ApiClient, CreatedClient, Token
from vendors.capillary.client import meaning as capillary_meaning
from vendors.celigo.client import Connector, Licence
from vendors.contract import Garbled, Unavailable, Unsure
from vendors.http.api import Api, Empty, Nothing, Reply, Unread
from vendors.http.reply import Id, Lines, Number, Seconds, Secret, Url, Words, loose_json, parse
from vendors.http.times import Moment, read_time
from vendors.http.wire import clock_ahead, retry_after
from vendors.itembase.client import Activation, Grant, Instance, Link, Me
from vendors.sharespine.client import ORDERS, LoginLink, Tenant


class Thing(Reply):
    id: Id
    token: Secret = "t"
    url: Url = "https://vendor.example/"
    name: Words | None = None
    about: Lines | None = None
    size: Number = 0
    lasts: Seconds = 0
    at: Moment | None = None


def thing(**fields: Any) -> Thing:
    return parse(json.dumps({"id": "a", **fields}).encode(), Thing)


# -- every field of every vendor -------------------------------------------------------------------


def replies(of: type[Reply] = Reply) -> Iterator[type[Reply]]:
    for model in of.__subclasses__():
        generic = model.__pydantic_generic_metadata__
        if model.__module__.startswith("vendors.") and not (
            generic["args"] or generic["parameters"]
        ):
            yield model
        yield from replies(model)


for each in (*vendors.ALL, Template):
    import_module(each.__module__.replace(".flow", ".client"))
FIELDS = sorted({(model, name) for model in replies() for name in model.model_fields}, key=repr)
ODD = ["\0", "a\0", "x" * 30_000, "\x1b[0m", "\u2028", "\udcff", 2**63, 10**30, float("inf")]


def stands_in(odd: object, value: object) -> bool:
    if isinstance(value, list | tuple):
        return any(stands_in(odd, each) for each in value)
    if isinstance(value, dict):
        return any(stands_in(odd, each) for each in (*value, *value.values()))
    return type(value) is type(odd) and value == odd


@pytest.mark.parametrize(
    ("model", "name"), FIELDS, ids=lambda part: getattr(part, "__name__", part)
)
@pytest.mark.parametrize("odd", ODD, ids=ascii)
def test_no_field_of_any_reply_lets_an_odd_value_through(
    model: type[Reply], name: str, odd: object
) -> None:
    field = model.model_fields[name]
    if isinstance(odd, str | int) and field.annotation is object and "\0" not in str(odd):
        return  # JSON of any shape, which is handed back to the vendor, and cleaned where it is shown
    one = create_model("One", __base__=Reply, **{name: (field.annotation, field)})  # type: ignore[call-overload]
    for shaped in (odd, [odd], {"a": odd}, {"a": [odd]}):
        try:
            got = getattr(one.model_validate({field.alias or name: shaped}), name)
        except ValidationError:
            continue
        assert not stands_in(odd, got)


def test_the_walk_finds_the_replies_of_every_vendor() -> None:
    found = {model for model, _ in FIELDS}
    assert {Link, Grant, Me, Activation, Instance, Tenant, LoginLink, Connector, Licence} <= found
    assert {ApiClient, CreatedClient, Token} <= found
    assert "vendors._template.client" in {model.__module__ for model in found}


# -- texts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("id", "\0a", "not_ascii"), ("id", "", "not_ascii"), ("id", "ł", "not_ascii"),
        ("id", "a b", "not_ascii"), ("id", "x" * 201, "too_long"), ("id", 1.5, "not_text"),
        ("id", True, "string_type"), ("id", "a\n", "not_ascii"),
        ("token", "ł", "not_ascii"), ("token", "a\r\nX: y", "not_ascii"), ("token", "é", "not_ascii"),
        ("token", "x" * 4001, "too_long"),
        ("url", "http://[", "not_url"), ("url", "http://a:99999/", "not_url"), ("url", "", "too_short"),
        ("url", "https://a/\0", "not_plain"), ("url", "https://a/" + "x" * 4000, "too_long"),
        ("name", "a\nb", "not_plain"), ("name", "\x9b", "not_plain"), ("name", "x" * 1001, "too_long"),
        ("about", "a\0b", "not_plain"), ("about", "x" * 20_001, "too_long"),
    ],
)  # fmt: skip
def test_an_odd_text_is_unreadable_by_its_field(field: str, value: object, kind: str) -> None:
    with pytest.raises(ValueError, match=f"^{field}\\({kind}\\)$"):
        thing(**{field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "x" * 200), ("id", "1768e0de-0c78-4a5e-bce3-44d2d8a63fa5"), ("id", "a/b?c=[d]~"),
        ("token", "eyJhbGciOi.J9+/=._-"), ("token", "x" * 4000), ("name", "Käthes Läden 商店 👩‍🔧"),
        ("name", ""), ("about", "One\r\n\tTwo"), ("url", "https://vendor.example/ü?a=b#c"),
    ],
)  # fmt: skip
def test_what_vendors_do_send_is_read(field: str, value: str) -> None:
    assert getattr(thing(**{field: value}), field) == value


def test_a_lone_surrogate_is_no_json() -> None:
    with pytest.raises(ValueError, match="not JSON"):
        parse(rb'{"id": "\ud800"}', Thing)


def test_the_last_of_two_equal_names_counts() -> None:
    assert parse(b'{"id": "a", "id": "b"}', Thing).id == "b"


# -- numbers and times -----------------------------------------------------------------------------


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**4000, True, 1.5, "9" * 5000, "x", [1]])
def test_a_number_that_fits_nowhere_is_unreadable(number: object) -> None:
    with pytest.raises(ValueError, match=r"^(size\(|not JSON$)"):
        thing(size=number)


@pytest.mark.parametrize("body", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"9" * 4301])
def test_what_is_no_number_is_unreadable(body: bytes) -> None:
    for field in ("id", "size", "lasts", "name"):
        with pytest.raises(ValueError, match=f"^({field}\\(|not JSON$)"):
            parse(b'{"id": "a", "%s": %s}' % (field.encode(), body), Thing)


def test_numbers_come_as_numbers_and_as_text() -> None:
    assert thing(size="1467287667226799671").size == 1467287667226799671
    assert thing(id=1467287667226799671).id == "1467287667226799671"
    assert thing(name=1.2).name == "1.2"
    assert thing(lasts=10**30).lasts == 2**53


@pytest.mark.parametrize(
    "at",
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999Z",
     "9999-12-31T23:59:59-12:00", "2026-02-30T00:00:00Z", "2026-01-01T00:00:00+99:00", True, 1e300],
)  # fmt: skip
def test_a_moment_that_no_calendar_of_ours_has_is_none(at: object) -> None:
    assert read_time(at) is None
    with pytest.raises(ValueError, match=r"^at\("):
        thing(at=at)


@pytest.mark.parametrize(
    "date",
    ["Mon, 99999999999999999999 Jan 2020 00:00:00 GMT", "Mon, 01 Jan 99999999999 00:00:00 GMT",
     "Mon, 01 Jan 2020 00:00:00 +99999999999", "x", "", "Mon, 32 Jan 2020"],
)  # fmt: skip
def test_an_odd_date_in_a_header_is_none(date: str) -> None:
    assert retry_after(date) is None
    assert clock_ahead(date) is None


@pytest.mark.parametrize("code", ["9" * 5000, "４００", "1e3", "99"])
def test_a_code_of_an_error_may_be_any_text(code: str) -> None:
    body = {"errors": [{"code": code}], "data": None}
    assert capillary_meaning(200, body) == 422
    assert capillary_meaning(200, {"errors": [{"code": "403"}]}) == 403


def test_an_order_that_cannot_be_read_is_left_out() -> None:
    rows = [
        {"localId": "a", "lastModified": "2026-01-01T00:00:00Z"},
        {"localId": "\0", "lastModified": "2026-01-01T00:00:00Z"},
        {"localId": "b", "lastModified": "9999-12-31T23:59:59Z"},
    ]
    read = parse(json.dumps(rows).encode(), ORDERS)
    assert [row.id for row in read or () if row] == ["a"]


# -- bodies ----------------------------------------------------------------------------------------


BOM = codecs.BOM_UTF8


@pytest.mark.parametrize("before", [BOM, BOM + BOM, BOM + b"\r\n" + BOM, b"\n" + BOM])
def test_a_byte_order_mark_is_ignored(before: bytes) -> None:
    assert parse(before + b'{"id": "a"}', Thing).id == "a"
    assert loose_json(before + b'{"error": "x"}') == {"error": "x"}


@pytest.mark.parametrize(
    "body",
    ['{"id": "a"}'.encode("utf-16"), '{"id": "a"}'.encode("utf-32"), '{"id": "ä"}'.encode("latin-1"),
     b"", BOM, b"[" * 100_000, b'{"id": "a"}\0', b"\xff\xfe\x00", b'{"id": "a"'],
    ids=ascii,
)  # fmt: skip
def test_what_is_no_json_in_utf_8_is_unreadable(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"^not JSON$"):
        parse(body, Thing)
    assert loose_json(body) is None


def send(body: str | bytes, reply: Any = Thing, status: str = "200 OK", **call: Any) -> Any:
    """The reply of a server that answers with this body, declared as latin-1."""
    raw = body.encode() if isinstance(body, str) else body
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=latin-1\r\n"
    answer = f"{head}Content-Length: {len(raw)}\r\n\r\n".encode() + raw
    with Canned(answer) as server:
        api = Api(name="vendor", base_url=server.url)
        return api.send("POST", "/things", reply, **call)


def test_the_declared_charset_does_not_count() -> None:
    assert send(BOM + '{"id": "a", "name": "Łódź"}'.encode()).name == "Łódź"


@pytest.mark.parametrize(("creates", "kind"), [(False, Garbled), (True, Unsure)])
def test_an_odd_answer_is_garbled_and_of_a_creation_unsure(
    creates: bool, kind: type[Exception]
) -> None:
    secret = "s3cr3t" + "x" * 200
    with pytest.raises(kind, match=r"answered 200, unreadable: id\(too_long\)$") as caught:
        send(json.dumps({"id": secret}), creates=creates)
    assert "s3cr3t" not in repr(caught.value)


@pytest.mark.parametrize("body", ["", " \n", BOM, "{}", '{"_id": "a", "\\u0000": 1}', "null", "[]"])
def test_unread_takes_no_body_and_any_json(body: str | bytes) -> None:
    assert isinstance(send(body, Unread), Unread)


@pytest.mark.parametrize("body", ["<html>", "OK", "{", b"\xff"])
def test_unread_takes_no_page(body: str | bytes) -> None:
    with pytest.raises(Garbled):
        send(body, Unread)


def test_a_byte_order_mark_is_no_body() -> None:
    assert isinstance(send(BOM, Empty), Empty)


# -- requests --------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["ł", "é", "a\r\nX: y", "\udcff"])
def test_a_header_that_cannot_be_sent_is_garbled_by_its_name(value: str) -> None:
    for creates in (False, True):
        with pytest.raises(Garbled, match=r"cannot be sent: Authorization\(not_ascii\)"):
            send("{}", Nothing, bearer=value, creates=creates)
    with pytest.raises(Garbled, match=r"cannot be sent: X-Tenant\(not_ascii\)"):
        send("{}", Nothing, headers={"X-Tenant": value})


def test_an_id_or_a_query_that_cannot_be_sent_is_garbled() -> None:
    api = Api(name="vendor", base_url="http://127.0.0.1:9")
    with pytest.raises(Garbled, match="cannot be written in a URL"):
        api.send("GET", "/a/{id}", Nothing, parts={"id": "\udcff"})
    for given in ({"query": {"code": "\udcff"}}, {"auth": ("\udcff", "x")}):
        with pytest.raises(Garbled, match="cannot be sent"):
            api.send("GET", "/a", Nothing, **given)


def test_a_next_page_that_is_no_url_is_garbled() -> None:
    page: TypeAdapter[list[Thing] | None] = TypeAdapter(list[Thing] | None)
    with Canned(http("[]", "200 OK", "Link: <http://[>; rel=next")) as server:
        api = Api(name="vendor", base_url=server.url)
        with pytest.raises(Garbled, match="next page"):
            api.rows("/v1/things", page)


def test_a_lost_answer_says_that_it_is_lost() -> None:
    with Canned(b"") as server, pytest.raises(Unavailable) as lost:
        Api(name="vendor", base_url=server.url).send("POST", "/things", Nothing)
    with pytest.raises(Unavailable) as unsent:
        Api(name="vendor", base_url="http://127.0.0.1:1").send("POST", "/things", Nothing)
    assert (lost.value.lost, unsent.value.lost) == (True, False)
