"""Capillary's v3 integrations API: the payloads and calls that we use, and the operator's token.

Source: "Integrations" (v3/integrations), "Authentication" and source/index.html.md of
https://github.com/Capillary/api-documentation, and docs.capillarytech.com, "Authorization Flows". They
give samples, no schema and no status codes.
Numbers come as numbers or as text, times as `2020-04-15T14:14:06.104+0530`. Clients are addressed by
`clientKey`, never by `id`.

v3 answers `{"data": …, "errors": null | [{"code": number, "message": text}]}`; an error with code 0
and no message is none. The gateway answers `{"response": {"status": {"success", "code", "message"}}}`,
where `success` may be "true" beside the code "401". 201 means "one or more requests have failed".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any, Generic, TypedDict, TypeVar

from pydantic import Field, WrapValidator

from vendors.contract import Garbled, Json, JsonObject, Refused
from vendors.http.api import Api, Reply, none_if_missing
from vendors.http.process_cache import ProcessCache
from vendors.http.reply import Id, Lines, Number, Seconds, Secret, Words, none_if_odd
from vendors.http.times import Moment

T = TypeVar("T")

EXPIRY_MARGIN, SHORT_LIFE = 60.0, 120  # seconds; samples have tokens that last 10
SCOPES_LIFE = 600.0  # seconds

TOKEN_EXPIRED = 498
PARTLY_DONE = 207  # neither a success nor a clear failure: what a creation did must be looked up
FAILED = 422
HTTP_STATUS = re.compile(r"[45][0-9]{2}")  # of a refusal, as a code in the body
UNKNOWN_PAIR = "320001"  # "Invalid client key and secret"; its status is not documented
DENIED = "4000"  # by an access group, permanently
# Overloaded, concurrent actions, authorisation unavailable: nothing was done.
BUSY = ("461", "521", "4001")
STATUSES = {UNKNOWN_PAIR: 401, DENIED: 403, **dict.fromkeys(BUSY, 429)}


class Envelope(Reply, Generic[T]):
    data: T


class Grant(TypedDict):
    """One scope of a client: `resources` are patterns of paths, like `.*v3/targetGroups.*`."""

    entityId: int
    permission: str
    resources: list[str]


class NewClient(TypedDict):
    """`expirationTokenTime` is in seconds by the docs, but the user interface says minutes."""

    name: str
    description: str
    expirationTokenTime: int
    defaultTillId: int
    scopes: list[Grant]


class Scope(Reply):
    id: Number
    entity: Words = ""


class GrantedScope(Reply):
    """A scope as Capillary returns it: without its resources."""

    entity_id: Number = Field(alias="entityId")
    permission: Words = ""


# Only shown to staff: an odd one must not make a client unreadable.
LenientTime = Annotated[Moment | None, WrapValidator(none_if_odd)]


class Attribution(Reply):
    created: LenientTime = Field(default=None, alias="createdOn")
    changed: LenientTime = Field(default=None, alias="lastUpdatedOn")


def _attribution(value: Json, parse: Callable[[Json], Attribution]) -> Attribution:
    return none_if_odd(value, parse) or Attribution()


class ApiClient(Reply):
    """An API client of the organisation. A deleted one may stay, with `isValid` false."""

    key: Id = Field(alias="clientKey")
    name: Words | None = None
    description: Lines | None = None
    is_valid: bool | None = Field(default=None, alias="isValid")
    expiry: Number | None = Field(default=None, alias="expirationTokenTime")
    till: Number | None = Field(default=None, alias="defaultTillId")
    scopes: list[GrantedScope] | None = None
    attribution: Annotated[Attribution, WrapValidator(_attribution)] = Attribution()

    @property
    def valid(self) -> bool:
        return self.is_valid is not False


class CreatedClient(ApiClient):
    """The only reply that ever holds the secret."""

    secret: Secret = Field(alias="clientSecret")


class Token(Reply):
    access: Secret = Field(alias="accessToken")
    seconds: Seconds | None = Field(default=None, alias="ttlSeconds")


@dataclass(frozen=True, kw_only=True)
class Client:
    """The operator's own credentials: a key and a secret (OAuth), or a user and a password (Basic)."""

    api_url: str
    auth: str = "oauth"
    key: str = ""
    secret: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)

    # Reference: Integrations, "Get Integration Scopes" (its sample request shows another path)
    def scopes(self) -> list[Scope]:
        return self._send("GET", "/v3/integrations/scopes", Envelope[list[Scope]]).data

    def cached_scopes(self) -> list[Scope]:
        """The scopes for a form: at most ten minutes old."""
        return _scopes.get(self._owner, lambda: (self.scopes(), SCOPES_LIFE))

    # Reference: Integrations, "Create API Client Account"
    def create(self, client: NewClient) -> CreatedClient:
        return self._send(
            "POST", "/v3/integrations/clients", Envelope[CreatedClient], json=client, creates=True
        ).data

    # Reference: Integrations, "Get API Clients": all of the organisation, without their scopes
    def clients(self) -> list[ApiClient]:
        return self._send("GET", "/v3/integrations/clients", Envelope[list[ApiClient]]).data

    # Reference: Integrations, "Get Client Details"
    def get(self, key: str) -> ApiClient | None:
        """None for a client that does not exist; a deleted one may be returned, no longer valid."""
        return self._one("GET", key)

    # Reference: Integrations, "Update Client Details": the scopes sent replace the old ones
    def update(self, key: str, client: NewClient) -> ApiClient | None:
        """None for a client that does not exist."""
        return self._one("PUT", key, json=client)

    # Reference: Integrations, "Delete Client Account": answers the client with `isValid` false
    def delete(self, key: str) -> bool:
        """False if there was none. Raises Garbled if the reply says that it is still valid."""
        deleted = self._one("DELETE", key)
        if deleted and deleted.is_valid:
            raise Garbled("DELETE /v3/integrations/clients/{key} answered with a valid client")
        return deleted is not None

    def _one(self, method: str, key: str, json: Json = None) -> ApiClient | None:
        path, parts = "/v3/integrations/clients/{key}", {"key": key}
        found = none_if_missing(
            lambda: self._send(method, path, Envelope[ApiClient], parts=parts, json=json).data
        )
        if found and found.key != key:
            raise Garbled(f"{method} {path} answered for another client")
        return found

    # Reference: Authentication, "OAuth": key and secret for a token, without any other credentials
    def generate_token(self, key: str, secret: str) -> Token:
        """Raises Refused with code "320001" if Capillary does not know this pair."""
        pair = {"key": key, "secret": secret}
        path = "/v3/oauth/token/generate"
        api = replace(self._api, operator_credentials=(key, secret) == (self.key, self.secret))
        return api.send("POST", path, Envelope[Token], json=pair).data

    # -- the operator's sign-in ------------------------------------------------------------------

    # Any: keyword arguments of `Api.send`, which has their types.
    def _send(self, method: str, path: str, reply: type[T], **call: Any) -> T:
        """Send with the operator's token; one that is no longer accepted is replaced, once."""
        call["retries"] = 1 if method == "GET" else 0
        if self.auth == "basic":
            return self._api.send(method, path, reply, auth=self._basic(), **call)
        token = self._token()
        try:
            return self._api.send(method, path, reply, headers=_header(token), **call)
        except Refused as refusal:
            if refusal.status not in (TOKEN_EXPIRED, 401):
                raise
        _tokens.forget(self._owner, token)
        return self._api.send(method, path, reply, headers=_header(self._token()), **call)

    # Reference: Authentication, "Basic": the password goes as its MD5 in hexadecimal
    def _basic(self) -> tuple[str, str]:
        digest = hashlib.md5(self.password.encode(), usedforsecurity=False).hexdigest()
        return self.username, digest

    def _token(self) -> str:
        return _tokens.get(self._owner, self._sign_in)

    def _sign_in(self) -> tuple[str, float]:
        token = self.generate_token(self.key, self.secret)
        return token.access, usable_seconds(token.seconds)

    @property
    def _owner(self) -> tuple[str, ...]:
        return self.api_url, self.auth, self.key, self.secret, self.username, self.password

    @cached_property
    def _api(self) -> Api:
        return Api(
            name="capillary", base_url=self.api_url, headers={"Content-Type": "application/json"},
            machine_code=machine_code, meaning=meaning,
        )  # fmt: skip


def usable_seconds(lifetime: int | None) -> float:
    """How long to use a token with this lifetime; one without a lifetime is used once."""
    seconds = lifetime or 0
    return seconds * 0.9 if seconds <= SHORT_LIFE else seconds - EXPIRY_MARGIN


def _header(token: str) -> dict[str, str]:
    return {"X-CAP-API-OAUTH-TOKEN": token}


_tokens: ProcessCache[str] = ProcessCache()
_scopes: ProcessCache[list[Scope]] = ProcessCache()


# -- what a reply stands for ---------------------------------------------------------------------


def meaning(status: int, body: Json) -> int:
    """The status that a reply stands for: its body decides, whatever its own status says."""
    code = machine_code(status, body)
    if status in (408, 429):
        return status
    if (code or str(status)) in STATUSES:
        return STATUSES[code or str(status)]
    if not code or status >= 500:
        return status
    if HTTP_STATUS.fullmatch(code):
        return int(code)
    if status >= 400:
        return status
    has_data = isinstance(body, dict) and body.get("data") is not None
    return PARTLY_DONE if has_data else FAILED


def machine_code(_status: int, body: Json) -> str:
    """The code of the first error; "" if there is none, "unknown" for one without a code."""
    return next((code for code in _error_codes(body) if code), "") if isinstance(body, dict) else ""


def _error_codes(body: JsonObject) -> Iterator[str]:
    errors = body.get("errors")
    for error in errors if isinstance(errors, list) else [errors]:
        yield _error_code(error)
    response = body.get("response")
    status = response.get("status") if isinstance(response, dict) else None
    if isinstance(status, dict):
        yield _gateway_code(status)


def _error_code(error: Json) -> str:
    if not isinstance(error, dict):
        return "unknown" if error else ""
    code = str(error.get("code") or "").strip()
    return code if code.strip("0") else "unknown" if error.get("message") else ""


def _gateway_code(status: JsonObject) -> str:
    """`success` counts only where there is no code."""
    code = str(status.get("code") or "").strip()
    if code:
        return "" if code == "200" else code
    return "" if str(status.get("success")).lower() == "true" else "unknown"
