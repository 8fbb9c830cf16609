"""Routing: a vendor's sandbox declares its routes here, and Werkzeug's URL map matches them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, PathConverter, RequestRedirect, Rule, UnicodeConverter

from .http import Refused, Request, Response, error_response
from .state import Store

Handler = Callable[[Request, Store], Response]


class Segment(UnicodeConverter):
    """One segment of the raw path, decoded after the match: it may hold an encoded slash."""

    def to_python(self, value: str) -> str:
        return unquote(value)


class PathRemainder(PathConverter):
    """The rest of the raw path, which may be empty."""

    regex = ".*?"
    part_isolating = False

    def to_python(self, value: str) -> str:
        return unquote(value)


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

    def rule(self, slug: str) -> Rule:
        """The rule of the URL map. Werkzeug adds HEAD to every GET; no vendor documents it."""
        path = re.sub(r"\{(\w+)\.\.\.\}", r"<path:\1>", self.path)
        path = re.sub(r"\{(\w+)\}", r"<\1>", path)
        rule = Rule(f"/{slug}{path}", methods=[self.method], endpoint=self)
        rule.methods = {self.method}
        return rule


def no_flow(_request: Request, _store: Store) -> str:
    return ""


def _url_map() -> Map:
    return Map(converters={"default": Segment, "path": PathRemainder}, merge_slashes=False)


@dataclass
class Sandbox:
    """One vendor's sandbox. `refuse(status, message)` makes an error in the vendor's own shape.

    `flow(request, store)` is the id of the user or tenant that a call is about, "" if it is about none;
    faults can be limited to it. `shows` says which fields of which kinds of rows the front page lists.
    """

    slug: str
    name: str
    refuse: Callable[[int, str], Response] = error_response
    flow: Callable[[Request, Store], str] = no_flow
    shows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    routes: list[Route] = field(default_factory=list)
    urls: Map = field(default_factory=_url_map)

    def api(self, method: str, path: str) -> Callable[[Handler], Handler]:
        """Declare a call of the vendor's API."""
        return self._route(method, path, page=False)

    def page(self, method: str, path: str) -> Callable[[Handler], Handler]:
        """Declare a page for browsers, which no fault with a pattern hits."""
        return self._route(method, path, page=True)

    def _route(self, method: str, path: str, *, page: bool) -> Callable[[Handler], Handler]:
        def declare(handler: Handler) -> Handler:
            route = Route(method, path, handler, page)
            self.routes.append(route)
            self.urls.add(route.rule(self.slug))
            return handler

        return declare

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]]:
        """The route for a raw path below the slug, and the parameters in the path."""
        try:
            route, params = self.urls.bind("").match(f"/{self.slug}{path}", method)
        except MethodNotAllowed as no:
            allowed = ", ".join(sorted(no.valid_methods or ()))
            raise Refused(405, "Method not allowed.", {"Allow": allowed}) from None
        except (NotFound, RequestRedirect):
            raise Refused(404, "Not found.") from None
        return route, params
