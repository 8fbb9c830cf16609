"""Connections of `Api`: TLS, what is reused between calls, and what is not."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.support.canned import Canned, http
from tests.support.certificates import Certificate, self_signed
from vendors.contract import Garbled, Unavailable, Unsure
from vendors.http import call_context
from vendors.http.api import Api, Nothing
from vendors.http.wire import Adapter, tls_context

OK = http()


def make(server: Canned, limit_bytes: int = 1000) -> Api:
    return Api(name="vendor", base_url=server.url, limit_bytes=limit_bytes)


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return self_signed(tmp_path)


def test_an_unknown_authority_is_refused(certificate: Certificate) -> None:
    with Canned(OK, OK, tls=certificate.server()) as server:
        for creates in (False, True):
            with pytest.raises(Unavailable, match="no connection"):
                make(server).send("POST", "/things", Nothing, creates=creates)
        assert server.requests == []


def test_the_shared_context_decides_whom_to_trust(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vendors.http.wire.tls_context", certificate.client)
    with Canned(OK, tls=certificate.server()) as server:
        make(server).send("POST", "/things", Nothing, creates=True)
        assert len(server.requests) == 1


def test_a_certificate_for_another_host_is_refused(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vendors.http.wire.tls_context", certificate.client)
    with Canned(OK, tls=certificate.server()) as server:
        elsewhere = Api(name="vendor", base_url=server.url.replace("127.0.0.1", "localhost"))
        with pytest.raises(Unavailable, match="no connection"):
            elsewhere.send("POST", "/things", Nothing, creates=True)
        assert server.requests == []


def test_one_context_serves_all_and_urllib3_gets_no_bundle_to_parse() -> None:
    pools = [Adapter(1).poolmanager.connection_from_url(f"https://{host}.example") for host in "ab"]
    Adapter(1).cert_verify(pools[0], "https://a.example", True, None)
    first, second = (pool.conn_kw.get("ssl_context") or pool.ssl_context for pool in pools)
    assert first is second is tls_context()
    assert pools[0].ca_certs is None


def test_a_redirect_is_not_followed() -> None:
    with Canned(http("", "302 Found", "Location: /other")) as server:
        with pytest.raises(Garbled):
            make(server).send("GET", "/things", Nothing)
        assert len(server.requests) == 1


def test_cookies_are_not_kept_but_connections_are() -> None:
    with Canned(http("{}", "200 OK", "Set-Cookie: who=me"), OK) as server:
        make(server).send("GET", "/things", Nothing)
        make(server).send("GET", "/things", Nothing)
        assert server.connections == 1
        assert "cookie" not in server.requests[1].lower()


def test_a_creation_takes_a_connection_of_its_own() -> None:
    with Canned(OK, OK, OK) as server:
        for creates, connections in ((False, 1), (True, 2), (False, 2)):
            make(server).send("POST", "/things", Nothing, creates=creates)
            assert server.connections == connections


def test_the_machines_proxies_and_netrc_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ann password pw")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with Canned(OK) as server:
        make(server).send("GET", "/things", Nothing, bearer="token")
        assert "Authorization: Bearer token\r\n" in server.requests[0]


def test_a_password_may_hold_any_letter() -> None:
    with Canned(OK) as server:
        make(server).send("GET", "/things", Nothing, auth=("ann", "hasło"))
        expected = base64.b64encode("ann:hasło".encode()).decode()
        assert f"Authorization: Basic {expected}\r\n" in server.requests[0]


@pytest.mark.parametrize(("creates", "kind"), [(False, Garbled), (True, Unsure)])
def test_an_answer_larger_than_the_limit_is_not_read(creates: bool, kind: type[Exception]) -> None:
    with Canned(http('"' + "x" * 1000 + '"')) as server, pytest.raises(kind, match="more than"):
        make(server).send("POST", "/things", dict, creates=creates)


def test_a_body_cut_short_is_a_lost_answer() -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\nConnection: close\r\n\r\n{}"
    with Canned(cut) as server, pytest.raises(Unsure, match="lost its connection"):
        make(server).send("POST", "/things", dict, creates=True)


def test_the_offset_of_the_vendors_clock_is_reported() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=120), usegmt=True)
    answers = [http("{}", "200 OK", f"Date: {date}") for date in (later, "soon")]
    with Canned(*answers) as server, call_context.use_context(call_context.CallContext(30)) as seen:
        make(server).send("GET", "/things", Nothing)
        make(server).send("GET", "/things", Nothing)
    assert [called.clock_ahead for called in seen.calls] == [pytest.approx(120, abs=30), None]
