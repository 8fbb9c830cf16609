"""Sharespine's Reseller API: the payloads and calls that we use.

Source: https://developers.sharespine.com/docs/tutorials/resellerapi/onboard-tenant.html. The page
gives samples, no schema and no status codes: 200 and 201 are taken as success, unknown fields are
ignored. Its curl samples send the User-Agent as a form field (`-F`); it is a header.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from pydantic import Field

from vendors.api import Api, Nothing, Reply


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
        self.api.send(
            "PUT", "/reseller/tenant/{tenant}", Nothing,
            parts={"tenant": code_name}, json={"active": active},
        )  # fmt: skip


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
