"""Headers and cookies of every response: pages, files, redirects, health checks and refusals alike."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPResponse
from io import BytesIO

import pytest
from django.test import Client

from tests.conftest import ROOT
from tests.security.running import web_server
from tests.support.site import Site
from tests.support.staff import staff_client

EVERYWHERE = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
LIVE = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n"
REQUESTS = {
    "200": LIVE,
    "a page": "GET /connectors/ HTTP/1.1\r\nHost: localhost\r\n",
    "a file": "GET /static/css/gangway.css HTTP/1.1\r\nHost: localhost\r\n",
    "302": "GET /shops/ HTTP/1.1\r\nHost: localhost\r\n",
    "a return": "GET /return/itembase/?state=x HTTP/1.1\r\nHost: localhost\r\n",
    "400": "GET /?q=%00 HTTP/1.1\r\nHost: localhost\r\n",
    "400, another host": "GET / HTTP/1.1\r\nHost: evil.example\r\n",
    "403": "POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n",
    "404": "GET /nothing/ HTTP/1.1\r\nHost: localhost\r\n",
    "405": "OPTIONS /connectors/ HTTP/1.1\r\nHost: localhost\r\n",
    "413": "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n",
    "400, no method": "G\x1b / HTTP/1.1\r\nHost: localhost\r\n",
    "400, two lengths": LIVE + "Content-Length: 1\r\nContent-Length: 2\r\n",
    "414": f"GET /{'x' * 9000} HTTP/1.1\r\nHost: localhost\r\n",
    "431": LIVE + f"Cookie: {'x' * 17_000}\r\n",
    "431, many": LIVE + "".join(f"X-{n}: {'x' * 1_000}\r\n" for n in range(80)),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with web_server(tmp_path_factory.mktemp("site"), WEB_CONCURRENCY="1") as running:
        yield running


class Made:
    """What http.client takes a response from."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def makefile(self, mode: str) -> BytesIO:
        return BytesIO(self.data)


def answer(site: Site, request: str) -> tuple[HTTPResponse, str]:
    with socket.create_connection(("127.0.0.1", site.port), 10) as client:
        client.sendall(request.encode() + b"Connection: close\r\n\r\n")
        said = b"".join(iter(lambda: client.recv(65_536), b""))
    response = HTTPResponse(Made(said))  # type: ignore[arg-type]
    response.begin()
    return response, response.read().decode()


@pytest.mark.parametrize("name", REQUESTS)
def test_every_response_has_the_headers_and_names_no_product(site: Site, name: str) -> None:
    response, page = answer(site, REQUESTS[name])
    if name[:3].isdigit():
        assert response.status == int(name[:3])
    for header, value in EVERYWHERE.items():
        assert response.headers[header] == value
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert "camera=()" in response.headers["Permissions-Policy"]
    assert response.headers["Referrer-Policy"] in {"same-origin", "no-referrer"}
    names = {each.lower() for each in response.headers}
    assert not names & {"server", "x-powered-by", "access-control-allow-origin"}
    assert "unicorn" not in f"{response.headers}{page}".lower()


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("400, no method", "We could not read your request"),
        ("400, two lengths", "We could not read your request"),
        ("414", "This address is too long"),
        ("431", "Your browser sent too much data"),
        ("431, many", "Your browser sent too much data"),
        ("413", "You sent too much at once"),
    ],
)
def test_what_cannot_be_read_gets_a_page_of_the_site(site: Site, name: str, heading: str) -> None:
    response, page = answer(site, REQUESTS[name])
    assert f"<h1>{heading}</h1>" in re.sub(
        r"<h1[^>]*>\s*(?:<svg.*?</svg>\s*)?", "<h1>", page, flags=re.S
    )
    assert "help@example.com" in page
    assert "xxxx" not in page
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"


def test_pages_may_use_passkeys_and_the_clipboard_and_nothing_else(
    client: Client, db: None
) -> None:
    policy = client.get("/connectors/").headers["Permissions-Policy"]
    allowed = {part.partition("=")[0] for part in policy.split(", ") if not part.endswith("=()")}
    assert allowed == {
        "clipboard-write",
        "publickey-credentials-create",
        "publickey-credentials-get",
    }


def test_staff_pages_have_them_too(db: None) -> None:
    response = staff_client().get("/admin/")
    assert {name: response.headers[name] for name in EVERYWHERE} == EVERYWHERE


SHOW = """
import json
from onboarding import settings as s, moments
names = ["SESSION", "CSRF", "LANGUAGE"]
print(json.dumps({
    "hsts": [s.SECURE_HSTS_SECONDS, s.SECURE_HSTS_INCLUDE_SUBDOMAINS, s.SECURE_HSTS_PRELOAD],
    "names": [getattr(s, f"{n}_COOKIE_NAME") for n in names] + [s.MESSAGES_COOKIE_NAME, moments.COOKIE],
    "secure": [getattr(s, f"{n}_COOKIE_SECURE") for n in names],
    "samesite": [getattr(s, f"{n}_COOKIE_SAMESITE") for n in names],
    "httponly": [s.CSRF_COOKIE_HTTPONLY, s.LANGUAGE_COOKIE_HTTPONLY],
}))
"""


def shown(environment: dict[str, str], **more: str) -> dict[str, list[object]]:
    """What a site with these settings uses."""
    done = subprocess.run(
        [sys.executable, "-c", SHOW],
        cwd=ROOT,
        env={**environment, "DJANGO_SETTINGS_MODULE": "onboarding.settings", **more},
        capture_output=True,
        check=True,
    )
    found: dict[str, list[object]] = json.loads(done.stdout)
    return found


def test_with_https_all_cookies_are_of_this_host(fresh_environment: dict[str, str]) -> None:
    keys = {"SECRET_KEY": "x" * 60, "SITE_URL": "https://connect.example.com"}
    found = shown(fresh_environment, **keys)
    assert all(str(name).startswith("__Host-") for name in found["names"])
    assert found["secure"] == [True] * 3
    assert found["samesite"] == ["Lax"] * 3
    assert found["httponly"] == [True] * 2
    assert found["hsts"] == [31_536_000, False, False]
    assert shown(fresh_environment, HSTS_SUBDOMAINS="1", **keys)["hsts"] == [31_536_000, True, True]


def test_every_cookie_is_closed_to_scripts(client: Client, db: None) -> None:
    client.get("/accounts/login/")
    client.post("/accounts/login/", {"email": "ann@example.com"})
    assert client.cookies
    for cookie in client.cookies.values():
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
