"""No value that somebody sends makes a log line of its own, or steers the terminal that shows it."""

from __future__ import annotations

import json
import logging
import random
import re
import socket
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest

from onboarding.monitoring import logs
from tests.security.running import web_server
from tests.support.site import Site

FORGED = "2026-11-29 00:00:00,000 CRITICAL onboarding [-] forged"
ODD = [*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA1))]
ODD += [chr(c) for c in (0x61C, 0x200B, 0x200E, 0x200F, 0x2028, 0x2029, 0x202E, 0x2066, 0xFEFF)]
ODD += [
    "\ud800",
    "\udcff",
    "\U000e0041",
    "\x1b[2J",
    "\r\n",
    "\\n",
    '"',
    "'",
    "%0a",
    "ä",
    "語",
    "😀",
]
FORMATTERS = {
    "text": logs.Text(logs.TEXT, style="{"),
    "json": logs.Json(),
    "access": logs.Text(logs.ACCESS, style="{"),
}


def is_one_line(text: str) -> bool:
    return len(text.splitlines()) == 1 and not any(
        unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in text
    )


def odd_texts(count: int) -> Iterator[str]:
    chance = random.Random(7)
    yield from (f"a{char}{FORGED}" for char in ODD)
    for _ in range(count):
        yield "".join(chance.choice([*ODD, FORGED, "a", " "]) for _ in range(chance.randint(1, 30)))


def logged(formatter: logging.Formatter, text: str, **more: Any) -> str:
    record = logging.LogRecord(text, logging.WARNING, "", 0, "it was %s", (text,), None)
    record.reference = text
    vars(record).update(more)
    return formatter.format(record)


@pytest.mark.parametrize("name", FORMATTERS)
def test_whatever_is_logged_is_one_line(name: str) -> None:
    for text in odd_texts(2_000):
        line = logged(FORMATTERS[name], text)
        assert is_one_line(line), line
        if name == "json":
            assert all(is_one_line(value) for value in json.loads(line).values())


def test_what_people_read_stays_readable() -> None:
    for text in ("Jürgen’s Café – 語 😀", r"C:\new", "100 %", '"quoted"', "x’y"):
        assert text in logged(FORMATTERS["text"], text)
    assert logged(FORMATTERS["access"], "a\nb\u202e\x1b").endswith(r"a\nb\u202e\x1b")


@pytest.mark.parametrize("name", ["text", "json"])
def test_the_text_of_an_error_makes_no_line_either(name: str) -> None:
    plain = logged(FORMATTERS[name], "a", exc_info=_info("plain"))
    for text in odd_texts(200):
        line = logged(FORMATTERS[name], "a", exc_info=_info(text))
        assert len(line.splitlines()) == len(plain.splitlines())
        last = json.loads(line)["traceback"].splitlines()[-1] if name == "json" else line
        assert is_one_line(last.splitlines()[-1])


def _info(text: str) -> tuple[Any, ...]:
    try:
        raise RuntimeError(text)
    except RuntimeError as error:
        return type(error), error, error.__traceback__


PATHS = [
    f"/a%0a{FORGED.replace(' ', '%20')}",
    "/a%0d%0aX:%20y",
    "/%1b[2J%1b]0;title%07",
    "/%e2%80%a8line",
    "/%e2%80%aeesrever",
    "/%ff%fe%80",
    "/%00",
    "/%c2%85next",
    "/connect/%0aforged/",
    "/m/%0aforged/",
    "/static/%0aforged.css",
    "/return/%0aforged/?state=%0aforged",
    "//a%0aforged",
    "/admin/%0aforged/",
]
HEADERS = [
    "User-Agent: a\x1b[2J%0aforged",
    "Referer: http://x/\u00c2\u0085forged",
    "Cookie: gangway_session=%0aforged",
    "X-Forwarded-For: %0aforged",
    "Host: x%0aforged",
    "Content-Type: \x85forged",
    "Origin: http://forged\x7f",
]
LINE = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ \S+ \[\S+\] .+|\[\d\d/\w{3}/\d{4}:.+"
)


def send(site: Site, path: str, *headers: str, method: str = "GET") -> None:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers]
    if any(header.startswith("Host:") for header in headers):
        del lines[1]
    with socket.create_connection(("127.0.0.1", site.port), 10) as client:
        client.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        while client.recv(65_536):
            pass


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The log of a web server in text and in JSON, after all of the above was sent to it."""
    found = {}
    with web_server(tmp_path_factory.mktemp("site"), WEB_CONCURRENCY="1") as site:
        for style in ("text", "json"):
            if style == "json":
                (site.folder / "web.log").unlink()
                site.extra_env["LOG_FORMAT"] = style
                site.start("web")
            for path in PATHS:
                send(site, path)
                send(site, path, method="POST")
            for header in HEADERS:
                send(site, "/connectors/", header)
            send(site, "/\x1b\x85", method="GET")
            send(site, "/", method="F\x1bO")
            site.stop()
            found[style] = (site.folder / "web.log").read_bytes().decode().split("\n")[:-1]
    return found


def test_a_request_writes_whole_lines_of_text(lines: dict[str, list[str]]) -> None:
    assert len(lines["text"]) > 2 * len(PATHS)
    assert [line for line in lines["text"] if not LINE.fullmatch(line)] == []
    assert [line for line in lines["text"] if not is_one_line(line)] == []
    assert [line for line in lines["text"] if line.startswith(FORGED[:20])] == []


def test_a_request_writes_whole_objects(lines: dict[str, list[str]]) -> None:
    for line in lines["json"]:
        for name, value in json.loads(line).items():
            assert name == "traceback" or not isinstance(value, str) or is_one_line(value)


def test_a_path_is_logged_as_it_was_sent(lines: dict[str, list[str]]) -> None:
    paths = [json.loads(line).get("path") for line in lines["json"]]
    for path in PATHS:
        assert path.partition("?")[0] in paths
