"""What api.py needs below its calls: one TLS context, and what became of a call on its socket."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
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

from .reply import loose_json

LONGEST_RETRY_AFTER = 86_400.0  # seconds
Meaning = Callable[[int, Json], int]

_here = threading.local()  # .trace: that of the call this thread is making


class Trace:
    """`unsent`: it never left, because no connection was made. `late`: it was cut at its deadline.

    A time-out of a socket bounds one operation only; a vendor that drips a byte a second, be it in
    the headers, ends only when its socket is shut.
    """

    def __init__(self) -> None:
        self.unsent = False
        self.late = False
        self.sock: socket.socket | None = None
        self._lock = threading.Lock()

    @contextmanager
    def watch(self, seconds: float) -> Iterator[None]:
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        _here.trace = self
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            with self._lock:  # from here on the connection may serve another call
                self.sock = None

    def _cut(self) -> None:
        with self._lock:
            self.late = True
            if self.sock:
                with suppress(OSError):
                    # Not SSLSocket's own, which changes the object under the thread that reads it.
                    socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


class _Watched(HTTPConnection):
    """Tells this thread's trace about the connection. urllib3 makes TLS within `connect`.

    The trace keeps the socket, because http.client drops it before a body that ends with it is read.
    """

    def connect(self) -> None:
        trace: Trace = _here.trace
        trace.unsent = True
        super().connect()
        if trace.late:
            raise TimeoutError
        trace.unsent = False

    def send(self, data: Any) -> None:  # Any: urllib3's signature
        if self.sock is None:
            self.connect()
        _here.trace.sock = self.sock
        super().send(data)


class _WatchedTLS(_Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _PoolTLS(HTTPSConnectionPool):
    ConnectionCls = _WatchedTLS


@cache
def tls_context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())


POOLS = {"http": _Pool, "https": _PoolTLS}


class Adapter(HTTPAdapter):
    """Parsing the CA bundle for each connection costs 20 ms of CPU: all share one context."""

    def __init__(self, pool: int) -> None:
        super().__init__(pool_connections=1, pool_maxsize=pool, max_retries=0)

    # Any: the signature of requests.
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=tls_context(), **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def cert_verify(self, conn: object, *_: object) -> None:
        """Only the context verifies; a `ca_certs` here would make urllib3 load the bundle anew."""
        if isinstance(conn, HTTPSConnectionPool):
            conn.cert_reqs = "CERT_REQUIRED"


@cache
def shared_adapter(_base_url: str, pool: int) -> Adapter:
    return Adapter(pool)


def retry_after(value: str) -> float | None:
    """Seconds from now, of a number of seconds or an HTTP date; None if absent or unreadable."""
    value = value.strip()
    try:
        seconds = float(value) if re.fullmatch(r"[0-9]{1,9}", value) else _until(value)
    except ValueError:
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def ahead(date: str) -> float | None:
    """Seconds from now to an HTTP date; None if absent or unreadable."""
    try:
        return _until(date)
    except ValueError:
        return None


def _until(date: str) -> float:
    moment = parsedate_to_datetime(date)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()


def headed(base: Mapping[str, str], more: Mapping[str, str] | None, bearer: str) -> dict[str, str]:
    headers = {"Accept": "application/json", "User-Agent": "gangway/1.0", **base, **(more or {})}
    return headers | ({"Authorization": f"Bearer {bearer}"} if bearer else {})


def basic(auth: tuple[str, str] | None) -> tuple[bytes, bytes] | None:
    """As bytes: requests would encode them as latin-1, and fail for a password with a „ł“."""
    return (auth[0].encode(), auth[1].encode()) if auth else None


def read(response: requests.Response, limit: int) -> bytes | None:
    body = bytearray()
    for chunk in response.iter_content(65_536):
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


@dataclass(frozen=True)
class Answer:
    """What the rest reads of an answer; nothing of it is shown by its repr but the status."""

    status: int
    body: bytes | None = field(repr=False)  # None: too large
    retry_after: float | None = None
    next: str = field(default="", repr=False)
    ahead: float | None = None

    @classmethod
    def of(cls, response: requests.Response, body: bytes | None, meaning: Meaning | None) -> Answer:
        status = response.status_code
        return cls(
            meaning(status, loose_json(body)) if meaning else status,
            body,
            retry_after(response.headers.get("Retry-After", "")),
            response.links.get("next", {}).get("url", ""),
            ahead(response.headers.get("Date", "")),
        )
