"""Middleware: request references, proxies and host names, whatever the page."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest
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
    ],
)
def test_only_our_own_proxies_are_believed(
    settings: Settings, count: int, sent: str, expected: str
) -> None:
    settings.PROXY_COUNT = count
    headers = {"HTTP_X_FORWARDED_FOR": sent, "HTTP_X_FORWARDED_PROTO": "https"}
    response = get(middleware.proxies, **headers)
    assert isinstance(response, HttpResponse)
    assert response.content.decode() == expected


def test_another_name_of_this_machine_leads_to_the_site(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    for host in ("127.0.0.1:8000", "[::1]:8000"):
        moved = get(middleware.one_loopback_host, "/connect/?q=1", HTTP_HOST=host)
        assert (moved.status_code, moved["Location"]) == (302, "http://localhost/connect/?q=1")
    assert get(middleware.one_loopback_host, HTTP_HOST="localhost:8000").status_code == 200


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
