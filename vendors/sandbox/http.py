"""Requests and responses of the sandboxes: Werkzeug's, with the checks that vendors document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from werkzeug import wrappers
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import HTTPException

from .state import JsonObject

CASES = ("slow", "dead", "garbled", "lost")


class Refused(HTTPException):
    """A refused request. The vendor's sandbox turns it into an error of its own shape."""

    code: int
    description: str

    def __init__(
        self, code: int, description: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(description)
        self.code, self.headers = code, dict(headers or {})


class Parameters(ImmutableMultiDict[str, str]):
    """The parameters of a query string or form. A name that is given twice is refused."""

    def __init__(self, mapping: Any = None) -> None:  # Any: Werkzeug's signature
        super().__init__(mapping)
        if any(len(values) > 1 for values in self.listvalues()):
            raise Refused(400, "A parameter is given twice.")


class Request(wrappers.Request):
    """One request. `params` are the parameters in its path."""

    parameter_storage_class = Parameters
    params: Mapping[str, str] = {}

    @property
    def raw_path(self) -> str:
        """The path as it was sent, in which an encoded slash is no slash."""
        return str(self.environ["RAW_URI"]).partition("?")[0]

    def mount(self, slug: str) -> None:
        """Split the path at the vendor's slug, which from now on is in `root_path`."""
        self.root_path = f"/{slug}"
        self.path = self.path.removeprefix(self.root_path) or "/"

    def is_cross_site(self) -> bool:
        """Whether a browser says that another site sent this request."""
        return self.origin not in {None, self.host_url.rstrip("/")}

    def form_fields(self) -> ImmutableMultiDict[str, str]:
        """The fields of an HTML form; any other type of body is refused."""
        self.require_content_type("application/x-www-form-urlencoded")
        return self.form

    def json_object(self) -> JsonObject:
        """The JSON object in the body; anything else is refused."""
        self.require_content_type("application/json")
        data = self.get_json()
        if not isinstance(data, dict):
            raise Refused(400, "The body is not a JSON object.")
        return data

    def require_content_type(self, wanted: str) -> None:
        if self.mimetype != wanted:
            raise Refused(415, f"Content-Type must be {wanted}.")

    def on_json_loading_failed(self, e: ValueError | None) -> NoReturn:
        raise Refused(400, "The body is not JSON.")

    def basic(self) -> tuple[str | None, str | None]:
        """User name and password of HTTP Basic authentication."""
        given = self.authorization
        return (given.username, given.password) if given else (None, None)

    def bearer(self) -> str:
        given = self.authorization
        return given.token or "" if given and given.type == "bearer" else ""


class Response(wrappers.Response):
    """One response, and the fault with which the server sends it.

    `wire_fault` is "reset", "truncated", "drip" or ""; `interval` is the number of seconds between two
    bytes of a drip. `play` is the case, flow and route of the faults to inject after this response.
    """

    default_mimetype = None
    wire_fault = ""
    interval = 0.0
    play: tuple[str, str, str] | None = None

    def then_play(self, case: str, flow: str, route: str = "*") -> Response:
        """This response; after it, the faults of `case` (if it is one of CASES) hit the calls of `flow`."""
        if case in CASES:
            self.play = (case, flow, route)
        return self


def json_response(
    data: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(json.dumps(data), status, headers, mimetype="application/json")


def error_response(status: int, message: str) -> Response:
    return json_response({"message": message}, status)


def redirect(url: str) -> Response:
    """A 303, so that a POST is followed by a GET."""
    return Response(status=303, headers={"Location": url, "Cache-Control": "no-store"})
