"""Provisioning at Sharespine, one creation in each call: tenant, users, API connection.

No way to list anything is documented: after a lost answer only people can look.
Source: https://developers.sharespine.com/docs/tutorials/resellerapi/onboard-tenant.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from vendors.contract import Order, Progress, Refused, Step, Unsure, Why

from .memo import SpaceMemo
from .offer import Offer

API_LOGIN = "api"
ID = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True)
class Provisioning(Offer):
    """Sharespine as far as creating the merchant's space there: all of it once."""

    def _create(self, order: Order, key: str) -> Step:
        if order.unsure:
            raise _unsure("it may or may not exist", order, order.unsure)
        if order.announced != key:
            return Progress(announce=key)
        if SpaceMemo(order).is_forgotten(key):
            raise _unsure("it was created before our memo was lost, or not", order, key)
        create = {
            "tenant": self._create_tenant,
            "user": self._create_user,
            "api_user": self._create_api_user,
            "connection": self._create_connection,
        }
        try:
            made = created(order, key, create[key](order))
        except Unsure as unsure:
            detail = f"{unsure.detail}; it may or may not exist"
            raise _unsure(detail, order, key, unsure.why) from None
        except Refused as refusal:
            raise_if_unknown(order, refusal)
            raise
        return tenant_proved(order, made)

    def _create_tenant(self, order: Order) -> str:
        tenant = self.client().create_tenant({
            "customerReference": order.merchant.reference.lower(),
            "active": True,
            "fullName": order.merchant.name or order.merchant.reference,
            "email": order.user().email,
            "defaultLanguage": self.language,
            "languages": list(dict.fromkeys((self.language, *self.languages))),
            "options": list(_options(order) or self.options),
        })  # fmt: skip
        if order.holder(tenant.code_name) == "other":
            raise Unsure("POST /reseller/tenant answered with another merchant's tenant")
        return tenant.code_name

    def _create_user(self, order: Order) -> str:
        person = order.user()
        return self._user(order, _login(order), person.name or person.email, person.email)

    def _create_api_user(self, order: Order) -> str:
        """Its mail, if Sharespine sends any, is for the operator and not for the merchant."""
        return self._user(order, API_LOGIN, "API", self.contact)

    def _user(self, order: Order, login: str, name: str, email: str) -> str:
        user = self.client().create_user(SpaceMemo(order).tenant, {
            "login": login,
            "fullName": name,
            "email": email,
            "permissions": list(self.permissions),
            "defaultLanguage": self.language,
        })  # fmt: skip
        if user.login != login:
            # Not Garbled, which may be tried again: something was created, though not what we
            # asked for. And never taken over: it could be the sign-in of somebody else.
            raise Unsure("POST /reseller/tenant/{tenant}/user answered with another login")
        return login

    def _create_connection(self, order: Order) -> str:
        connection = self.client().create_connection(SpaceMemo(order).tenant, {
            "active": True, "name": "API", "type": "api", "configuration": dict(self.configuration),
        })  # fmt: skip
        return connection.id


def created(order: Order, key: str, id: str) -> Progress:
    memo = SpaceMemo(order).created(key, id, order.user().id)
    return Progress(done=(key,), account=memo, promote=True, account_key=memo.get("tenant", ""))


def tenant_proved(order: Order, step: Progress) -> Progress:
    """A call on the tenant has worked, so that it exists, whoever entered its code name."""
    return replace(step, done=("tenant", *step.done)) if "tenant" in order.found else step


def found_by_staff(order: Order, key: str, id: str) -> Progress:
    """Noted, but not believed: no call is documented that looks for a tenant or a connection.

    The next call on it decides. Until then it is not the account's key.
    """
    return replace(created(order, key, id), done=(), account_key="")


def raise_if_unknown(order: Order, refusal: Refused) -> None:
    """A call on a tenant that staff entered was refused: then it is the id that is to be corrected.

    A 401 is about our own credentials.
    """
    if "tenant" not in order.found or refusal.status == 401:
        return
    id = order.found["tenant"]
    why = f"Sharespine refused the call on the id “{id}” (HTTP {refusal.status})"
    if refusal.status == 404:
        why = f"Sharespine does not know this id: {id}"
    detail = f"{why}. Look for {search_facts(order, 'tenant')}"
    raise Unsure(detail, cause="unsure-tenant", creation="tenant") from None


def with_entered_id(order: Order, refusal: Refused) -> Refused:
    """The Tenant API refuses a wrong id of the connection just as it refuses a wrong password."""
    if "connection" not in order.found:
        return refusal
    id = order.found["connection"]
    hint = f"or the id of the API connection that staff entered is wrong: {id}"
    return Refused(
        f"{refusal.detail}, {hint}; correct it on the account's page",
        who="staff", status=refusal.status, code=refusal.code, cause=refusal.cause,
    )  # fmt: skip


def is_plausible(order: Order, key: str, found: str) -> bool:
    """Whether what staff found can be what we tried to create."""
    if key in ("user", "api_user"):
        return found == (_login(order) if key == "user" else API_LOGIN)
    foreign = key == "tenant" and order.holder(found) == "other"
    return ID.fullmatch(found) is not None and not foreign


def search_facts(order: Order, key: str) -> str:
    """What staff need to know to look for it."""
    tenant = SpaceMemo(order).tenant
    return {
        "tenant": f"a tenant for the customer reference {order.merchant.reference.lower()}",
        "user": f"a user with the login {_login(order)} in the tenant {tenant}",
        "api_user": f"a user with the login {API_LOGIN} in the tenant {tenant}",
        "connection": f"a connection of the type api in the tenant {tenant}",
    }.get(key, key)


def _unsure(detail: str, order: Order, key: str, why: Why = Why.UNKNOWN) -> Unsure:
    return Unsure(f"{detail}: {search_facts(order, key)}", cause=f"unsure-{key}", why=why)


def _login(order: Order) -> str:
    return f"u-{order.user().id}"


def _options(order: Order) -> tuple[str, ...]:
    """Those that staff set on the connector, as JSON that anybody may have mistyped."""
    given = order.options.get("options")
    return tuple(map(str, given)) if isinstance(given, list) else ()
