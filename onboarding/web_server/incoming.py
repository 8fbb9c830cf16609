"""The bytes of a request as they arrive, and whether they are all there.

Only the end of the request is looked for here. What the bytes mean, and whether they are valid, is for
gunicorn's parser, which gets these bytes and no more. So an end that is found too early or too late
is a request that gunicorn refuses.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator

LONGEST_HEAD = 64 * 1024  # bytes: the request line and all header fields
LONGEST_CHUNK_LINE = 1024

# A line that ends without a carriage return never ends a head; gunicorn refuses it.
_HEAD_END = re.compile(rb"\r\n\r\n|(?<!\r)\n")
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_CHUNKED = re.compile(rb"^transfer-encoding:.*chunked", re.IGNORECASE | re.MULTILINE)
_EXPECTS = re.compile(rb"^expect:[ \t]*100-continue[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_SIZE = re.compile(rb"[0-9a-fA-F]{1,8}")

Scan = Generator[None, None, int]


class Incoming:
    """One request. `whole`: nothing more is to be read. `too_large`: its body is, and was left unread."""

    def __init__(self, longest_body: int) -> None:
        self.data = bytearray()
        self.longest_body = longest_body
        self.whole = self.has_head = self.head_too_large = self.too_large = self.expects = False
        self._steps = self._scan()

    def feed(self, data: bytes) -> None:
        self.data += data
        if not self.whole:
            next(self._steps, None)

    def _scan(self) -> Iterator[None]:
        """Goes on with each feed, until the request is whole."""
        end = yield from self._head_end()
        self.has_head = True
        head = bytes(self.data[:end])
        self.expects = _EXPECTS.search(head) is not None
        lengths = _LENGTH.findall(head)
        if _CHUNKED.search(head):
            yield from self._last_chunk_end(end)
        elif len(lengths) == 1:
            yield from self._wait_for(end, end + int(lengths[0]))
        self.whole = True

    def _head_end(self) -> Scan:
        seen = 0
        while True:
            found = _HEAD_END.search(self.data, seen)  # sees what is before `seen`, too
            end = found.end() if found else len(self.data)
            self.head_too_large = end > LONGEST_HEAD
            if found or self.head_too_large:
                return end
            seen = max(len(self.data) - 3, 0)
            yield

    def _wait_for(self, body: int, end: int) -> Iterator[None]:
        self.too_large = end - body > self.longest_body
        while len(self.data) < end and not self.too_large:
            yield

    def _last_chunk_end(self, body: int) -> Iterator[None]:
        """The chunks, each with its size, then lines of trailers until an empty one."""
        at, in_trailers = body, False
        while not self.too_large:
            start, at = at, (yield from self._line_end(at, body))
            line = bytes(self.data[start:at])
            if in_trailers and line == b"\r\n":
                return
            size = None if in_trailers else _SIZE.match(line)
            if size is None and not in_trailers:
                return
            if size and int(size[0], 16):
                at += int(size[0], 16) + 2
                yield from self._wait_for(body, at)
            else:
                in_trailers = True

    def _line_end(self, at: int, body: int) -> Scan:
        while (found := self.data.find(b"\n", at)) < 0:
            if len(self.data) - at > LONGEST_CHUNK_LINE:
                self.too_large = True
                return len(self.data)
            yield
        self.too_large = found + 1 - body > self.longest_body
        return found + 1
