"""HTTP client for vendors' APIs: one call, its retries, and the error that each failure becomes.

A vendor's client has an `Api` for each base URL and calls `send` or `rows`, which return the parsed
reply or raise one of the contract's four errors. Logs and exceptions show method, path template, status
and names of fields; they never show an id, a query, a secret or text of a reply.

Only this module and wire.py import requests.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import quote, urljoin, urlsplit

import requests
import urllib3
from pydantic import TypeAdapter

from vendors.contract import Garbled, Json, Refused, Unavailable, Unsure, VendorError, Who, Why

from . import call_context
from .call_context import CallRecord, Credentials
from .reply import Empty, Nothing, Reply, Unread, is_blank, loose_json, parse
from .urls import below
from .wire import Adapter, Meaning, RawReply, Trace, basic_auth, read_body, shared_adapter

__all__ = ["Api", "Empty", "Nothing", "Reply", "Unread", "none_if_missing"]

log = logging.getLogger(__name__)
# urllib3 logs whole URLs with their queries, at DEBUG and in warnings about malformed headers.
logging.getLogger("urllib3").setLevel(logging.ERROR)

T = TypeVar("T")
MachineCode = Callable[[int, Json], str]
MACHINE_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
HEADER = re.compile(r"[ -~]*")  # the characters of a header's value
ANY_JSON: TypeAdapter[Json] = TypeAdapter(Json)
HEADERS = {"Accept": "application/json", "User-Agent": "gangway/1.0"}
MAX_PAGES = 100  # of one list
# A creation that is cut off has an unknown result, so it is not begun with less time than this.
MIN_SECONDS_TO_CREATE = 15.0


@dataclass(frozen=True, kw_only=True)
class Api:
    """One base URL of a vendor, which may have a path. Cheap to make: connections are shared.

    Time-outs are in seconds: `connect` and `read` for one socket operation, `total` for the whole call
    up to the last byte of the body. `auth` is for HTTP Basic. `machine_code(status, body)` finds the
    vendor's error code in the JSON of an error (None: not JSON); a code of more than 64 characters is
    dropped. `meaning(status, body)` is the status that a reply stands for, where its JSON contradicts
    the HTTP status. `operator_credentials`: the credentials are the operator's, not a merchant's; an
    error with a code in `accepted_codes` says that they were accepted.
    """

    name: str
    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    auth: tuple[str, str] | None = field(default=None, repr=False)
    connect: float = 5.0
    read: float = 28.0  # long, because a creation that times out has an unknown result
    total: float = 30.0
    limit_bytes: int = 2_000_000
    pool: int = 32
    machine_code: MachineCode | None = None
    meaning: Meaning | None = None
    operator_credentials: bool = True
    accepted_codes: tuple[str, ...] = ()

    def send(
        self,
        method: str,
        path: str,
        reply: type[T] | TypeAdapter[T],
        *,
        parts: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        json: Json = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        bearer: str = "",
        creates: bool = False,
        ok: tuple[int, ...] = (200, 201),
        credentials: Who = "staff",
        machine_code: MachineCode | None = None,
        refused: Mapping[int, type[Reply]] | None = None,
        retries: int = 0,
    ) -> T:
        """Make one call and parse its reply as `reply`: a model, `list[Model]`, `Nothing`, `Empty`, `Unread`.

        `path` is a template such as "/v1/users/{id}/instances"; `parts` fill it, URL-encoded. `ok` lists
        the documented successes. `creates`: the call makes something and has no idempotency key; without
        a clear reply it is Unsure. A call with an idempotency key, or PUT to an id of ours, is not marked.
        `credentials` says whose they are, for 401 and 403. `refused` has the models of documented error
        bodies (4xx → model): `Refused.reply` is that body, or None if it cannot be parsed. `retries`
        repeats a GET whose connection failed; one that timed out is not repeated.
        """
        call = _Call(
            api=self, method=method, path=path, creates=creates, credentials=credentials,
            ok=(*ok, 204) if reply in (Nothing, Empty, Unread) else ok, refused=refused or {},
            machine_code=machine_code or self.machine_code,
        )  # fmt: skip
        call.check(retries)
        request = call.prepare(
            self._url(path, parts), query=query, json=json, form=form,
            headers=headers, auth=auth, bearer=bearer,
        )  # fmt: skip
        return call.parse(call.exchange(request, retries), reply)

    def rows(
        self,
        path: str,
        page: TypeAdapter[list[T] | None],
        *,
        parts: Mapping[str, str] | None = None,
    ) -> list[T]:
        """All rows of a paginated list, which is empty with 204. `total` is for all pages together.

        `Link: <…>; rel="next"` names the next page; it must be below `base_url`.
        """
        call = _Call(
            api=self, method="GET", path=path, creates=False, credentials="staff",
            ok=(200, 204), machine_code=self.machine_code,
        )  # fmt: skip
        url, found, began = self._url(path, parts), list[T](), time.monotonic()
        for _ in range(MAX_PAGES):
            raw = call.exchange(call.prepare(url), 0)
            rows: list[T] | None = call.parse(raw, page)
            found += rows or []
            if not raw.next_url:
                return found
            url = call.next_page(url, raw)
            if time.monotonic() - began > self.total:
                raise Unavailable(call.says("took too long, page after page"), why=Why.TIMED_OUT)
        raise Garbled(call.says(f"has more than {MAX_PAGES} pages"))

    def _url(self, path: str, parts: Mapping[str, str] | None) -> str:
        return self.base_url.rstrip("/") + _fill(path, parts or {})


def none_if_missing(call: Callable[[], T]) -> T | None:
    """What `call` returns, or None if the vendor answers 404. Every other error is raised."""
    try:
        return call()
    except Refused as refusal:
        if refusal.status != 404:
            raise
        return None


@dataclass(frozen=True, kw_only=True)
class _Call:
    """One call: how it is made, and which error each of its failures becomes."""

    api: Api
    method: str
    path: str
    creates: bool
    ok: tuple[int, ...]
    credentials: Who
    machine_code: MachineCode | None
    refused: Mapping[int, type[Reply]] = field(default_factory=dict)

    def check(self, retries: int) -> None:
        """Raises ValueError for arguments that contradict each other: a mistake of the programmer."""
        if retries and self.method != "GET":
            raise ValueError("only a GET can be repeated")
        if any(status in (408, 429) or not 400 <= status < 500 for status in self.refused):
            raise ValueError("a refusal is a 4xx other than 408 and 429")

    def prepare(
        self,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        json: Json = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        bearer: str = "",
    ) -> requests.PreparedRequest:
        """The request, without a Session: no cookies, no .netrc, no proxies, no redirects.

        Raises Garbled if it cannot be sent: a URL without a host, a header that is not ASCII. What it is
        made of may be in a memo since before replies were checked for that.
        """
        all_headers = {**HEADERS, **self.api.headers, **(headers or {})}
        if bearer:
            all_headers["Authorization"] = f"Bearer {bearer}"
        if odd := [name for name, value in all_headers.items() if not HEADER.fullmatch(value)]:
            raise Garbled(self.says(f"cannot be sent: {', '.join(odd)}(not_ascii)"))
        try:
            return requests.Request(
                self.method, url, params=query, json=json, data=form,
                headers=all_headers, auth=basic_auth(auth or self.api.auth),
            ).prepare()  # fmt: skip
        except (requests.RequestException, UnicodeError):
            raise Garbled(self.says("cannot be sent")) from None

    # -- on the wire -----------------------------------------------------------------------------

    def exchange(self, request: requests.PreparedRequest, retries: int) -> RawReply:
        """The raw reply. Raises Unavailable or Unsure if there is none; each try is recorded."""
        seconds = self._time_budget()
        trace, started = Trace(), time.monotonic()
        try:
            raw = self._send(request, trace, seconds)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            timed_out = trace.late or isinstance(error, requests.Timeout)
            why = _why_no_reply(trace, timed_out)
            self._record("time-out" if timed_out else "no answer", started, why)
            if timed_out or not retries:
                raise self._no_reply(why) from None
        else:
            self._record(str(raw.status), started, _why_unavailable(raw), raw)
            return raw
        return self.exchange(request, retries - 1)

    def _time_budget(self) -> float:
        """How many seconds the call may take.

        Raises Unavailable if the step has no time left, or if the circuit breaker of the host is open.
        """
        seconds = call_context.remaining(self.api.total)
        too_few = self.creates and seconds < min(self.api.total, MIN_SECONDS_TO_CREATE)
        if seconds <= 0 or too_few:
            raise Unavailable(self.says("was not sent: the step took too long"), why=Why.TIMED_OUT)
        # Last, because a half-open breaker lets one call pass, and this one is made then.
        if pause := call_context.pause_of(self.host):
            raise Unavailable(
                self.says("was not sent: the circuit breaker of the host is open"),
                retry_after=pause.seconds, why=pause.why, asked_until=pause.asked_until,
            )  # fmt: skip
        return seconds

    def _send(self, request: requests.PreparedRequest, trace: Trace, seconds: float) -> RawReply:
        adapter = self._adapter()
        timeout = (min(self.api.connect, seconds), min(self.api.read, seconds))
        try:
            with trace.deadline(seconds):
                response = adapter.send(request, stream=True, timeout=timeout)
                try:
                    body = read_body(response, self.api.limit_bytes)
                finally:
                    response.close()
            if trace.late:  # a body that ends with its connection looks complete when it was cut
                raise requests.ReadTimeout
            return RawReply.read(response, body, self.api.meaning)
        finally:
            if self.creates:
                adapter.close()

    def _adapter(self) -> Adapter:
        """A creation gets a connection of its own.

        A pooled one may be closed by the vendor at that moment, which looks like a lost answer.
        """
        return Adapter(1) if self.creates else shared_adapter(self.api.base_url, self.api.pool)

    # -- the record of the call ------------------------------------------------------------------

    @property
    def host(self) -> str:
        """Host and port of the base URL, without the user and password that a URL may have."""
        return urlsplit(self.api.base_url).netloc.rpartition("@")[2]

    def _record(self, outcome: str, started: float, why: Why, raw: RawReply | None = None) -> None:
        seconds, call = time.monotonic() - started, f"{self.method} {self.path}"
        log.info("%s: %s: %s in %d ms", self.api.name, call, outcome, seconds * 1000)
        record = CallRecord(
            vendor=self.api.name,
            host=self.host,
            call=call,
            outcome=outcome,
            seconds=seconds,
            unavailable=why is not Why.UNKNOWN,
            why=why,
            retry_after=raw.retry_after if raw else None,
            credentials=self._credentials_after(raw) if raw else "",
            clock_ahead=raw.clock_ahead if raw else None,
        )
        call_context.record(record)

    def _credentials_after(self, raw: RawReply) -> Credentials:
        """What the reply says of the operator's credentials."""
        if self.credentials != "staff" or not self.api.operator_credentials:
            return ""
        if self.api.accepted_codes and self._code(raw) in self.api.accepted_codes:
            return "accepted"
        if raw.status in (401, 403):
            return "refused" if raw.status == 401 else "unclear"
        return "accepted" if raw.status in self.ok else ""

    # -- replies and errors ----------------------------------------------------------------------

    def says(self, words: str) -> str:
        return f"{self.method} {self.path} {words}"

    def next_page(self, url: str, raw: RawReply) -> str:
        """The URL of the next page. Raises Garbled if it is not below the base URL."""
        try:
            following = urljoin(url, raw.next_url)
        except ValueError:
            following = ""
        if not below(following, self.api.base_url):
            raise Garbled(self.says("named a next page outside of the API"))
        return following

    def parse(self, raw: RawReply, reply: type[T] | TypeAdapter[T]) -> T:
        """The parsed body of a success; raises the error for everything else."""
        if raw.status not in self.ok:
            raise self._error(raw)
        if reply is Nothing:
            return Nothing()  # type: ignore[return-value]  # T is Nothing here
        if raw.body is None:
            raise self._unreadable(raw, "more than we read")
        if reply is Empty:
            if not is_blank(raw.body):
                raise self._unreadable(raw, "a body where none is documented")
            return Empty()  # type: ignore[return-value]  # T is Empty here
        # A caller with 204 among `ok` gets None for it: its `reply` has to allow that.
        body = b"null" if raw.status == 204 else raw.body
        try:
            if reply is Unread:
                parse(b"null" if is_blank(body) else body, ANY_JSON)
                return Unread()  # type: ignore[return-value]  # T is Unread here
            return parse(body, reply)
        except ValueError as error:
            raise self._unreadable(raw, str(error)) from None

    def _no_reply(self, why: Why) -> VendorError:
        if why is Why.UNREACHABLE:
            return Unavailable(self.says("could not be sent: no connection"), why=why)
        detail = self.says("took too long" if why is Why.TIMED_OUT else "lost its connection")
        return Unsure(detail, why=why) if self.creates else Unavailable(detail, why=why, lost=True)

    def _unreadable(self, raw: RawReply, why: str) -> VendorError:
        detail = self.says(f"answered {raw.status}, unreadable: {why}")
        kind = Unsure if self.creates else Garbled
        return kind(detail, why=Why.UNREADABLE)

    def _error(self, raw: RawReply) -> VendorError:
        """The error for a status that is no success. For a creation, 2xx, 3xx and 5xx are all Unsure."""
        detail, why = self.says(f"answered {raw.status}"), _why_unavailable(raw)
        if why and (raw.status == 429 or not self.creates):
            return Unavailable(
                detail, why=why, retry_after=raw.retry_after, asked_until=_asked_until(raw)
            )
        if why:
            return Unsure(detail, why=why)
        if raw.status < 400:
            kind = Unsure if self.creates else Garbled
            return kind(detail, why=Why.UNREADABLE)
        return self._refusal(detail, raw)

    def _refusal(self, detail: str, raw: RawReply) -> Refused:
        """401 and 403 are for whoever owns the credentials, every other 4xx is for staff.

        Only where they are the operator's own, the alert says that our credentials are refused.
        """
        about_credentials = raw.status in (401, 403)
        return Refused(
            detail,
            who=self.credentials if about_credentials else "staff",
            status=raw.status,
            code=self._code(raw),
            reply=self._refusal_body(raw),
            cause="credentials" if about_credentials and self.api.operator_credentials else "",
        )

    def _code(self, raw: RawReply) -> str:
        code = self.machine_code(raw.status, loose_json(raw.body)) if self.machine_code else ""
        return code if MACHINE_CODE.fullmatch(code) else ""

    def _refusal_body(self, raw: RawReply) -> Reply | None:
        """The documented body of this status; None if none is documented, or it cannot be parsed."""
        model = self.refused.get(raw.status)
        if model is None or raw.body is None:
            return None
        try:
            return parse(raw.body, model)
        except ValueError:
            return None


def _why_no_reply(trace: Trace, timed_out: bool) -> Why:
    if trace.unsent:
        return Why.UNREACHABLE
    return Why.TIMED_OUT if timed_out else Why.BROKEN_OFF


def _why_unavailable(raw: RawReply) -> Why:
    """Why the host did not do its work; UNKNOWN if it did, or refused to."""
    if raw.status == 429 or (raw.status == 503 and raw.retry_after):
        return Why.ASKED_TO_WAIT
    return Why.FAULT if raw.status == 408 or raw.status >= 500 else Why.UNKNOWN


def _asked_until(raw: RawReply) -> datetime | None:
    return call_context.now() + timedelta(seconds=raw.retry_after) if raw.retry_after else None


def _fill(path: str, parts: Mapping[str, str]) -> str:
    if not all(part.strip(".") for part in parts.values()):
        # ".." would lead to another path.
        raise Garbled(f"{path}: an id is empty or made of dots")
    try:
        return path.format_map({key: quote(part, safe="") for key, part in parts.items()})
    except UnicodeError:
        raise Garbled(f"{path}: an id cannot be written in a URL") from None
