"""Where a request ends, however its bytes are split; gunicorn's parser is the judge."""

from __future__ import annotations

import random

import pytest
from gunicorn.config import Config
from gunicorn.http import get_parser

from onboarding.web_server.incoming import LONGEST_HEAD, Incoming

POST = b"POST /a HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
REST = b"GET /next HTTP/1.1\r\n"
REQUESTS = [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
    POST + b"Content-Length: 0\r\n\r\n",
    POST + b"content-length:5 \r\n\r\na\r\n\r\n",
    POST + b"CONTENT-LENGTH: 005\r\nA: b\r\n\r\nabcde",
    POST + b"X-Content-Length: 50\r\nContent-Length: 1\r\n\r\na",
    CHUNKED + b"0\r\n\r\n",
    CHUNKED + b"3\r\nabc\r\n0\r\n\r\n",
    CHUNKED + b"4\r\n\r\n\r\n\r\n00A;name=value\r\n0123456789\r\n0\r\n\r\n",
    CHUNKED + b"1\r\na\r\n0\r\nOne: a\r\nOther: two\r\n\r\n",
    POST + b"TRANSFER-ENCODING:  Chunked\r\n\r\n2\r\n\r\n\r\n0;x\r\n\r\n",
]


def fed(data: bytes, cuts: list[int], longest_body: int = 1000) -> tuple[Incoming, int]:
    """A request that came in pieces, and after how many bytes it was whole."""
    request = Incoming(longest_body)
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        request.feed(data[start:end])
        if request.whole:
            return request, end
    return request, len(data)


@pytest.mark.parametrize("data", REQUESTS)
def test_a_request_is_whole_at_its_last_byte_however_it_is_split(data: bytes) -> None:
    ends = [*range(1, len(data) + len(REST))]
    assert fed(data + REST, ends)[1] == len(data)
    chance = random.Random(1)
    for _ in range(200):
        cuts = sorted(chance.sample(range(1, len(data)), chance.randint(0, 5)))
        request, at = fed(data, cuts)
        assert (request.whole, request.too_large, at) == (True, False, len(data))


@pytest.mark.parametrize("data", REQUESTS)
def test_gunicorn_finds_the_same_end(data: bytes) -> None:
    parser = get_parser(Config(), [data + REST], ("127.0.0.1", 1))
    next(parser)
    assert parser.finish_body()
    assert parser.unreader.take_buffered() == REST


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\nHost: x\r\n\r\n",
        b"\n",
        CHUNKED + b"no size\r\n",
        POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        CHUNKED + b"\r\n",
    ],
)
def test_what_no_request_begins_with_is_judged_at_once(data: bytes) -> None:
    request, _ = fed(data, [])
    assert request.whole


@pytest.mark.parametrize(
    "data",
    [
        POST + b"Content-Length: 1001\r\n\r\n",
        POST + b"Content-Length: 999999999999999999\r\n\r\n",
        CHUNKED + b"3e9\r\n",
        CHUNKED + b"1\r\na\r\n" * 300,
        CHUNKED + b"1" + b";x" * 1000,
        CHUNKED + b"0\r\n" + b"a: b\r\n" * 300,
    ],
)
def test_a_body_that_is_too_large_is_known_before_it_is_read(data: bytes) -> None:
    request, _ = fed(data, [*range(1, len(data))])
    assert (request.whole, request.too_large) == (True, True)
    assert len(request.data) < 3000


def test_a_head_that_does_not_end_is_judged_when_it_is_too_long() -> None:
    data = b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * LONGEST_HEAD
    request, at = fed(data, [*range(1000, len(data), 1000)])
    assert (request.head_too_large, request.whole) == (True, True)
    assert at < LONGEST_HEAD + 1001


def test_a_head_that_is_too_long_is_known_also_when_it_came_at_once() -> None:
    data = b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * LONGEST_HEAD + b"\r\n"
    assert fed(data, [])[0].head_too_large
