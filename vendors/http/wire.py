"""Transport below `Api`: connection pools, TLS context, deadline of a call, and its raw reply.

`Trace` knows what became of a call on its socket, which `requests` does not say.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import certifi
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from vendors.contract import Json

from . import call_context
from .deadlines import Deadlines
from .reply import loose_json

LONGEST_RETRY_AFTER = 86_400.0  # seconds
Meaning = Callable[[int, Json], int]

_thread = threading.local()  # .trace: the trace of the call that this thread is making
_deadlines = Deadlines()


class Trace:
    """What became of one call. `unsent`: no connection was made. `late`: it was cut at its deadline.

    The time-out of a socket limits one operation only. Where a vendor sends one byte a second, in the
    body or in the headers, the call ends only when its socket is shut down.
    """

    def __init__(self) -> None:
        self.unsent = False
        self.late = False
        self.sock: socket.socket | None = None
        self._lock = threading.Lock()

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Cut the call of the block off after `seconds`, by shutting its socket down."""
        _thread.trace = self
        try:
            with _deadlines.after(seconds, self._cut):
                yield
        finally:
            with self._lock:  # from here on the connection may serve another call
                self.sock = None

    def _cut(self) -> None:
        with self._lock:
            self.late = True
            if self.sock:
                with suppress(OSError):
                    # Not SSLSocket's own, which changes the object under the thread that reads it.
                    socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


class _TracedConnection(HTTPConnection):
    """Writes to this thread's trace what happens to the connection. `connect` includes the TLS handshake.

    The trace has its own reference to the socket: http.client drops it before it reads a body that ends
    with the connection.
    """

    def connect(self) -> None:
        trace: Trace = _thread.trace
        trace.unsent = True
        super().connect()
        if trace.late:
            raise TimeoutError
        trace.unsent = False

    def send(self, data: Any) -> None:  # Any: urllib3's signature
        if self.sock is None:
            self.connect()
        _thread.trace.sock = self.sock
        super().send(data)


class _TracedTLSConnection(_TracedConnection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _TracedConnection


class _PoolTLS(HTTPSConnectionPool):
    ConnectionCls = _TracedTLSConnection


@cache
def tls_context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())


POOLS = {"http": _Pool, "https": _PoolTLS}


class Adapter(HTTPAdapter):
    """Connection pool of one base URL, with traced connections, without retries.

    All connections share one TLS context: parsing the CA bundle costs 20 ms of CPU each time.
    """

    def __init__(self, pool: int) -> None:
        super().__init__(pool_connections=1, pool_maxsize=pool, max_retries=0)

    # Any: the signature of requests.
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=tls_context(), **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def cert_verify(self, conn: object, *_: object) -> None:
        """Only the context verifies; a `ca_certs` here would make urllib3 load the bundle again."""
        if isinstance(conn, HTTPSConnectionPool):
            conn.cert_reqs = "CERT_REQUIRED"


@cache
def shared_adapter(_base_url: str, pool: int) -> Adapter:
    """The adapter of all calls of this process to a base URL, with up to `pool` open connections."""
    return Adapter(pool)


def retry_after(value: str) -> float | None:
    """The header Retry-After in seconds from now, 0 to one day; None if it is absent or unreadable.

    It is a number of seconds or an HTTP date (RFC 9110, section 10.2.3).
    """
    value = value.strip()
    try:
        is_number = re.fullmatch(r"[0-9]{1,9}", value)
        seconds = float(value) if is_number else _between(call_context.now(), value)
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def clock_ahead(date: str) -> float | None:
    """By how many seconds the server's clock (its header Date) is ahead of this machine's; None without."""
    try:
        return _between(datetime.now(UTC), date)
    except (ValueError, OverflowError):
        return None


def _between(now: datetime, date: str) -> float:
    """Seconds from `now` to an HTTP date."""
    moment = parsedate_to_datetime(date)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - now).total_seconds()


def basic_auth(auth: tuple[str, str] | None) -> tuple[bytes, bytes] | None:
    """User name and password in UTF-8: requests would encode text as latin-1, and fail for "ł"."""
    return (auth[0].encode(), auth[1].encode()) if auth else None


def read_body(response: requests.Response, limit: int) -> bytes | None:
    """The body, or None if it has more than `limit` bytes; the rest of it is not read."""
    body = bytearray()
    for chunk in response.iter_content(65_536):
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


@dataclass(frozen=True)
class RawReply:
    """An HTTP response, not yet parsed. Its repr shows no body and no URL.

    `status` is what the response stands for (`Api.meaning`). `body` is None if it was too large.
    `next_url` is the target of `Link: <…>; rel="next"`, or "". The seconds are those of `CallRecord`.
    """

    status: int
    body: bytes | None = field(repr=False)
    retry_after: float | None = None
    next_url: str = field(default="", repr=False)
    clock_ahead: float | None = None

    @classmethod
    def read(
        cls, response: requests.Response, body: bytes | None, meaning: Meaning | None
    ) -> RawReply:
        status = response.status_code
        return cls(
            status=meaning(status, loose_json(body)) if meaning else status,
            body=body,
            retry_after=retry_after(response.headers.get("Retry-After", "")),
            next_url=response.links.get("next", {}).get("url", ""),
            clock_ahead=clock_ahead(response.headers.get("Date", "")),
        )
