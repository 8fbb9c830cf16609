"""What the sandboxes are written in: requests, answers, routes and pages."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, unquote

from .state import Store

CASES = ("slow", "dead", "garbled", "lost")


class Refused(Exception):
    """A vendor's no: its status, words for the body, and headers such as WWW-Authenticate."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, dict(headers or {})


@dataclass(frozen=True)
class Answer:
    """What goes back; `manner`: whole, reset, truncated or drip; `play`: the case to follow."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    manner: str = "whole"
    interval: float = 0.0
    play: tuple[str, str, str] | None = None

    def playing(self, case: str, flow: str, route: str = "*") -> Answer:
        """The same answer; afterwards `case` (one of CASES) is played on the calls of `flow`."""
        return replace(self, play=(case, flow, route)) if case in CASES else self


@dataclass(frozen=True)
class Request:
    """One HTTP request. Header names are lower-case; `params` come from the path, decoded."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return f"http://{self.headers.get('host', '')}"

    @property
    def args(self) -> dict[str, str]:
        """The query string as a mapping; a name given twice is refused."""
        return _once(self.query)

    def form(self) -> dict[str, str]:
        self.demand_type("application/x-www-form-urlencoded")
        return _once(_text(self.body))

    def json(self) -> dict[str, Any]:
        self.demand_type("application/json")
        try:
            data = json.loads(self.body)
        except ValueError:
            raise Refused(400, "The body is not JSON.") from None
        if not isinstance(data, dict):
            raise Refused(400, "The body is not a JSON object.")
        return data

    def demand_type(self, wanted: str) -> None:
        given = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if given != wanted:
            raise Refused(415, f"Content-Type must be {wanted}.")

    def basic(self) -> tuple[str, str] | None:
        """User name and password of HTTP Basic, or None."""
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        try:
            pair = base64.b64decode(value, validate=True).decode()
        except ValueError:
            return None
        name, colon, password = pair.partition(":")
        return (name, password) if scheme.lower() == "basic" and colon else None

    def bearer(self) -> str:
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        return value.strip() if scheme.lower() == "bearer" else ""

    def cookie(self, name: str) -> str:
        morsel = SimpleCookie(self.headers.get("cookie", "")).get(name)
        return morsel.value if morsel else ""


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Refused(400, "The body is not UTF-8.") from None


def _once(text: str) -> dict[str, str]:
    pairs = parse_qsl(text, keep_blank_values=True)
    if len({name for name, _ in pairs}) != len(pairs):
        raise Refused(400, "A parameter is given twice.")
    return dict(pairs)


def reply(data: object, status: int = 200, **headers: str) -> Answer:
    """A JSON answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(data).encode(), {"Content-Type": "application/json"} | named)


def redirect(url: str, cookie: str = "") -> Answer:
    """A 303, so that a POST is followed by a GET."""
    headers = {"Location": url, "Cache-Control": "no-store"}
    return Answer(303, b"", headers | ({"Set-Cookie": cookie} if cookie else {}))


class Html(str):
    """Markup that is already escaped."""


def markup(template: str, **values: object) -> Html:
    """`template` filled in by str.format, every value escaped unless it is Html."""
    safe = {k: v if isinstance(v, Html) else html.escape(str(v)) for k, v in values.items()}
    return Html(template.format(**safe))


def join(parts: list[Html]) -> Html:
    return Html("".join(parts))


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{heading} - {name} (sandbox)</title><link rel="stylesheet" href="/sandbox.css"></head>
<body><header><strong>{name}</strong> <span class="tag">sandbox</span></header>
<main><h1>{heading}</h1>{body}</main>
<footer><p>An imitation of {name} on this machine. Nothing here reaches the real
{name}.</p></footer>
</body></html>"""

CASE_BUTTONS = Html(
    """<details><summary>Play another case</summary>
<p>Choose what goes wrong from here on.</p>
<p class="row"><button name="case" value="expired">Expired</button>
<button name="case" value="slow">Slow</button>
<button name="case" value="dead">Dead</button>
<button name="case" value="garbled">Garbled</button>
<button name="case" value="lost">Lost answer after the deed</button></p>
<p class="hint">Slow, dead and garbled last a minute; the lost answer happens once.</p></details>"""
)


def page(name: str, heading: str, body: Html, status: int = 200) -> Answer:
    """A whole HTML page of the vendor called `name`; works without JavaScript."""
    text = markup(PAGE, name=name, heading=heading, body=body)
    return Answer(status, text.encode(), {"Content-Type": "text/html; charset=utf-8"})


Handler = Callable[[Request, Store], Answer]


@dataclass(frozen=True)
class Route:
    """One method and path below the vendor's slug, with `{parameter}` or a last `{rest...}`."""

    method: str
    path: str
    handler: Handler
    page: bool

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def match(self, path: str) -> dict[str, str] | None:
        found = re.fullmatch(_pattern(self.path), path)
        return {k: unquote(v) for k, v in found.groupdict().items()} if found else None


def _pattern(path: str) -> str:
    # Matched on the raw path, so that an encoded slash stays inside its parameter.
    text = re.sub(r"\\\{(\w+)\\\.\\\.\\\.\\\}", r"(?P<\1>.*)", re.escape(path))
    return re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", text)


def plain_refusal(status: int, message: str) -> Answer:
    return reply({"message": message}, status)


def no_flow(_request: Request, _store: Store) -> str:
    return ""


@dataclass
class Imitation:
    """One vendor's sandbox: its routes, its shape of an error, and whose flow a call belongs to.

    `shows` says which fields of which kinds the front page lists.
    """

    slug: str
    name: str
    refuse: Callable[[int, str], Answer] = plain_refusal
    flow: Callable[[Request, Store], str] = no_flow
    shows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    routes: list[Route] = field(default_factory=list)

    def api(self, method: str, path: str) -> Callable[[Handler], Handler]:
        """Declare a call of the vendor's API."""
        return self._route(method, path, page=False)

    def page(self, method: str, path: str) -> Callable[[Handler], Handler]:
        """Declare a page for browsers; faults on `*` leave it alone."""
        return self._route(method, path, page=True)

    def _route(self, method: str, path: str, *, page: bool) -> Callable[[Handler], Handler]:
        def declare(handler: Handler) -> Handler:
            self.routes.append(Route(method, path, handler, page))
            return handler

        return declare
