"""Sharespine's Reseller API and Tenant API: the payloads and calls that we use.

Source: https://developers.sharespine.com/docs/tutorials/resellerapi/onboard-tenant.html. The page
gives samples, no schema and no status codes: 200 and 201 are taken as success, unknown fields are
ignored. Its curl samples send the User-Agent as a form field (`-F`); it is a header. The Tenant API:
https://developers.sharespine.com/docs/tutorials/tenantapi/orders.html and
https://helpdesk.sharespine.com/hc/sv/articles/360017909317-Get-Started
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypedDict

from pydantic import Field, TypeAdapter, WrapValidator

from vendors.contract import Garbled, Json
from vendors.http.api import Api, Nothing, Reply
from vendors.http.reply import Anything, Id, Url, none_if_odd
from vendors.http.times import Moment, write_time


class NewTenant(TypedDict):
    customerReference: str
    active: bool
    fullName: str
    email: str
    defaultLanguage: str
    languages: list[str]
    options: list[str]


class Tenant(Reply):
    code_name: Id = Field(alias="codeName")


class NewUser(TypedDict):
    login: str
    fullName: str
    email: str
    permissions: list[str]
    defaultLanguage: str


class User(Reply):
    login: Id


class NewConnection(TypedDict):
    active: bool
    name: str
    type: str
    configuration: Mapping[str, Json]


class Connection(Reply):
    id: Id


class LoginLink(Reply):
    """`expires` is documented as `2023-04-04T13:57:16Z`; without it the link is still good."""

    login_url: Url = Field(alias="loginUrl")
    expires: Anything = None


class State(Reply):
    """A tenant or an API connection. Not documented, so only a plain no is taken for a no."""

    active: Anything = None

    @property
    def is_off(self) -> bool:
        return self.active in (False, "false", "False", "0")


class OrderRow(Reply):
    """All that we read of an order: its id, and when it changed (in UTC unless it has an offset)."""

    id: Id = Field(alias="localId")
    modified: Moment = Field(alias="lastModified")


STATE: TypeAdapter[State | None] = TypeAdapter(State | None)
ORDERS: TypeAdapter[list[OrderRow | None] | None] = TypeAdapter(
    list[Annotated[OrderRow | None, WrapValidator(none_if_odd)]] | None
)


NOBODY = "gangway-asks-for-nobody"  # no tenant that Sharespine would name so


@dataclass(frozen=True)
class Client:
    api: Api

    # Reference: …/onboard-tenant.html, "Create tenant"
    def create_tenant(self, tenant: NewTenant) -> Tenant:
        return self.api.send("POST", "/reseller/tenant", Tenant, json=tenant, creates=True)

    # Reference: …/onboard-tenant.html, "Create tenant user"
    def create_user(self, code_name: str, user: NewUser) -> User:
        return self.api.send(
            "POST", "/reseller/tenant/{tenant}/user", User,
            parts={"tenant": code_name}, json=user, creates=True,
        )  # fmt: skip

    # Reference: …/onboard-tenant.html, "Create an API Connection"
    def create_connection(self, code_name: str, connection: NewConnection) -> Connection:
        return self.api.send(
            "POST", "/reseller/tenant/{tenant}/connection", Connection,
            parts={"tenant": code_name}, json=connection, creates=True,
        )  # fmt: skip

    # Reference: …/onboard-tenant.html, "Create a login URL for specific tenant user"
    def login_link(self, code_name: str, login: str, path: str) -> LoginLink:
        """Not a creation: if the answer is lost, a link that nobody has expires."""
        return self.api.send(
            "POST", "/reseller/tenant/{tenant}/login/{login}", LoginLink,
            parts={"tenant": code_name, "login": login}, json={"path": path},
        )  # fmt: skip

    # Reference: as above
    def try_credentials(self) -> None:
        """Ask for a login to a tenant that cannot exist: 404 says that we were let in, 401 that we were not.

        Of the Reseller API, all other documented calls create something.
        """
        self.api.send(
            "POST", "/reseller/tenant/{tenant}/login/{login}", Nothing, ok=(200, 404),
            parts={"tenant": NOBODY, "login": NOBODY}, json={"path": "/"},
        )  # fmt: skip

    # Reference: …/onboard-tenant.html, "active"; the verb is not documented, it follows
    # https://developers.sharespine.com/docs/core/connect-communicate.html (PUT takes a part)
    def set_active(self, code_name: str, active: bool) -> None:
        """Raises Garbled if the reply is not the record, or says the contrary."""
        state = self.api.send(
            "PUT", "/reseller/tenant/{tenant}", STATE, ok=(200, 201, 204),
            parts={"tenant": code_name}, json={"active": active},
        )  # fmt: skip
        if active and state and state.is_off:
            raise Garbled("PUT /reseller/tenant/{tenant} answered that it is still inactive")
        if not active and state and state.active in (True, "true"):
            raise Garbled("PUT /reseller/tenant/{tenant} answered that it is still active")

    # Reference: …/onboard-tenant.html, "Delete the tenant … (all data will be lost)"; no verb given
    def delete_tenant(self, code_name: str) -> None:
        self.api.send(
            "DELETE", "/reseller/tenant/{tenant}", STATE, ok=(200, 204), parts={"tenant": code_name}
        )


@dataclass(frozen=True)
class TenantClient:
    """Two short calls for each check, so that it ends before the lease of its account does."""

    api: Api

    # Reference: …/360017909317-Get-Started
    def root(self) -> State:
        """Metadata of the API connection to which the credentials belong; its shape is not public."""
        return self.api.send("GET", "/api/", State, ok=(200,), retries=1)

    # Reference: …/tenantapi/orders.html
    def orders(self, since: datetime) -> list[OrderRow]:
        """Orders changed at or after `since`, without the rows that we cannot read."""
        rows = self.api.send(
            "GET",
            "/api/order",
            ORDERS,
            ok=(200, 204),
            query={"modifiedAtOrAfter": format_time(since)},
        )
        return [row for row in rows or () if row is not None]


def format_time(at: datetime) -> str:
    """As Sharespine writes it: `2023-04-04T13:57:16Z`."""
    return write_time(at, "milliseconds" if at.microsecond else "seconds")


def machine_code(_status: int, body: Json) -> str:
    """The shape of errors is not public: a short `code` or `error` is taken if there is one."""
    fields = body if isinstance(body, dict) else {}
    return next((str(fields[key]) for key in ("code", "error") if fields.get(key)), "")


def connect(*, api_url: str, username: str, password: str, reseller: str, contact: str) -> Client:
    """A client whose calls all carry Basic credentials, X-Reseller and a User-Agent."""
    headers = {"X-Reseller": reseller, "User-Agent": f"gangway/1.0 ({contact})"}
    api = Api(
        name="sharespine", base_url=api_url, headers=headers,
        auth=(username, password), machine_code=machine_code,
    )  # fmt: skip
    return Client(api)


def connect_tenant(
    *, api_url: str, contact: str, tenant: str, connection: str, login: str, password: str
) -> TenantClient:
    """A client for the Tenant API: Basic credentials of a tenant user, X-Tenant, X-ConnectionId."""
    headers = {
        "X-Tenant": tenant,
        "X-ConnectionId": connection,
        "User-Agent": f"gangway/1.0 ({contact})",
    }
    api = Api(
        name="sharespine", base_url=api_url, headers=headers, auth=(login, password),
        operator_credentials=False, machine_code=machine_code,
        connect=3, read=8, total=10, limit_bytes=8_000_000,
    )  # fmt: skip
    return TenantClient(api)
