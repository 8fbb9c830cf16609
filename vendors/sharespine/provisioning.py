"""What is made at Sharespine for a merchant, one thing a call: tenant, users, API connection.

No way to list anything is documented: after a lost answer only people can look.
Source: https://developers.sharespine.com/docs/tutorials/resellerapi/onboard-tenant.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vendors.contract import Garbled, Order, Progress, Refused, Step, Unsure, text

from . import client
from .offer import Offer

API_LOGIN = "api"
CREATIONS = ("tenant", "user", "api_user", "connection")
ID = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True)
class Making(Offer):
    """Sharespine as far as the merchant's space there: all of it made once, kept in the memo."""

    def resolve(self, order: Order, found: str | None) -> Step:
        key = order.unsure
        if key not in CREATIONS:
            raise Garbled(f"sharespine makes nothing that is called “{key}”")
        if found is None:
            return Progress(account=recalled(order.memos.account, key), promote=True)
        if not self._plausible(order, key, found):
            note = text("This is not an id that we could have made. Please look again.")
            raise Refused(f"not plausible: {_facts(order, key)}", who="staff", note=note)
        return _made(order, key, found)

    def _client(self) -> client.Client:
        return client.connect(
            api_url=self.api_url, username=self.username, password=self.password,
            reseller=self.reseller, contact=self.contact,
        )  # fmt: skip

    def _missing(self, order: Order) -> list[str]:
        memo = order.memos.account
        has_user = order.user.id in memo.get("users", {})
        return [key for key in CREATIONS if not (has_user if key == "user" else memo.get(key))]

    def _create(self, order: Order, key: str) -> Step:
        if order.unsure:
            facts = _facts(order, order.unsure)
            raise Unsure(f"it may or may not exist: {facts}", cause=f"unsure-{order.unsure}")
        if order.announced != key:
            return Progress(announce=key)
        if key in order.memos.account.get("forgotten", ()):
            facts = _facts(order, key)
            raise Unsure(
                f"it was made before our notes were lost, or not: {facts}", cause=f"unsure-{key}"
            )
        create = {
            "tenant": self._create_tenant,
            "user": self._create_user,
            "api_user": self._create_api_user,
            "connection": self._create_connection,
        }
        try:
            return _made(order, key, create[key](order))
        except Unsure as lost:
            detail = f"{lost.detail}; it may or may not exist: {_facts(order, key)}"
            raise Unsure(detail, cause=f"unsure-{key}") from None

    def _create_tenant(self, order: Order) -> str:
        tenant = self._client().create_tenant({
            "customerReference": order.merchant.reference.lower(),
            "active": True,
            "fullName": order.merchant.name or order.merchant.reference,
            "email": order.user.email,
            "defaultLanguage": self.language,
            "languages": list(dict.fromkeys((self.language, *self.languages))),
            "options": list(_options(order) or self.options),
        })  # fmt: skip
        if order.holder(tenant.code_name) == "other":
            raise Unsure("POST /reseller/tenant answered with another merchant's tenant")
        return tenant.code_name

    def _create_user(self, order: Order) -> str:
        person = order.user
        return self._user(order, _login(order), person.name or person.email, person.email)

    def _create_api_user(self, order: Order) -> str:
        """Its mail, if Sharespine sends any, is for the operator and not for the merchant."""
        return self._user(order, API_LOGIN, "API", self.contact)

    def _user(self, order: Order, login: str, name: str, email: str) -> str:
        user = self._client().create_user(order.memos.account["tenant"], {
            "login": login,
            "fullName": name,
            "email": email,
            "permissions": list(self.permissions),
            "defaultLanguage": self.language,
        })  # fmt: skip
        if user.login != login:
            # Not Garbled, which may be tried again: something was made, though not what we asked
            # for. And never taken over: it could be the sign-in of somebody else.
            raise Unsure("POST /reseller/tenant/{tenant}/user answered with another login")
        return login

    def _create_connection(self, order: Order) -> str:
        connection = self._client().create_connection(order.memos.account["tenant"], {
            "active": True, "name": "API", "type": "api", "configuration": dict(self.configuration),
        })  # fmt: skip
        return connection.id

    def _plausible(self, order: Order, key: str, found: str) -> bool:
        if key in ("user", "api_user"):
            return found == (_login(order) if key == "user" else API_LOGIN)
        foreign = key == "tenant" and order.holder(found) == "other"
        return ID.fullmatch(found) is not None and not foreign


def _login(order: Order) -> str:
    return f"u-{order.user.id}"


def _options(order: Order) -> tuple[str, ...]:
    """Those that staff set on the connector, as JSON that anybody may have mistyped."""
    given = order.options.get("options")
    return tuple(map(str, given)) if isinstance(given, list) else ()


def _made(order: Order, key: str, id: str) -> Progress:
    memo = recalled(order.memos.account, key)
    if key == "user":
        memo["users"] = {**memo.get("users", {}), order.user.id: id}
    else:
        memo[key] = id
    return Progress(done=(key,), account=memo, promote=True, account_key=memo.get("tenant", ""))


def remembered(order: Order) -> dict[str, Any]:
    """The memo of an account of which only the tenant is still known: staff look for the rest."""
    return {"tenant": order.account_key, "forgotten": list(CREATIONS[1:])}


def recalled(memo: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The memo, now that it is known whether this was made."""
    left = [each for each in memo.get("forgotten", ()) if each != key]
    rest = {name: memo[name] for name in memo if name != "forgotten"}
    return {**rest, "forgotten": left} if left else rest


def _facts(order: Order, key: str) -> str:
    """What staff need to know to look for it."""
    tenant = order.memos.account.get("tenant", "")
    return {
        "tenant": f"a tenant for the customer reference {order.merchant.reference.lower()}",
        "user": f"a user with the login {_login(order)} in the tenant {tenant}",
        "api_user": f"a user with the login {API_LOGIN} in the tenant {tenant}",
        "connection": f"a connection of the type api in the tenant {tenant}",
    }.get(key, key)
