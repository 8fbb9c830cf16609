"""Sharespine's Reseller API and Tenant API: the payloads and calls that we use.

Source: https://developers.sharespine.com/docs/tutorials/resellerapi/onboard-tenant.html. The page
gives samples, no schema and no status codes: 200 and 201 are taken as success, unknown fields are
ignored. Its curl samples send the User-Agent as a form field (`-F`); it is a header. The Tenant API:
https://developers.sharespine.com/docs/tutorials/tenantapi/orders.html and
https://helpdesk.sharespine.com/hc/sv/articles/360017909317-Get-Started
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, TypedDict

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, WrapValidator

from vendors.contract import Garbled, Refused
from vendors.http.api import Api, Nothing, Reply


class NewTenant(TypedDict):
    customerReference: str
    active: bool
    fullName: str
    email: str
    defaultLanguage: str
    languages: list[str]
    options: list[str]


class Tenant(Reply):
    code_name: str = Field(alias="codeName", min_length=1)


class NewUser(TypedDict):
    login: str
    fullName: str
    email: str
    permissions: list[str]
    defaultLanguage: str


class User(Reply):
    login: str = Field(min_length=1)


class NewConnection(TypedDict):
    active: bool
    name: str
    type: str
    configuration: Mapping[str, Any]


class Connection(Reply):
    id: str = Field(min_length=1)


class Door(Reply):
    """`expires` is documented as `2023-04-04T13:57:16Z`; without it the link is still good."""

    login_url: str = Field(alias="loginUrl", min_length=1)
    expires: Any = None


class State(Reply):
    """Of a tenant or of an API connection. Not documented: only a plain no is taken for a no."""

    active: Any = None

    @property
    def off(self) -> bool:
        return self.active in (False, "false", "False", "0")


class Seen(Reply):
    """All that we read of an order: which it is, and when it changed (UTC where it says nothing)."""

    id: str = Field(alias="localId", min_length=1)
    modified: Annotated[
        datetime, AfterValidator(lambda at: at if at.tzinfo else at.replace(tzinfo=UTC))
    ] = Field(alias="lastModified")


def _or_nothing(row: Any, parse: Callable[[Any], Any]) -> Any:
    try:
        return parse(row)
    except ValidationError:
        return None


STATE: TypeAdapter[State | None] = TypeAdapter(State | None)
ORDERS: TypeAdapter[list[Seen | None] | None] = TypeAdapter(
    list[Annotated[Seen | None, WrapValidator(_or_nothing)]] | None
)


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
    def open_door(self, code_name: str, login: str, path: str) -> Door:
        """Makes nothing that matters when its answer is lost: a link nobody has runs out."""
        return self.api.send(
            "POST", "/reseller/tenant/{tenant}/login/{login}", Door,
            parts={"tenant": code_name, "login": login}, json={"path": path},
        )  # fmt: skip

    # Reference: …/onboard-tenant.html, "active"; the verb is not documented, it follows
    # https://developers.sharespine.com/docs/core/connect-communicate.html (PUT takes a part)
    def set_active(self, code_name: str, active: bool) -> None:
        """Garbled if the answer is not the record, or says the contrary."""
        state = self.api.send(
            "PUT", "/reseller/tenant/{tenant}", STATE, ok=(200, 201, 204),
            parts={"tenant": code_name}, json={"active": active},
        )  # fmt: skip
        if active and state and state.off:
            raise Garbled("PUT /reseller/tenant/{tenant} answered that it is still off")
        if not active and state and state.active in (True, "true"):
            raise Garbled("PUT /reseller/tenant/{tenant} answered that it is still on")

    # Reference: …/onboard-tenant.html, "Delete the tenant … (all data will be lost)"; no verb given
    def delete_tenant(self, code_name: str) -> None:
        self.api.send(
            "DELETE", "/reseller/tenant/{tenant}", STATE, ok=(200, 204), parts={"tenant": code_name}
        )


@dataclass(frozen=True)
class TenantClient:
    """Two short calls a check, so that it ends before the lease of its account does."""

    api: Api

    # Reference: …/360017909317-Get-Started
    def root(self) -> State:
        """What the credentials open: metadata of the API connection, of a shape that is not public."""
        return self.api.send("GET", "/api/", State, ok=(200,), retries=1)

    # Reference: …/tenantapi/orders.html
    def orders(self, since: datetime) -> list[Seen]:
        """Changed at or after `since`; rows that we cannot read are left out."""
        rows = self.api.send(
            "GET", "/api/order", ORDERS, ok=(200, 204), query={"modifiedAtOrAfter": moment(since)}
        )
        return [row for row in rows or () if row is not None]


def moment(at: datetime) -> str:
    """As Sharespine writes it: `2023-04-04T13:57:16Z`."""
    fine = "milliseconds" if at.microsecond else "seconds"
    return at.astimezone(UTC).isoformat(timespec=fine).replace("+00:00", "Z")


def machine_code(_status: int, body: Any) -> str:
    """The shape of errors is not public: a short `code` or `error` is taken if there is one."""
    fields = body if isinstance(body, dict) else {}
    return next((str(fields[key]) for key in ("code", "error") if fields.get(key)), "")


def connect(*, api_url: str, username: str, password: str, reseller: str, contact: str) -> Client:
    """A client with the three things that every call carries: Basic, X-Reseller, User-Agent."""
    headers = {"X-Reseller": reseller, "User-Agent": f"gangway/1.0 ({contact})"}
    api = Api(
        name="sharespine", base_url=api_url, headers=headers,
        auth=(username, password), refusal=machine_code,
    )  # fmt: skip
    return Client(api)


# Reference: …/360017909317-Get-Started (the root of the Tenant API)
def knock(api_url: str, contact: str) -> None:
    """Ask the documented root without any credentials: whatever it says, somebody answers."""
    headers = {"User-Agent": f"gangway/1.0 ({contact})"}
    api = Api(name="sharespine", base_url=api_url, headers=headers, own=False, connect=3, total=10)
    with suppress(Refused):
        api.send("GET", "/api/", Nothing, ok=(200,))


def connect_tenant(
    *, api_url: str, contact: str, tenant: str, connection: str, login: str, password: str
) -> TenantClient:
    """A client for the Tenant API: Basic of a user of the tenant, X-Tenant and X-ConnectionId."""
    if not all(each.isascii() and each.isprintable() for each in (tenant, connection)):
        raise Garbled("an id that Sharespine gave us cannot stand in a header")
    headers = {
        "X-Tenant": tenant,
        "X-ConnectionId": connection,
        "User-Agent": f"gangway/1.0 ({contact})",
    }
    api = Api(
        name="sharespine", base_url=api_url, headers=headers, auth=(login, password), own=False,
        refusal=machine_code, connect=3, read=8, total=10, limit_bytes=8_000_000,
    )  # fmt: skip
    return TenantClient(api)
