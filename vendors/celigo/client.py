"""integrator.io's connector API: connectors, their install base, and their licences.

Source: https://github.com/celigo/integrator-api-docs (connector.md), errors and pages of lists:
https://developer.celigo.com/api/ (errors, rate-limits, pagination, api-conventions). The
documentation gives samples and no schema: unknown fields are ignored, except where a PUT, which
replaces the whole object, would lose them. Times are UTC, like `2017-11-01T18:29:59.999Z`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from pydantic import ConfigDict, Field, TypeAdapter

from vendors.contract import Json, JsonObject
from vendors.http.api import Api, Nothing, Reply, Unread, none_if_missing
from vendors.http.reply import Anything, Id, Lines, OptionalId, Words
from vendors.http.times import read_time, write_time

# The status that a code of `errors[]` stands for, whatever the status of the reply: that of
# `invalid_user` is not documented, and its sample stands where a licence was expected.
STATUSES = {"invalid_user": 422, "rate_limited": 429, "access_restricted": 403}
# What a PUT of a licence may carry beside `expires` and `opts`.
LICENCE_WRITABLE = ("sandbox", "type", "_editionId")
CONNECTOR_READ_ONLY = {"_id", "lastModified"}
LONGEST_CONNECTOR_ID = 100  # of a connector in the catalogue


class Connector(Reply):
    """An integration app; `handle` is its short name in URLs."""

    model_config = ConfigDict(extra="allow")

    id: Id = Field(alias="_id", max_length=LONGEST_CONNECTOR_ID)
    name: Words | None = None
    description: Lines | None = None
    handle: Words | None = None
    published: Anything = None
    applications: Anything = None

    @property
    def is_published(self) -> bool:
        return self.published in (True, "true")

    def whole(self) -> JsonObject:
        """All that a PUT may write, under the names of the API."""
        fields = self.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return {key: value for key, value in fields.items() if key not in CONNECTOR_READ_ONLY}


class Integration(Reply):
    """A row of the install base; of its fields none is documented."""

    id: OptionalId = Field(None, alias="_integrationId")
    name: Words | None = None
    email: Words | None = None
    version: Words | None = None
    environment: Anything = None


class User(Reply):
    """Whom a licence is for; `_id` appears once they have installed the app."""

    id: OptionalId = Field(None, alias="_id")
    email: Words | None = None


class Licence(Reply):
    """`opts` is the connector's own: `{"connectorEdition": …, "addonLicenses": […]}`."""

    model_config = ConfigDict(extra="allow")

    id: Id = Field(alias="_id")
    raw_expires: Anything = Field(None, alias="expires")
    opts: Anything = None
    user: User | None = None
    integration_id: OptionalId = Field(None, alias="_integrationId")

    @property
    def expires(self) -> datetime | None:
        return read_time(self.raw_expires)

    @property
    def email(self) -> str:
        return (self.user and self.user.email) or ""

    @property
    def is_installed(self) -> bool:
        return bool(self.user and self.user.id and self.integration_id)

    def has_ended(self, now: datetime) -> bool:
        return self.expires is not None and self.expires <= now

    def whole(self) -> JsonObject:
        """All that a PUT may write, under the names of the API."""
        known: JsonObject = {"expires": self.raw_expires, "opts": self.opts or {}}
        more = self.model_extra or {}
        return known | {key: more[key] for key in LICENCE_WRITABLE if key in more}


class NewLicence(TypedDict):
    email: str
    expires: str
    opts: Mapping[str, Json]


CONNECTORS: TypeAdapter[list[Connector] | None] = TypeAdapter(list[Connector] | None)
LICENCES: TypeAdapter[list[Licence] | None] = TypeAdapter(list[Licence] | None)
INTEGRATIONS: TypeAdapter[list[Integration] | None] = TypeAdapter(list[Integration] | None)


@dataclass(frozen=True)
class Client:
    api: Api

    # Reference: connector.md, GET /connectors
    def connectors(self) -> list[Connector]:
        return self.api.rows("/v1/connectors", CONNECTORS)

    # Reference: connector.md, GET /connectors/{_id} (example 1)
    def connector(self, id: str) -> Connector:
        return self.api.send("GET", "/v1/connectors/{id}", Connector, parts={"id": id}, retries=1)

    # Reference: connector.md, POST /connectors
    def create_connector(self, fields: Mapping[str, Json]) -> Connector:
        return self.api.send("POST", "/v1/connectors", Connector, json=dict(fields), creates=True)

    # Reference: connector.md, PUT /connectors/{_id}; api-conventions: PUT replaces the object
    def update_connector(self, id: str, whole: Mapping[str, Json]) -> Connector:
        """`whole`: `Connector.whole()` with what is to change."""
        path = "/v1/connectors/{id}"
        return self.api.send("PUT", path, Connector, parts={"id": id}, json=dict(whole))

    # Reference: connector.md, DELETE /connectors/{_id}
    def delete_connector(self, id: str) -> bool:
        """False if it did not exist any more."""
        return self._delete("/v1/connectors/{id}", {"id": id})

    # Reference: connector.md, GET /connectors/{_id}/installBase
    def install_base(self, id: str) -> list[Integration]:
        return self.api.rows("/v1/connectors/{id}/installBase", INTEGRATIONS, parts={"id": id})

    # Reference: connector.md, PUT /connectors/{_id}/update: "Push update to _integrationIds[]"
    def push_update(self, id: str, integrations: Sequence[str]) -> None:
        """Its reply is not documented."""
        self.api.send(
            "PUT", "/v1/connectors/{id}/update", Nothing, ok=(200,),
            parts={"id": id}, json={"_integrationIds": list(integrations)},
        )  # fmt: skip

    # Reference: connector.md, GET /connectors/{_id}/licenses (example 2)
    def licences(self, connector: str) -> list[Licence]:
        path = "/v1/connectors/{connector}/licenses"
        return self.api.rows(path, LICENCES, parts={"connector": connector})

    # Reference: connector.md, GET /connectors/{_id}/licenses/{_id_of_license}
    def licence(self, connector: str, id: str) -> Licence | None:
        """None if it does not exist."""
        path, parts = "/v1/connectors/{connector}/licenses/{id}", _parts(connector, id)
        return none_if_missing(lambda: self.api.send("GET", path, Licence, parts=parts, retries=1))

    # Reference: connector.md, POST /connectors/{_id}/licenses (examples 3 and 5)
    def create_licence(self, connector: str, new: NewLicence) -> Licence:
        """Raises Refused with code "invalid_user" if no account has this email address."""
        return self.api.send(
            "POST", "/v1/connectors/{connector}/licenses", Licence,
            parts={"connector": connector}, json=new, creates=True,
        )  # fmt: skip

    # Reference: connector.md, PUT /connectors/{_id}/licenses/{_id_of_license} (example 4)
    def update_licence(self, connector: str, id: str, whole: Mapping[str, Json]) -> Licence:
        """`whole`: `Licence.whole()` with what is to change."""
        path = "/v1/connectors/{connector}/licenses/{id}"
        return self.api.send("PUT", path, Licence, parts=_parts(connector, id), json=dict(whole))

    # Reference: connector.md, DELETE /connectors/{_id}/licenses/{_id_of_license}
    def delete_licence(self, connector: str, id: str) -> bool:
        """False if it did not exist any more."""
        path = "/v1/connectors/{connector}/licenses/{id}"
        return self._delete(path, _parts(connector, id))

    def _delete(self, path: str, parts: Mapping[str, str]) -> bool:
        """204 is documented here, and 200 on other pages of the documentation (using-the-api)."""
        reply = none_if_missing(
            lambda: self.api.send("DELETE", path, Unread, ok=(200, 204), parts=parts)
        )
        return reply is not None


def _parts(connector: str, id: str) -> dict[str, str]:
    return {"connector": connector, "id": id}


def format_time(at: datetime) -> str:
    """As integrator.io writes it: `2017-11-01T18:29:59.999Z`."""
    return write_time(at, "milliseconds")


def same_email(one: str, other: str) -> bool:
    """Email addresses are compared as integrator.io does: whatever their case."""
    return one.strip().casefold() == other.strip().casefold()


def _codes(body: Json) -> list[str]:
    """The codes of `{"errors": [{"code", "message"?, "field"?}]}`; an error without one is "error"."""
    errors = body.get("errors") if isinstance(body, dict) else None
    rows = errors if isinstance(errors, list) else [errors] if errors else []
    codes = [str((isinstance(row, dict) and row.get("code")) or "error") for row in rows]
    return sorted(codes, key=lambda code: code not in STATUSES)


def machine_code(_status: int, body: Json) -> str:
    return next(iter(_codes(body)), "")


def meaning(status: int, body: Json) -> int:
    """`errors` decide, also with 200: by their code, never by their message."""
    codes = _codes(body)
    if not codes:
        return status
    found = STATUSES.get(codes[0], status if status >= 400 else 422)
    # "access_restricted" is documented with 401 and with 403.
    return 401 if (status, found) == (401, 403) else found


def connect(*, api_url: str, token: str) -> Client:
    """`api_url` is what stands before `/v1`."""
    headers = {"Authorization": f"Bearer {token}"}
    api = Api(
        name="celigo", base_url=api_url, headers=headers, machine_code=machine_code, meaning=meaning
    )
    return Client(api)
