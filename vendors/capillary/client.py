"""Capillary's v3 integrations API: the payloads and calls that we use, and the operator's token.

Source: "Integrations" (v3/integrations) and "Authentication" of
https://github.com/Capillary/api-documentation. The pages give samples, no schema and no status codes;
envelope.py says what an answer stands for. Numbers come as numbers or as text, times as
`2020-04-15T14:14:06.104+0530`. Clients are addressed by `clientKey`, never by `id`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, TypedDict, TypeVar

from pydantic import Field, ValidationError, WrapValidator

from vendors.contract import Garbled, Refused
from vendors.http.api import Api, Reply

from .envelope import EXPIRED, Envelope, machine_code, meaning
from .memo import Kept

T = TypeVar("T")

MARGIN, SHORT = 60.0, 120  # seconds; samples have tokens that last 10
REMEMBER_SCOPES = 600.0  # seconds


class Grant(TypedDict):
    """One scope of a client: `resources` are patterns of paths, like `.*v3/targetGroups.*`."""

    entityId: int
    permission: str
    resources: list[str]


class NewClient(TypedDict):
    """`expirationTokenTime` is in seconds, says the page; the user interface speaks of minutes."""

    name: str
    description: str
    expirationTokenTime: int
    defaultTillId: int
    scopes: list[Grant]


class Scope(Reply):
    id: int
    entity: str = ""


class Granted(Reply):
    """A scope as it is answered: the resources are never told again."""

    entity_id: int = Field(alias="entityId")
    permission: str = ""


def _or_nothing(value: Any, parse: Callable[[Any], Any]) -> Any:
    """For what is only shown: an odd one must not keep anybody from a client."""
    try:
        return parse(value)
    except ValidationError:
        return None


Moment = Annotated[datetime | None, WrapValidator(_or_nothing)]


class Attribution(Reply):
    created: Moment = Field(default=None, alias="createdOn")
    changed: Moment = Field(default=None, alias="lastUpdatedOn")


def _attribution(value: Any, parse: Callable[[Any], Any]) -> Attribution:
    return _or_nothing(value, parse) or Attribution()


class ApiClient(Reply):
    """An API client of the organisation. A deleted one may stay, with `isValid` false."""

    key: str = Field(alias="clientKey", min_length=1)
    name: str | None = None
    description: str | None = None
    is_valid: bool | None = Field(default=None, alias="isValid")
    expiry: int | None = Field(default=None, alias="expirationTokenTime")
    till: int | None = Field(default=None, alias="defaultTillId")
    scopes: list[Granted] | None = None
    attribution: Annotated[Attribution, WrapValidator(_attribution)] = Attribution()

    @property
    def valid(self) -> bool:
        return self.is_valid is not False


class Made(ApiClient):
    """The only answer that ever holds the secret."""

    secret: str = Field(alias="clientSecret", min_length=1)


class Token(Reply):
    access: str = Field(alias="accessToken", pattern=r"^[!-~]+$")  # it stands in a header
    seconds: int | None = Field(default=None, alias="ttlSeconds")


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

    def known_scopes(self) -> list[Scope]:
        """The same, for a form: at most ten minutes old."""
        return _scopes.get(self._me, lambda: (self.scopes(), REMEMBER_SCOPES))

    # Reference: Integrations, "Create API Client Account"
    def create(self, client: NewClient) -> Made:
        return self._send(
            "POST", "/v3/integrations/clients", Envelope[Made], json=client, creates=True
        ).data

    # Reference: Integrations, "Get API Clients": all of the organisation, without their scopes
    def clients(self) -> list[ApiClient]:
        return self._send("GET", "/v3/integrations/clients", Envelope[list[ApiClient]]).data

    # Reference: Integrations, "Get Client Details"
    def get(self, key: str) -> ApiClient | None:
        """None for a client that does not exist; a deleted one may still come, no longer valid."""
        return self._one("GET", key)

    # Reference: Integrations, "Update Client Details": the scopes sent replace those that were
    def update(self, key: str, client: NewClient) -> ApiClient | None:
        """None for a client that does not exist."""
        return self._one("PUT", key, json=client)

    # Reference: Integrations, "Delete Client Account": answers the client with `isValid` false
    def delete(self, key: str) -> bool:
        """False: there was none. Raises Garbled if it says that the client is still valid."""
        left = self._one("DELETE", key)
        if left and left.is_valid:
            raise Garbled("DELETE /v3/integrations/clients/{key} answered with a valid client")
        return left is not None

    def _one(self, method: str, key: str, json: Any = None) -> ApiClient | None:
        path, reply = "/v3/integrations/clients/{key}", Envelope[ApiClient]
        try:
            found = self._send(method, path, reply, parts={"key": key}, json=json).data
        except Refused as no:
            if no.status != 404:
                raise
            return None
        if found.key != key:
            raise Garbled(f"{method} {path} answered for another client")
        return found

    # Reference: Authentication, "OAuth": key and secret for a token, without any other credentials
    def generate(self, key: str, secret: str) -> Token:
        """Raises Refused with code "320001" if Capillary does not know this pair."""
        pair = {"key": key, "secret": secret}
        path = "/v3/oauth/token/generate"
        api = replace(self._api, own=(key, secret) == (self.key, self.secret))
        return api.send("POST", path, Envelope[Token], json=pair).data

    # -- the operator's sign-in ------------------------------------------------------------------

    def _send(self, method: str, path: str, reply: type[T], **call: Any) -> T:
        """With the operator's token: one that is no longer accepted is replaced, once."""
        call["retries"] = 1 if method == "GET" else 0
        if self.auth == "basic":
            return self._api.send(method, path, reply, auth=self._basic(), **call)
        token = self._token()
        try:
            return self._api.send(method, path, reply, headers=_header(token), **call)
        except Refused as no:
            if no.status not in (EXPIRED, 401):
                raise
        _tokens.forget(self._me, token)
        return self._api.send(method, path, reply, headers=_header(self._token()), **call)

    # Reference: Authentication, "Basic": the password goes as its MD5 in hexadecimal
    def _basic(self) -> tuple[str, str]:
        digest = hashlib.md5(self.password.encode(), usedforsecurity=False).hexdigest()
        return self.username, digest

    def _token(self) -> str:
        return _tokens.get(self._me, self._sign_in)

    def _sign_in(self) -> tuple[str, float]:
        token = self.generate(self.key, self.secret)
        return token.access, use_for(token.seconds)

    @property
    def _me(self) -> tuple[str, ...]:
        return self.api_url, self.auth, self.key, self.secret, self.username, self.password

    @cached_property
    def _api(self) -> Api:
        return Api(
            name="capillary", base_url=self.api_url, headers={"Content-Type": "application/json"},
            refusal=machine_code, meaning=meaning,
        )  # fmt: skip


def use_for(seconds: int | None) -> float:
    """How long a token may be used that lasts this long; one that does not say so is used once."""
    life = seconds or 0
    return life * 0.9 if life <= SHORT else life - MARGIN


def _header(token: str) -> dict[str, str]:
    return {"X-CAP-API-OAUTH-TOKEN": token}


_tokens: Kept[str] = Kept()
_scopes: Kept[list[Scope]] = Kept()
