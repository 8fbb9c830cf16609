"""itembase's calls: selfservice tokens, OAuth, the user and the user's instances.

Replies name only the fields we use. References: the connect API guide ("Signing up users and add
services with the connect API"), and the API guides for OAuth, user information and errors.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vendors.contract import Garbled, Json, JsonObject, Refused
from vendors.contract.characters import is_visible, one_line
from vendors.http.api import Api, Reply
from vendors.http.reply import (
    Id,
    Number,
    OptionalSecret,
    OptionalWords,
    Seconds,
    Secret,
    Url,
    Words,
)
from vendors.http.urls import add_query, same_host

SCOPES = "user.minimal user.instances.read user.instances.write"


def machine_code(_status: int, body: Json) -> str:
    """The machine code of an error: RFC 6749's `error`, else the guide's {"message", "code"}."""
    if not isinstance(body, dict):
        return ""
    if isinstance(error := body.get("error"), str):
        return error
    message = f"{body.get('message', '')} {body.get('error_description', '')}"
    return "invalid_grant" if "invalid_grant" in message else ""


def meaning(status: int, body: Json) -> int:
    """An unknown client may be answered 400 (RFC 6749, section 5.2), which means 401 here."""
    unknown = isinstance(body, dict) and body.get("error") == "invalid_client"
    return 401 if unknown and status == 400 else status


# Reference: connect API guide, example 1: "a redirect_uri as GET parameter"
def process_url(uri: str, redirect_uri: str) -> str:
    """The link's page, from which itembase sends the merchant back to `redirect_uri`."""
    return add_query(uri, {"redirect_uri": redirect_uri})


class Link(Reply):
    """A selfservice token: `uri` is itembase's process page, `expires_in` is in seconds."""

    token: Secret
    uri: Url
    expires_in: Seconds | None = None


class Grant(Reply):
    """OAuth tokens; `expires_in` is in seconds, and the guide contradicts itself about its size."""

    access_token: Secret
    refresh_token: OptionalSecret = None
    expires_in: Seconds | None = None


class Me(Reply):
    """The user; `email` and `username` only say to people whose account it is."""

    uuid: Id
    email: OptionalWords = None
    username: OptionalWords = None

    @property
    def label(self) -> str:
        """Whose account it is: the email address, else the user name, else ""."""
        texts = (one_line(text or "") for text in (self.email, self.username))
        return next(filter(is_visible, texts), "")


class Activation(Reply):
    """A page on which the user activates the operator's service; `expires_at` in POSIX seconds."""

    activation_url: Url
    expires_at: Seconds | None = None


class Instance(Reply):
    """A shop ("connection") or a service ("solution") of an itembase user."""

    id: Id
    component_id: Number | None = None
    component_type: Words | None = None
    status: Words | None = None


@dataclass(frozen=True, kw_only=True)
class Client:
    """The operator's credentials, and base URLs: each is what stands before the documented path."""

    selfservice_url: str
    accounts_url: str
    api_url: str
    users_url: str
    solution_url: str
    client_id: str
    client_secret: str = field(repr=False)
    token_method: str = "GET"

    # Reference: connect API guide, example 1 (no authorisation, but a client id)
    def link_for_anyone(self, component_id: int) -> Link:
        """A link that signs up or signs in whoever follows it, and adds a shop to their account."""
        body = {"component_ids": [component_id], "client_id": self.client_id, "action": "create"}
        return self._link(body)

    # Reference: connect API guide, example 2 (scope user.instances.write)
    def link_for_user(self, access: str, component_id: int) -> Link:
        """A link that adds a shop to the account of the user whose access token this is."""
        return self._link({"component_ids": [component_id], "action": "create"}, access)

    # Reference: connect API guide, example 3 (scopes user.instances.read, user.instances.write)
    def link_for_instance(self, access: str, instance_id: str) -> Link:
        """A link that activates the operator's service for a shop the user already has."""
        return self._link({"instance_id": instance_id, "action": "create"}, access)

    def _link(self, body: JsonObject, access: str = "") -> Link:
        selfservice = self._api(self.selfservice_url, operator_credentials=not access)
        link = selfservice.send("POST", "/v1/tokens", Link, json=body, bearer=access)
        if not same_host(link.uri, self.selfservice_url):
            raise Garbled("POST /v1/tokens named a link to another host")
        return link

    # Reference: API guides, "Activation": on the server's side, with the user's access token
    def activation(self, access: str) -> Activation:
        link = self._api(self.solution_url).send("GET", "/activate", Activation, bearer=access)
        if not same_host(link.activation_url, self.solution_url):
            raise Garbled("GET /activate named a link to another host")
        return link

    # Reference: API guides, OAuth: /oauth/v2/auth
    def authorize_url(self, redirect_uri: str, state: str) -> str:
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "scope": SCOPES,
            "redirect_uri": redirect_uri,
            "state": state,
        }
        return add_query(f"{self.accounts_url}/oauth/v2/auth", query)

    # Reference: API guides, OAuth: /oauth/v2/token, grant_type=authorization_code
    def exchange(self, code: str, redirect_uri: str) -> Grant:
        """Spend a code. `redirect_uri` must be the one given to `authorize_url`.

        Raises Refused with code "invalid_grant" when the code is spent or too old.
        """
        return self._grant(
            {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        )

    # Reference: API guides, OAuth: /oauth/v2/token, grant_type=refresh_token
    def refresh(self, refresh_token: str) -> Grant:
        """New tokens; the one given here stops working. Refused "invalid_grant": it already had."""
        return self._grant({"grant_type": "refresh_token", "refresh_token": refresh_token})

    def _grant(self, fields: dict[str, str]) -> Grant:
        fields = {"client_id": self.client_id, "client_secret": self.client_secret, **fields}
        accounts = self._api(self.accounts_url, operator_credentials=True)
        if self.token_method == "POST":
            return accounts.send("POST", "/oauth/v2/token", Grant, form=fields)
        # The guide documents a GET with everything in the query; Api never logs a query.
        return accounts.send("GET", "/oauth/v2/token", Grant, query=fields)

    # Reference: RFC 6749, section 5.2: the client is authenticated before its grant is looked at
    def check_credentials(self) -> None:
        """Try a refresh token that nobody has: only a known client is told that it is invalid.

        Raises Refused if the client is unknown.
        """
        try:
            self.refresh("none")
        except Refused as refusal:
            if refusal.code != "invalid_grant":
                raise

    # Reference: API guides, user information (scope user.minimal)
    def me(self, access: str) -> Me:
        return self._api(self.users_url).send("GET", "/v1/me", Me, bearer=access, retries=1)

    # Reference: connect API guide, example 3: a bare list (scope user.instances.read)
    def instances(self, access: str, user_id: str) -> list[Instance]:
        return self._api(self.api_url).send(
            "GET",
            "/v1/users/{id}/instances",
            list[Instance],
            parts={"id": user_id},
            headers={"Content-Type": "application/json"},  # as in the guide's sample
            bearer=access,
            retries=1,
        )

    def _api(self, base_url: str, operator_credentials: bool = False) -> Api:
        """An Api that is called as the operator's client, or with a merchant's token."""
        return Api(
            name="itembase", base_url=base_url, machine_code=machine_code, meaning=meaning,
            operator_credentials=operator_credentials, accepted_codes=("invalid_grant",),
        )  # fmt: skip
