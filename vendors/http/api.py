"""How vendors are called over HTTP. Only this module, and wire.py below it, import requests.

A client holds an `Api` for each base address and calls `send`, which answers with the parsed reply
or raises one of the contract's four errors. Nothing of an answer, no id, query or secret gets into
a log or an exception: their texts are made of method, path template, status and field names.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, urljoin, urlsplit

import requests
import urllib3
from pydantic import TypeAdapter

from vendors.contract import Garbled, Json, Refused, Unavailable, Unsure, VendorError, Who

from . import watch
from .hosts import below
from .reply import Empty, Nothing, Reply, loose_json, parse
from .wire import Adapter, Answer, Meaning, Trace, basic, headed, read, shared_adapter

__all__ = ["Api", "Empty", "Nothing", "Reply"]

log = logging.getLogger(__name__)
# urllib3 quotes whole URLs, query and all, when it debugs and when it warns of odd headers.
logging.getLogger("urllib3").setLevel(logging.ERROR)

T = TypeVar("T")
MACHINE_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
Refusal = Callable[[int, Json], str]
PAGES = 100  # of one list
TO_CREATE = 15.0  # seconds; a creation that is cut off is a doubt, so it is not begun with less


@dataclass(frozen=True, kw_only=True)
class Api:
    """One base address of a vendor (it may carry a path prefix). Cheap: connections are shared.

    `connect` and `read` are seconds for one socket operation, `total` for the whole call, from the
    first packet to the last byte of the body. `auth` is for HTTP Basic. `refusal(status, body)`
    finds the vendor's machine code in an error's JSON (None: not JSON); long ones are dropped.
    `meaning(status, body)` is the status that an answer stands for, where its JSON contradicts it.
    `own`: the credentials are the operator's, not a merchant's; a refusal with a code in `taken`
    says that they are accepted.
    """

    name: str
    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    auth: tuple[str, str] | None = field(default=None, repr=False)
    connect: float = 5.0
    read: float = 28.0  # a creation that is given up too early is a doubt
    total: float = 30.0
    limit_bytes: int = 2_000_000
    pool: int = 32
    refusal: Refusal | None = None
    meaning: Meaning | None = None
    own: bool = True
    taken: tuple[str, ...] = ()

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
        refusal: Refusal | None = None,
        refused: Mapping[int, type[Reply]] | None = None,
        retries: int = 0,
    ) -> T:
        """Make one call and parse its answer as `reply`: a model, `list[Model]`, `Nothing`, `Empty` …

        `path` is a template, "/v1/users/{id}/instances"; `parts` fill it, URL-encoded. `creates`
        marks a call that makes something without idempotency key: no clear answer is Unsure then.
        A call that may be repeated (an idempotency key among `headers`, PUT to an id of ours) makes
        nothing twice and is not marked; where it gives no body back, `reply` is `Nothing` or `Empty`.
        `ok` lists the documented successes. `credentials` says whose they are, for 401 and 403.
        `refused` names the model of a documented refusal's body (4xx → model): `Refused.reply` is
        that body, or None where it is another. `retries` repeats a GET that may be repeated, when
        the connection failed (not when slow).
        """
        if retries and method != "GET":
            raise ValueError("only reads are repeated")
        if any(status in (408, 429) or not 400 <= status < 500 for status in refused or ()):
            raise ValueError("a refusal is a 4xx other than 408 and 429")
        call = _Call(
            api=self, method=method, path=path, creates=creates, credentials=credentials,
            ok=(*ok, 204) if reply in (Nothing, Empty) else ok, refusal=refusal or self.refusal,
            bodies=refused or {},
        )  # fmt: skip
        request = call.prepare(
            url=self._url(path, parts),
            params=query,
            json=json,
            data=form,
            headers=headed(self.headers, headers, bearer),
            auth=basic(auth or self.auth),
        )
        return call.parse(call.exchange(request, retries), reply)

    def rows(
        self,
        path: str,
        page: TypeAdapter[list[T] | None],
        *,
        parts: Mapping[str, str] | None = None,
    ) -> list[T]:
        """All rows of a list, which is empty with 204; `Link: <…>; rel="next"` leads on.

        A next page is asked for as it is named, but only below `base_url`. `total` is for all.
        """
        call = _Call(
            api=self, method="GET", path=path, creates=False, credentials="staff",
            ok=(200, 204), refusal=self.refusal,
        )  # fmt: skip
        url, found, began = self._url(path, parts), list[T](), time.monotonic()
        for _ in range(PAGES):
            headers = headed(self.headers, None, "")
            request = call.prepare(url=url, headers=headers, auth=basic(self.auth))
            answer = call.exchange(request, 0)
            some: list[T] | None = call.parse(answer, page)
            found += some or []
            if not answer.next:
                return found
            url = urljoin(url, answer.next)
            if not below(url, self.base_url):
                raise Garbled(call.says("named a next page outside of the API"))
            if time.monotonic() - began > self.total:
                raise Unavailable(call.says("took too long, page after page"))
        raise Garbled(call.says(f"has more than {PAGES} pages"))

    def _url(self, path: str, parts: Mapping[str, str] | None) -> str:
        return self.base_url.rstrip("/") + _fill(path, parts or {})


@dataclass(frozen=True, kw_only=True)
class _Call:
    """One call: knows how to make it and what each way of failing means for it."""

    api: Api
    method: str
    path: str
    creates: bool
    ok: tuple[int, ...]
    credentials: Who
    refusal: Refusal | None
    bodies: Mapping[int, type[Reply]] = field(default_factory=dict)

    def prepare(self, **parts: Any) -> requests.PreparedRequest:
        """Without a Session: no cookies are kept, no .netrc, no proxies, no redirects."""
        try:
            return requests.Request(self.method, **parts).prepare()
        except requests.RequestException:
            raise Garbled(self.says("cannot be sent")) from None

    def exchange(self, request: requests.PreparedRequest, retries: int) -> Answer:
        seconds = self._admitted()
        trace, started = Trace(), time.monotonic()
        try:
            answer = self._ask(request, trace, seconds)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            slow = trace.late or isinstance(error, requests.Timeout)
            self._tell("time-out" if slow else "no answer", started)
            if slow or not retries:
                raise self.lost(trace, slow) from None
        else:
            self._tell(str(answer.status), started, answer)
            return answer
        return self.exchange(request, retries - 1)

    def _admitted(self) -> float:
        """How many seconds the call may take. One too late is not made, nor any to a host that rests."""
        seconds = watch.left(self.api.total)
        if seconds <= 0 or (self.creates and seconds < min(self.api.total, TO_CREATE)):
            raise Unavailable(self.says("was not sent: the step took too long"))
        if wait := watch.rest(self.host):  # last: with 0 we may be the one call that tries the host
            raise Unavailable(self.says("was not sent: the host rests"), retry_after=wait)
        return seconds

    def _ask(self, request: requests.PreparedRequest, trace: Trace, seconds: float) -> Answer:
        adapter = self._adapter()
        patience = (min(self.api.connect, seconds), min(self.api.read, seconds))
        try:
            with trace.watch(seconds):
                response = adapter.send(request, stream=True, timeout=patience)
                try:
                    body = read(response, self.api.limit_bytes)
                finally:
                    response.close()
            if trace.late:  # a body that ends with its connection looks whole when it was cut
                raise requests.ReadTimeout
            return Answer.of(response, body, self.api.meaning)
        finally:
            if self.creates:
                adapter.close()

    def _adapter(self) -> Adapter:
        """A creation takes a connection of its own: a kept one that the vendor is just closing
        would look like a lost answer."""
        return Adapter(1) if self.creates else shared_adapter(self.api.base_url, self.api.pool)

    @property
    def host(self) -> str:
        """With its port; never with the user and password that an address may carry."""
        return urlsplit(self.api.base_url).netloc.rpartition("@")[2]

    def _tell(self, outcome: str, started: float, answer: Answer | None = None) -> None:
        spent, call = time.monotonic() - started, f"{self.method} {self.path}"
        log.info("%s: %s: %s in %d ms", self.api.name, call, outcome, spent * 1000)
        status = answer.status if answer else 0
        called = watch.Called(
            vendor=self.api.name,
            host=self.host,
            call=call,
            outcome=outcome,
            seconds=spent,
            unavailable=not status or status in (408, 429) or status >= 500,
            retry_after=answer.retry_after if answer else None,
            credentials=self._of_credentials(answer) if answer else "",
            ahead=answer.ahead if answer else None,
        )
        watch.tell(called)

    def _of_credentials(self, answer: Answer) -> watch.Credentials:
        if self.credentials != "staff" or not self.api.own:
            return ""
        if self.api.taken and self._code(answer) in self.api.taken:
            return "accepted"
        if answer.status in (401, 403):
            return "refused" if answer.status == 401 else "doubted"
        return "accepted" if answer.status in self.ok else ""

    def _code(self, answer: Answer) -> str:
        code = self.refusal(answer.status, loose_json(answer.body)) if self.refusal else ""
        return code if MACHINE_CODE.fullmatch(code) else ""

    def says(self, words: str) -> str:
        return f"{self.method} {self.path} {words}"

    def lost(self, trace: Trace, slow: bool) -> VendorError:
        """There was no answer."""
        if trace.unsent:
            return Unavailable(self.says("could not be sent: no connection"))
        detail = self.says("took too long" if slow else "lost its connection")
        return Unsure(detail) if self.creates else Unavailable(detail)

    def parse(self, answer: Answer, reply: type[T] | TypeAdapter[T]) -> T:
        if answer.status not in self.ok:
            raise self.failed(answer)
        if reply is Nothing:
            return Nothing()  # type: ignore[return-value]  # T is Nothing here
        if answer.body is None:
            raise self.unreadable(answer, "more than we read")
        if reply is Empty:
            if answer.body.strip():
                raise self.unreadable(answer, "a body where none is documented")
            return Empty()  # type: ignore[return-value]  # T is Empty here
        try:
            # A caller that takes 204 for a success gets None: its `reply` has to allow that.
            return parse(b"null" if answer.status == 204 else answer.body, reply)
        except ValueError as error:
            raise self.unreadable(answer, str(error)) from None

    def unreadable(self, answer: Answer, why: str) -> VendorError:
        detail = self.says(f"answered {answer.status}, unreadable: {why}")
        return Unsure(detail) if self.creates else Garbled(detail)

    def failed(self, answer: Answer) -> VendorError:
        """An undocumented 2xx and a redirect are as unclear, after a creation, as a 5xx."""
        detail, status = self.says(f"answered {answer.status}"), answer.status
        if status == 429:
            return Unavailable(detail, retry_after=answer.retry_after)
        if status == 408 or status >= 500:
            late = Unavailable(detail, retry_after=answer.retry_after)
            return Unsure(detail) if self.creates else late
        if status < 400:
            return Unsure(detail) if self.creates else Garbled(detail)
        return self.refused(detail, answer)

    def refused(self, detail: str, answer: Answer) -> Refused:
        credentials = answer.status in (401, 403)
        who: Who = self.credentials if credentials else "staff"
        refused = Refused(
            detail,
            who=who,
            status=answer.status,
            code=self._code(answer),
            reply=self._refusal_body(answer),
        )
        if credentials:
            refused.cause = "credentials"
        return refused

    def _refusal_body(self, answer: Answer) -> Reply | None:
        """None where none is documented, or it cannot be read: the status has said no already."""
        model = self.bodies.get(answer.status)
        if model is None or answer.body is None:
            return None
        try:
            return parse(answer.body, model)
        except ValueError:
            return None


def _fill(path: str, parts: Mapping[str, str]) -> str:
    if not all(part.strip(".") for part in parts.values()):
        raise Garbled(f"{path}: an id is empty or made of dots")  # "..", it would be another path
    return path.format_map({key: quote(part, safe="") for key, part in parts.items()})
