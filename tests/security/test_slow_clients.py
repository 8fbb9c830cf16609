"""Clients that send or read slowly, or not at all, hold no thread of the web server: pages go on."""

from __future__ import annotations

import select
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from tests.security.attacks import (
    ATTACKS,
    BODY,
    CHUNKED,
    FILE,
    HEAD,
    LIVE,
    WHOLE,
    connected,
    under,
)
from tests.security.running import PAGES, WebServer, measure, web_server
from tests.support.site import Site

IMPATIENT = [sys.executable, "-m", "gunicorn", "-c", "python:tests.security.impatient"]
BOUND = 1.0  # seconds; a page takes some milliseconds


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with web_server(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture(scope="module")
def impatient(site: Site) -> Iterator[Site]:
    """Another web server, with short limits: a second for a head, 60 connections, a megabyte held."""
    commands = {"web": [*IMPATIENT, "onboarding.wsgi:application"]}
    running = WebServer(site.folder, site.stage, commands=commands)
    running.start("web")
    yield running
    running.stop()


def client(site: Site, sent: bytes = b"") -> socket.socket:
    made = socket.create_connection(("127.0.0.1", site.port), 15)
    made.sendall(sent)
    return made


def everything(made: socket.socket) -> bytes:
    """What the server says until it closes the connection."""
    said = b""
    with suppress(ConnectionResetError):
        while more := made.recv(65_536):
            said += more
    made.close()
    return said


@pytest.mark.parametrize("name", ATTACKS)
def test_pages_answer_while_clients_hold_connections(site: Site, name: str) -> None:
    with under(ATTACKS[name], site.port):
        time.sleep(0.8)
        for path in PAGES:
            took = measure(site, path, 0.6)
            assert (took.failed, took.p99 < BOUND) == (0, True), (path, took)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_request_that_comes_in_pieces_is_answered(site: Site, size: int) -> None:
    request = LIVE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    made = client(site)
    for start in range(0, len(request), size):
        made.sendall(request[start : start + size])
    assert b'{"live": true}' in everything(made)


def test_requests_that_come_at_once_are_answered_in_turn(site: Site) -> None:
    last = LIVE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    said = everything(client(site, LIVE + LIVE + last))
    assert said.count(b"HTTP/1.1 200 OK") == said.count(b'{"live": true}') == 3
    assert b"Connection: keep-alive" in said


def test_a_client_that_waits_for_a_word_before_its_body_gets_it(site: Site) -> None:
    form = BODY.partition(b"\r\n\r\n")[0].replace(b"20000", b"2") + b"\r\nExpect: 100-continue"
    made = client(site, form + b"\r\nConnection: close\r\n\r\n")
    assert made.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
    made.sendall(b"a=")
    assert everything(made).startswith(b"HTTP/1.1 403 Forbidden")  # no CSRF token


@pytest.mark.parametrize("begun", [HEAD, BODY, CHUNKED], ids=["head", "body", "chunked"])
def test_a_request_that_never_ends_is_ended(impatient: Site, begun: bytes) -> None:
    started = time.monotonic()
    said = everything(client(impatient, begun))
    assert time.monotonic() - started < 10
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b"That took too long" in said


@pytest.mark.parametrize("begun", [HEAD, BODY, CHUNKED], ids=["head", "body", "chunked"])
def test_a_byte_now_and_then_gives_no_more_time(impatient: Site, begun: bytes) -> None:
    made = client(impatient, begun)
    for _ in range(200):
        if select.select([made], [], [], 0.05)[0]:
            break
        made.sendall(b"x")
    assert made.recv(13) == b"HTTP/1.1 408 "
    made.close()


@pytest.mark.parametrize("sent", [b"", LIVE], ids=["new", "used"])
def test_a_silent_connection_is_closed_without_a_word(impatient: Site, sent: bytes) -> None:
    said = everything(client(impatient, sent))
    assert said.count(b"HTTP/1.1") == bool(sent)
    assert b"408" not in said


def test_a_large_file_arrives_whole(site: Site) -> None:
    path = finders.find("admin/js/vendor/xregexp/xregexp.js")
    said = everything(
        client(site, FILE + FILE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    )
    assert said.count(Path(str(path)).read_bytes()) == 2


def test_a_client_that_takes_no_answer_is_left(impatient: Site) -> None:
    made = connected(impatient.port)
    made.settimeout(15)
    made.sendall(FILE * 60)
    time.sleep(2.5)
    assert everything(made).count(b"HTTP/1.1 200") < 30


def test_new_clients_get_in_when_too_many_wait(impatient: Site) -> None:
    with ExitStack() as stack:
        for _ in range(120):
            stack.enter_context(client(impatient))
        assert measure(impatient, "/health/live", 0.3).failed == 0


def test_what_clients_make_us_hold_is_bounded(impatient: Site) -> None:
    part = BODY.replace(b"20000", b"250000") + b"x" * 200_000
    with ExitStack() as stack:
        clients = [stack.enter_context(client(impatient, part)) for _ in range(10)]
        assert measure(impatient, "/health/live", 0.3).failed == 0
        left = [each for each in clients if not everything(each)]
    assert len(left) >= 5  # without a word, before their time was over


def test_a_stop_waits_for_no_silent_client(site: Site) -> None:
    """The last test of this file: it leaves no web server."""
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(client(site, WHOLE))
        started = time.monotonic()
        site.stop()
        assert time.monotonic() - started < 10
