"""The HTTP server of the sandboxes: what it requires of a request, and keep-alive."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from vendors import sandbox as frame
from vendors.sandbox import Running

TENANT = "/sharespine/reseller/tenant"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Running]:
    running = frame.start(tmp_path, vendors=("celigo", "sharespine"))
    yield running
    running.stop()


@pytest.fixture
def connection(sandbox: Running) -> Iterator[http.client.HTTPConnection]:
    made = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=5)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Transfer-Encoding": "chunked"}, 411),
        ({"Content-Length": "1000001"}, 413),
        ({"Content-Length": "-1"}, 413),
    ],
)
def test_a_body_of_unknown_length_ends_the_connection(
    connection: http.client.HTTPConnection, headers: dict[str, str], status: int
) -> None:
    connection.request("POST", TENANT, headers=headers)
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Connection"]) == (status, "close")


def test_a_kept_connection_carries_requests_whose_bodies_nobody_reads(
    connection: http.client.HTTPConnection,
) -> None:
    for _ in range(2):
        connection.request("POST", "/nobody", body=b"GET / HTTP/1.1\r\n\r\n")
        answer = connection.getresponse()
        assert (answer.status, answer.read()[:1]) == (404, b"{")


@pytest.mark.parametrize("method", ["HEAD", "PATCH"])
def test_a_method_that_no_vendor_documents_is_refused(sandbox: Running, method: str) -> None:
    answer = requests.request(method, f"{sandbox.url}{TENANT}", timeout=5)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert requests.head(f"{sandbox.url}/celigo/v1/connectors", timeout=5).status_code == 405


@pytest.mark.parametrize("path", ["/sharespine/api", "/sharespine//api/", f"{TENANT}/"])
def test_a_path_that_is_almost_a_route_is_not_found(sandbox: Running, path: str) -> None:
    answer = requests.get(f"{sandbox.url}{path}", timeout=5, allow_redirects=False)
    assert answer.status_code == 404


def test_a_parameter_that_is_given_twice_is_refused(sandbox: Running) -> None:
    headers = {"Authorization": "Bearer gangway-demo-celigo-token"}
    url = f"{sandbox.url}/celigo/v1/connectors?limit=1&limit=1"
    assert requests.get(url, headers=headers, timeout=5).status_code == 400
    page = requests.post(f"{sandbox.url}/celigo/", data={"case": ["slow", "dead"]}, timeout=5)
    assert (page.status_code, "given twice" in page.text) == (400, True)
