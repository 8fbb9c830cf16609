"""Connecting a shop through Sharespine: a space is prepared, then its door is opened.

One tenant for each merchant, shared by all of its shops there. Four things are made, one a call:
the tenant, the acting member's user, a user for the API, an API connection; then a login URL leads
into Sharespine's pages, which never send anybody back: the merchant tells us when it is done.

The account's memo: `{"tenant": codeName, "users": {our user id: login}, "api_user": login,
"connection": id, "active": bool}`, each key there once the thing is made. The connection's is
empty.
Source: https://developers.sharespine.com/docs/tutorials/resellerapi/onboard-tenant.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vendors.contract import (
    Connected,
    Done,
    Garbled,
    Order,
    Progress,
    Redirect,
    Refused,
    Step,
    Unsure,
    text,
)
from vendors.hosts import allowed

from . import client
from .offer import Offer

API_LOGIN = "api"
CREATIONS = ("tenant", "user", "api_user", "connection")
ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
# Parentheses are legal in a URL; but the documentation's own sample of a login URL ends in a stray
# one, and a token with something stuck to it opens no door: better our turn than a dead link.
LOGIN_URL = re.compile(r"https?://[^/?#]+/[A-Za-z0-9._~%/@:+=,;!&?#-]+")


@dataclass(frozen=True)
class Sharespine(Offer):
    # -- calls -----------------------------------------------------------------------------------

    def start(self, order: Order) -> Step:
        memo = order.memos.account
        if self.manage and memo.get("active") is False:
            self._client().set_active(memo["tenant"], True)
            return Progress(account={**memo, "active": True}, promote=True)
        missing = self._missing(order)
        return self._create(order, missing[0]) if missing else self._open_door(order)

    def enter(self, order: Order) -> Step:
        return self.start(order)

    def returned(self, order: Order, params: Mapping[str, str]) -> Step:
        """Sharespine sends nobody back: this is the merchant's "I have finished"."""
        prepared = "connection" in order.memos.account  # what is made last
        return self._on_your_word(order) if prepared else Redirect(url="", returns=False)

    def check(self, order: Order) -> Step:
        """There is nothing to ask: the Tenant API wants a password that we do not have."""
        told = order.purpose == "check" and order.shop  # not by this attempt, in any other case
        return self._on_your_word(order) if told else Redirect(url="", returns=False)

    def resolve(self, order: Order, found: str | None) -> Step:
        key = order.unsure
        if key not in CREATIONS:
            raise Garbled(f"sharespine makes nothing that is called “{key}”")
        if found is None:
            return Progress()
        if not self._plausible(order, key, found):
            note = text("This is not an id that we could have made. Please look again.")
            raise Refused(f"not plausible: {_facts(order, key)}", who="staff", note=note)
        return _made(order, key, found)

    def end(self, order: Order) -> Step:
        here = text("We have stopped watching this shop.")
        tenant = order.memos.account.get("tenant")
        if not tenant:
            return Done(here=here, there=text("Nothing was made at Sharespine for this shop."))
        if order.siblings:
            there = text("Your space at Sharespine stays, because other shops of yours use it.")
            todo = text("Remove this shop on Sharespine's pages, so that no data flows any more.")
            return Done(here=here, there=there, todo=todo)
        if self.manage and self._switch_off(tenant):
            there = text("Your space at Sharespine is switched off. Nothing in it was deleted.")
            memo = {**order.memos.account, "active": False}
            return Done(here=here, there=there, account=memo, promote=True)
        there = text("Your space at Sharespine is still on. We ask Sharespine to switch it off.")
        task = f"Please ask Sharespine: “Set the tenant {tenant} of our reseller account inactive.”"
        return Done(here=here, there=there, staff_task=task)

    # -- making things ---------------------------------------------------------------------------

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
        """No way to list anything is documented: after a lost answer only people can look."""
        if order.unsure:
            facts = _facts(order, order.unsure)
            raise Unsure(f"it may or may not exist: {facts}", cause=f"unsure-{order.unsure}")
        if order.announced != key:
            return Progress(doing=key)
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

    def _switch_off(self, tenant: str) -> bool:
        """The verb is not documented: if Sharespine refuses it, staff have to ask."""
        try:
            self._client().set_active(tenant, False)
        except Refused:
            return False
        return True

    # -- the door --------------------------------------------------------------------------------

    def _open_door(self, order: Order) -> Step:
        if not order.present:
            return Redirect(url="", returns=False, done=CREATIONS)
        login = order.memos.account["users"][order.user.id]
        path = str(order.options.get("path") or self.path)
        door = self._client().open_door(order.memos.account["tenant"], login, path)
        if not LOGIN_URL.fullmatch(door.login_url) or not allowed(door.login_url, self.domains()):
            raise Garbled("the login URL is odd, or its host is not in SHARESPINE_LOGIN_HOSTS")
        expires = _moment(door.expires, order.now)
        done = (*CREATIONS, "login")
        return Redirect(url=door.login_url, expires=expires, returns=False, done=done)

    def _on_your_word(self, order: Order) -> Step:
        tenant = order.memos.account["tenant"]
        evidence = text(
            "You told us that the set-up is finished. Sharespine has not confirmed it to us."
        )
        shop = order.shop or f"{tenant}/{order.reference}"
        return Connected(shop=shop, evidence=evidence, confirmed=False, account_key=tenant)


def _login(order: Order) -> str:
    return f"u-{order.user.id}"


def _options(order: Order) -> tuple[str, ...]:
    """Those that staff set on the connector, as JSON that anybody may have mistyped."""
    given = order.options.get("options")
    return tuple(map(str, given)) if isinstance(given, list) else ()


def _made(order: Order, key: str, id: str) -> Progress:
    memo: dict[str, Any] = dict(order.memos.account)
    if key == "user":
        memo["users"] = {**memo.get("users", {}), order.user.id: id}
    else:
        memo[key] = id
    return Progress(done=(key,), account=memo, promote=True, account_key=memo.get("tenant", ""))


def _facts(order: Order, key: str) -> str:
    """What staff need to know to look for it."""
    tenant = order.memos.account.get("tenant", "")
    return {
        "tenant": f"a tenant for the customer reference {order.merchant.reference.lower()}",
        "user": f"a user with the login {_login(order)} in the tenant {tenant}",
        "api_user": f"a user with the login {API_LOGIN} in the tenant {tenant}",
        "connection": f"a connection of the type api in the tenant {tenant}",
    }.get(key, key)


def _moment(value: Any, now: datetime) -> datetime | None:
    """When the link stops working. Unreadable, or gone already (a clock is wrong): not known."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment if moment > now else None
