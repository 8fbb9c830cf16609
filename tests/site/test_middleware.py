"""Middleware: request references, proxies and host names, whatever the page."""

from __future__ import annotations

import json
import logging
import re
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.test import Client, RequestFactory
from pytest_django import Settings

from onboarding import middleware
from onboarding.monitoring import logs

CODE = "https://x.example/return/itembase/?code=geheim&state=1"


def page(request: HttpRequest) -> HttpResponseBase:
    """Tells what the middleware made of the request."""
    logging.getLogger("test").warning("seen")
    return HttpResponse(f"{request.META['REMOTE_ADDR']} {request.scheme}")


def get(layer: Any, path: str = "/", **headers: Any) -> HttpResponseBase:
    response: HttpResponseBase = layer(page)(RequestFactory().get(path, **headers))
    return response


def seen(**headers: str) -> str:
    """The address and the scheme of a request with these headers."""
    response = get(middleware.proxies, **headers)
    assert isinstance(response, HttpResponse)
    return response.content.decode()


def test_every_answer_carries_a_reference_of_clear_letters() -> None:
    references = {get(middleware.reference)["X-Request-Reference"] for _ in range(50)}
    assert len(references) == 50
    assert all(re.fullmatch(r"[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}", r) for r in references)


def test_log_lines_of_a_request_carry_its_reference(caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.addFilter(logs.ReferenceFilter())
    response = get(middleware.reference)
    assert caplog.records[-1].__dict__["reference"] == response["X-Request-Reference"]


def test_a_page_not_found_is_logged_with_its_reference(
    client: Client, caplog: pytest.LogCaptureFixture, db: None
) -> None:
    caplog.handler.addFilter(logs.ReferenceFilter())
    response = client.get("/nowhere/")
    [record] = [record for record in caplog.records if record.name == "django.request"]
    assert record.__dict__["reference"] == response["X-Request-Reference"]
    assert logs.reference.get() == "-"


@pytest.mark.parametrize(
    ("count", "sent", "expected"),
    [
        (0, "6.6.6.6", "127.0.0.1 http"),
        (1, "6.6.6.6, 9.9.9.9", "9.9.9.9 https"),
        (2, "6.6.6.6, 9.9.9.9, 10.0.0.1", "9.9.9.9 https"),
        (3, "9.9.9.9", "9.9.9.9 https"),
        (1, "", "127.0.0.1 https"),
        (1, "9.9.9.9:4711", "9.9.9.9 https"),
        (1, "[2001:db8::1]:4711", "2001:db8::1 https"),
        (1, '"[2001:DB8::1]"', "2001:db8::1 https"),
        (1, "fe80::1%eth0", "fe80::1 https"),
        (1, "::ffff:9.9.9.9", "9.9.9.9 https"),
        (1, "6.6.6.6, unknown", "127.0.0.1 https"),
        (2, "6.6.6.6,, 10.0.0.1", "127.0.0.1 https"),
        (2, "unknown, 10.0.0.1", "127.0.0.1 https"),
        (1, "6.6.6.6,", "127.0.0.1 https"),
        (1, ",9.9.9.9", "9.9.9.9 https"),
    ],
)
def test_only_our_own_proxies_are_believed(
    settings: Settings, count: int, sent: str, expected: str
) -> None:
    settings.PROXY_COUNT = count
    headers = {"HTTP_X_FORWARDED_FOR": sent, "HTTP_X_FORWARDED_PROTO": "https"}
    assert seen(**headers) == expected


NO_ADDRESS = [
    "unknown", "_hidden", "for=9.9.9.9", "9.9.9", "9.9.9.9.9", "999.1.1.1", "9.9.9.9:port", "[::1",
    "::1]", "[]", "9.9.9.9 x", "2001:db8::1::2", "\u0669.9.9.9", "1", "a" * 9000, "9.9.9.9/8",
    "'; DROP TABLE", "localhost", ":4711", "%eth0", "%00",
]  # fmt: skip


@pytest.mark.parametrize("entry", NO_ADDRESS)
def test_an_entry_that_is_no_address_leaves_that_of_the_connection(
    settings: Settings, entry: str
) -> None:
    settings.PROXY_COUNT = 1
    assert seen(HTTP_X_FORWARDED_FOR=entry) == "127.0.0.1 http"


@pytest.mark.parametrize("entry", NO_ADDRESS)
def test_somebody_without_an_address_signs_in_all_the_same(
    settings: Settings, client: Client, entry: str, transactional_db: None
) -> None:
    settings.PROXY_COUNT = 1
    client.defaults["HTTP_X_FORWARDED_FOR"] = entry
    assert client.post("/accounts/login/", {"email": "a@example.org"}).status_code == 302


@pytest.mark.parametrize(
    ("sent", "scheme"),
    [
        ("https", "https"),
        ("HTTPS", "https"),
        ("http, https", "https"),
        ("https, http", "http"),
        ("wss", "http"),
        ("", "http"),
        ("https;q=1", "http"),
        ("x" * 9000, "http"),
    ],
)
def test_the_scheme_is_what_our_own_proxy_says(settings: Settings, sent: str, scheme: str) -> None:
    settings.PROXY_COUNT = 1
    assert seen(HTTP_X_FORWARDED_PROTO=sent) == f"127.0.0.1 {scheme}"


# -- one address ---------------------------------------------------------------------------------

ASKED = "/return/itembase/?state=a%2Fb&code=c%20d&code=e?f=1"


@pytest.fixture
def public(settings: Settings) -> Settings:
    """A public site with a second name."""
    settings.SITE_URL, settings.SITE_HOST = "https://shops.example.com", "shops.example.com"
    settings.LOOPBACK, settings.HTTPS = False, True
    settings.ALLOWED_HOSTS = ["shops.example.com", "www.shops.example.com", "10.0.0.1", "[::1]"]
    return settings


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize(
    "host", ["www.shops.example.com", "10.0.0.1:8000", "[::1]:8000", "shops.example.com."]
)
def test_another_name_leads_to_the_site_with_all_parameters(
    public: Settings, client: Client, host: str, method: str
) -> None:
    response = getattr(client, method)(ASKED, headers={"host": host})
    assert (response.status_code, response["Location"]) == (
        302,
        f"https://shops.example.com{ASKED}",
    )


def test_another_name_of_this_machine_leads_to_the_site(client: Client) -> None:
    for host in ("127.0.0.1:8000", "[::1]:8000"):
        moved = client.get("/connectors/?q=1", headers={"host": host})
        assert (moved.status_code, moved["Location"]) == (302, "http://localhost/connectors/?q=1")


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "LOCALHOST:18000"])
def test_on_a_loopback_address_any_port_is_the_site(client: Client, host: str, db: None) -> None:
    assert client.get("/", headers={"host": host}).status_code == 200


def test_another_port_leads_to_the_site_where_no_proxy_stands_between(
    public: Settings, client: Client, db: None
) -> None:
    public.SITE_URL, public.HTTPS = "http://shops.example.com:8416", False
    response = client.get("/", headers={"host": "shops.example.com:9000"})
    assert response["Location"] == "http://shops.example.com:8416/"
    assert client.get("/", headers={"host": "shops.example.com:8416"}).status_code == 200
    public.PROXY_COUNT = 1
    assert client.get("/", headers={"host": "shops.example.com:9000"}).status_code == 200


@pytest.mark.parametrize("forwarded", ["shops.example.com", "shops.example.com:443, inner"])
def test_a_proxy_may_tell_the_name_that_the_browser_opened(
    public: Settings, client: Client, db: None, forwarded: str
) -> None:
    asked = {"host": "10.0.0.1", "x-forwarded-host": forwarded}
    assert client.get("/", headers=asked).status_code == 302
    public.PROXY_COUNT = 1
    assert client.get("/", headers=asked).status_code == 200


@pytest.mark.parametrize(
    "forwarded", ["", "evil.example", "unknown", "[", "\ud800", "a" * 9000, ","]
)
def test_any_other_forwarded_name_is_ignored(
    public: Settings, client: Client, forwarded: str
) -> None:
    public.PROXY_COUNT = 1
    asked: Any = {"HTTP_HOST": "10.0.0.1", "HTTP_X_FORWARDED_HOST": forwarded}
    assert client.get("/", **asked)["Location"] == "https://shops.example.com/"


def test_a_form_that_is_sent_to_another_name_gets_a_page_that_says_so(
    public: Settings, client: Client
) -> None:
    headers = {"host": "www.shops.example.com"}
    response = client.post("/accounts/login/", {"email": "a@example.org"}, headers=headers)
    assert response.status_code == 421
    assert "Forms work only at our main address" in response.content.decode()
    assert 'href="https://shops.example.com"' in response.content.decode()


def test_health_checks_answer_under_any_name(public: Settings, client: Client) -> None:
    assert client.get("/health/live", headers={"host": "10.0.0.1"}).status_code == 200


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("//connectors//", "/connectors/"),
        ("///evil.example/", "/evil.example/"),
        ("//evil.example/", "/evil.example/"),
        ("/m//x/", "/m/x/"),
    ],
)
def test_doubled_slashes_are_one(client: Client, path: str, leads_to: str) -> None:
    moved = client.get("/", PATH_INFO=path, QUERY_STRING="q=a%20b")
    assert (moved.status_code, moved["Location"]) == (302, f"{leads_to}?q=a%20b")


# -- odd requests --------------------------------------------------------------------------------

NAMES = settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.LANGUAGE_COOKIE_NAME
COOKIES = [*NAMES, "messages", "x"]


@pytest.mark.parametrize(
    "query", ["q=%00", "%00=1", "q=a&q=%00b", "category=x%00", "utm_source=%00"]
)
@pytest.mark.parametrize("path", ["/", "/connectors/", "/accounts/login/", "/shops/", "/admin/"])
def test_a_query_that_nobody_types_gets_a_page(client: Client, path: str, query: str) -> None:
    response = client.get(path, QUERY_STRING=query)
    assert response.status_code == 400
    assert "We could not read your request" in response.content.decode()


@pytest.mark.both
@pytest.mark.parametrize("name", COOKIES)
def test_a_cookie_that_nobody_could_have_got_from_us_is_none(
    client: Client, name: str, transactional_db: None
) -> None:
    for value in (r'"\000\000\000\000\000\000\000\000"', r'"\015\012"', "\x7f" * 40, "é" * 40):
        response = client.get("/shops/", HTTP_COOKIE=f"{name}={value}")
        assert response.status_code == 302


def served(**environ: Any) -> tuple[list[str], bytes]:
    """What gunicorn would get: the status, and the body."""
    from onboarding import wsgi  # its start checks read the database

    statuses = list[str]()

    def start(status: str, *_: Any) -> Any:
        statuses.append(status)

    request = RequestFactory().get("/robots.txt?q=%5Cud800").META | environ
    return statuses, b"".join(wsgi.application(request, start))


CODECS = ["text/plain; charset=base64", "text/plain; a*=nope''%41", "x; charset=utf-16", ";", ""]


@pytest.mark.parametrize("given", CODECS)
def test_no_content_type_ends_a_request_before_it_is_read(
    given: str, transactional_db: None
) -> None:
    statuses, _ = served(CONTENT_TYPE=given)
    assert statuses == ["200 OK"]


def test_a_form_in_parts_keeps_its_boundary(transactional_db: None) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\nno address\r\n--x--\r\n'
    statuses, body = served(
        PATH_INFO="/accounts/login/",
        REQUEST_METHOD="POST",
        CONTENT_TYPE="Multipart/Form-Data; charset=utf-16; boundary=x",
        CONTENT_LENGTH=str(len(part)),
        HTTP_ORIGIN="http://localhost",
        **{"wsgi.input": BytesIO(part)},
    )
    assert statuses == ["403 Forbidden"]  # without a CSRF token: what it held is offered again
    assert b'name="email" value="no address"' in body


def test_request_lines_lose_their_query() -> None:
    args = ('"GET /return/itembase/?code=geheim&state=1 HTTP/1.1"', 303)
    record = logging.LogRecord("django.server", 20, "", 0, f"{CODE} %s %s", args, None)
    logs.QueryRedactingFilter().filter(record)
    text = record.getMessage()
    assert text == 'https://x.example/return/itembase/ "GET /return/itembase/ HTTP/1.1" 303'


def test_json_lines_are_objects_with_time_level_and_reference() -> None:
    record = logging.LogRecord("onboarding", 30, "", 0, "Größe %s", (1,), None)
    record.reference = "7K3Q-9M2P"
    line = json.loads(logs.Json().format(record))
    assert line.pop("time")
    expected = {"level": "WARNING", "logger": "onboarding", "reference": "7K3Q-9M2P"}
    assert line == {**expected, "message": "Größe 1"}
