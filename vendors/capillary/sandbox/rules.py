"""Rules for every call of the Capillary sandbox: authentication, envelopes of replies, errors.

Reference: Capillary API documentation, "Introduction" (authentication, status codes), "Integrations".
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import TypeGuard

from vendors.sandbox import Refused, Request, Response, Store, json_response
from vendors.sandbox.switches import Switch

USERNAME = "demo.till.1"
PASSWORD = "demo-till-password"
TILL = 15000449
TILLS = {TILL, 50014941, 50014744}
KEY = "gangwayDemoOperatorKey001"
SECRET = "gangwayDemoOperatorSecretOfFortyLetters0"
INDIA = timezone(timedelta(hours=5, minutes=30))

ZERO = [{"code": 0, "message": ""}]
BUSY = {
    "429-once": (429, 429, "Too many requests."),
    "461-once": (461, 461, "The server is busy. Please try again later."),
    "521-once": (521, 521, "Concurrent actions are in progress."),
    "4001-once": (503, 4001, "Authorization status unavailable"),
    "4000-once": (403, 4000, "Access denied by the access group."),
}

NEXT = Switch(
    "next_call",
    "The next call",
    {
        "works": "works",
        "429-once": "rate limit (429)",
        "461-once": "busy (461)",
        "521-once": "concurrent actions (521)",
        "4001-once": "authorization unavailable (503)",
        "4000-once": "refused by an access group (403)",
    },
)
SUCCESS = Switch(
    "success", "A success carries", {"null": "errors: null", "zero": "an error with code 0"}
)
CREATED = Switch(
    "created",
    "Creating a client answers",
    {"200": "200", "201": "201 with the client", "201-errors": "201 with errors, nothing made"},
)
EXPIRED = Switch(
    "expired_token",
    "An expired token is told as",
    {
        "498": "498, data and errors",
        "498-old": "498, older shape",
        "200-old": "200, older shape",
        "401-old": "401, older shape",
    },
)
BAD_KEY = Switch("bad_key", "HTTP status of 320001", {"401": "401", "400": "400", "200": "200"})
REFUSALS = Switch(
    "refusals", "401 and 403 are told in", {"v3": "data and errors", "old": "the older shape"}
)
DELETED = Switch(
    "deleted", "A deleted client", {"shown": "is shown with isValid false", "gone": "is gone (404)"}
)
UNIT = Switch(
    "unit", "expirationTokenTime counts", {"seconds": "seconds", "minutes": "minutes (the UI's)"}
)
SWITCHES = (NEXT, SUCCESS, CREATED, EXPIRED, REFUSALS, BAD_KEY, DELETED, UNIT)

Handler = Callable[[Request, Store], Response]


class Wrong(Exception):
    """A refusal in the shape of v3."""

    def __init__(self, status: int, message: str, code: int = 0) -> None:
        super().__init__(status)
        self.status, self.message, self.code = status, message, code or status

    def response(self) -> Response:
        error = {"code": self.code, "message": self.message}
        return json_response({"data": None, "errors": [error]}, self.status)


def refuse(status: int, message: str) -> Response:
    return Wrong(status, message).response()


def done(store: Store, data: object, status: int = 200) -> Response:
    """A success in the shape of v3."""
    errors = ZERO if SUCCESS.value(store) == "zero" else None
    return json_response({"data": data, "errors": errors}, status)


def older(status: int, code: str, message: str) -> Response:
    """The older shape, with its misleading `success`."""
    gateway = {"success": "true", "code": code, "message": message}
    return json_response({"response": {"status": gateway}}, status)


def at(moment: float, *, exact: bool = False) -> str:
    """As in the samples: Indian time, no colon in the offset; whole seconds unless `exact`."""
    there = datetime.fromtimestamp(moment, UTC).astimezone(INDIA)
    thousandths = there.microsecond // 1000 if exact else 0
    return f"{there:%Y-%m-%dT%H:%M:%S}.{thousandths:03d}+0530"


def opened(handler: Handler) -> Handler:
    """`handler`, whose refusals do not roll back what it has changed."""

    def call(request: Request, store: Store) -> Response:
        try:
            return handler(request, store)
        except Wrong as wrong:
            return wrong.response()
        except Refused as no:
            return refuse(no.code, no.description)

    return call


def guarded(handler: Handler) -> Handler:
    """`handler` for those who may manage clients; before it, what "the next call" says."""

    def call(request: Request, store: Store) -> Response:
        refused = _caller(request, store)
        if refused:
            return refused
        trouble = NEXT.take(store)
        if trouble in BUSY:
            status, code, message = BUSY[trouble]
            return Wrong(status, message, code).response()
        return handler(request, store)

    return opened(call)


def _caller(request: Request, store: Store) -> Response | None:
    """None if the operator calls, with a token or as a till; the refusal otherwise."""
    request.require_content_type("application/json")
    if "application/json" not in request.headers.get("accept", ""):
        raise Wrong(400, "Accept must be application/json.")
    if "x-cap-api-oauth-token" in request.headers:
        return _token(request.headers["x-cap-api-oauth-token"], store)
    digest = hashlib.md5(PASSWORD.encode(), usedforsecurity=False).hexdigest()
    if request.basic() != (USERNAME, digest):
        return _denied(store, 401, "Unauthorized")
    return None


def _token(value: str, store: Store) -> Response | None:
    token = store.get("tokens", value)
    if token is None or not _valid(store, token["client"]):
        return _denied(store, 401, "Unauthorized")
    if token["expires_at"] <= time.time():
        return _expired(store, token["expires_at"])
    if token["client"] != KEY:
        return _denied(store, 403, "Client doesn't have access to the requested resource")
    return None


def _denied(store: Store, status: int, message: str) -> Response:
    if REFUSALS.value(store) == "v3":
        return Wrong(status, message).response()
    return older(status, str(status), message)


def _valid(store: Store, key: str) -> bool:
    row = store.get("operators", key) or store.get("clients", key)
    return bool(row and row["valid"])


def _expired(store: Store, expires_at: float) -> Response:
    message, shape = f"Token expired at {at(expires_at)}", EXPIRED.value(store)
    if shape == "498":
        return Wrong(498, message).response()
    return older(int(shape.partition("-")[0]), "498", message)


def whole(value: object) -> TypeGuard[int]:
    """A whole number, which True is not."""
    return type(value) is int
