"""deploy/nginx.conf, with a real nginx in front of a real site."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.security.running import measure, web_server
from tests.support.certificates import Certificate
from tests.support.nginx import Nginx
from tests.support.site import Site


@dataclass
class Proxied:
    site: Site
    nginx: Nginx
    certificate: Certificate

    def ask(self, path: str, host: str = "localhost", **how: object) -> requests.Response:
        headers = {"Host": f"{host}:{self.nginx.port}", **dict(how.pop("headers", {}))}  # type: ignore[call-overload]
        return requests.request(
            str(how.pop("method", "GET")),
            f"https://127.0.0.1:{self.nginx.port}{path}",
            headers=headers,
            verify=str(self.certificate.file),
            timeout=20,
            allow_redirects=False,
            **how,  # type: ignore[arg-type]
        )


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    folder, proxy = tmp_path_factory.mktemp("site"), Nginx()
    (folder / "nginx").mkdir()
    env = {
        "SITE_URL": f"https://localhost:{proxy.port}",
        "PROXY_COUNT": "1",
        "ALLOWED_HOSTS": "www.localhost",
        "WEB_CONCURRENCY": "1",
    }
    with (
        web_server(folder, **env) as site,
        proxy.in_front_of(site.port, folder / "nginx") as certificate,
    ):
        yield Proxied(site, proxy, certificate)


def test_pages_come_through_with_https_cookies_and_hsts(nginx: Proxied) -> None:
    page = nginx.ask("/accounts/login/")
    assert page.status_code == 200
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert page.headers["Server"] == "nginx"
    assert [cookie.name for cookie in page.cookies] == ["__Host-gangway_csrf"]
    assert nginx.ask("/static/css/gangway.css").ok


def test_plain_http_leads_to_https(nginx: Proxied) -> None:
    url = f"http://127.0.0.1:{nginx.nginx.plain_port}/connectors/?q=a"
    answer = requests.get(url, headers={"Host": "evil.example"}, timeout=9, allow_redirects=False)
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"{nginx.site.env['SITE_URL']}/connectors/?q=a"


def test_only_the_proxy_says_who_asks(nginx: Proxied) -> None:
    nginx.ask("/connectors/?forged", headers={"X-Forwarded-For": "9.9.9.9", "X-Real-IP": "9.9.9.9"})
    line = nginx.site.logs().strip().splitlines()[-1]
    assert "127.0.0.1" in line
    assert "9.9.9.9" not in nginx.site.logs()
    forged = nginx.ask(
        "/", headers={"X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example"}
    )
    assert forged.status_code == 200


def test_another_name_of_the_site_leads_to_its_address(nginx: Proxied) -> None:
    answer = nginx.ask("/connectors/?q=a", host="www.localhost")
    assert answer.headers["Location"] == f"{nginx.site.env['SITE_URL']}/connectors/?q=a"
    sent = nginx.ask("/accounts/login/", host="www.localhost", method="POST", data={"email": "a"})
    assert (sent.status_code, "another address" in sent.text) == (421, True)


def test_long_returns_and_many_cookies_come_through(nginx: Proxied) -> None:
    answer = nginx.ask(f"/return/itembase/?state=made-up&ibsstoken={'x' * 7_900}")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/return/itembase/lost/")
    assert nginx.ask("/connectors/", headers={"Cookie": f"theirs={'x' * 15_000}"}).ok
    longer = nginx.ask(f"/connectors/?q={'x' * 8_500}")
    assert (longer.status_code, "This address is too long" in longer.text) == (414, True)


@pytest.mark.parametrize(("size", "ours"), [(300_000, True), (20_000_000, False)])
def test_long_bodies_are_refused(nginx: Proxied, size: int, ours: bool) -> None:
    with suppress(requests.ConnectionError):
        answer = nginx.ask("/accounts/login/", method="POST", data=b"x" * size)
        assert answer.status_code == 413
        assert ("You sent too much at once" in answer.text) == ours


def test_what_is_for_monitoring_stays_inside(nginx: Proxied) -> None:
    for path in ("/metrics", "/metrics/", "/health/ready", "/health/ready/", "//health/ready"):
        assert nginx.ask(path).status_code == 404
    assert nginx.ask("/health/live").ok


def test_slow_clients_end_at_nginx(nginx: Proxied) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(_slow(nginx)) for _ in range(50)]
        for _ in range(3):
            for client in clients:
                client.send(b"X")
            started = time.monotonic()
            assert nginx.ask("/connectors/").ok
            assert time.monotonic() - started < 2
        assert measure(nginx.site, "/health/live", 0.3).failed == 0
        assert (
            _open_connections(nginx.site.port) < 20
        )  # none of the slow ones has come to the web server


def _open_connections(port: int) -> int:
    """Those that are established (01), of both ends."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[3] == "01" and f":{port:04X}" in row[1] + row[2] for row in rows)


def _slow(nginx: Proxied) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", nginx.nginx.port), 10)
    client = nginx.certificate.client().wrap_socket(plain, server_hostname="127.0.0.1")
    client.send(b"GET /connectors/ HTTP/1.1\r\nHost: localhost\r\nX-A: ")
    return client
