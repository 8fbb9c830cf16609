"""Connecting a shop through Sharespine: a space is prepared, then its door is opened.

One tenant for each merchant, shared by all of its shops there. Four things are made, one a call:
the tenant, the acting member's user, a user for the API, an API connection; then a login URL leads
into Sharespine's pages, which never send anybody back: the merchant tells us when it is done. Once
staff have entered the API user's password, the Tenant API confirms it (evidence.py).

The account's memo: `{"tenant": codeName, "users": {our user id: login}, "api_user": login,
"connection": id}`, each key there once the thing is made; `"active"`: False once we have switched
the tenant off, or asked for it; `"orders"`: evidence.py; `"forgotten"`: what was made or not before the
memo was lost. The connection's memo is empty.
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
    NeedsMerchant,
    Order,
    Progress,
    Redirect,
    Refused,
    Step,
    text,
)
from vendors.http.hosts import allowed

from . import client, evidence, rest
from .offer import DELETE
from .provisioning import CREATIONS, Making, remembered

# Parentheses are legal in a URL; but the documentation's own sample of a login URL ends in a stray
# one, and a token with something stuck to it opens no door: better our turn than a dead link.
LOGIN_URL = re.compile(r"https?://[^/?#]+/[A-Za-z0-9._~%/@:+=,;!&?#-]+")


@dataclass(frozen=True)
class Sharespine(Making):
    # -- connecting ------------------------------------------------------------------------------

    def start(self, order: Order) -> Step:
        memo = order.memos.account
        if order.account_key and "tenant" not in memo:
            return Progress(account=remembered(order), promote=True)
        if memo.get("active") is False and self._switch(memo["tenant"], True):
            return Progress(account={**memo, "active": True}, promote=True)
        missing = self._missing(order)
        return self._create(order, missing[0]) if missing else self._open_door(order)

    def enter(self, order: Order) -> Step:
        """For a member who was never there, a sign-in is made first. It wakes nothing."""
        if order.memos.account.get("active") is False:
            note = text("This shop rests at Sharespine. Wake it up first, then open Sharespine.")
            return NeedsMerchant(code="paused", note=note)
        return self.start(order)

    def returned(self, order: Order, params: Mapping[str, str]) -> Step:
        """Sharespine sends nobody back: this is the merchant's "I have finished"."""
        prepared = "connection" in order.memos.account  # what is made last
        return self._connected(order) if prepared else Redirect(url="", returns=False)

    def check(self, order: Order) -> Step:
        """Without the API user's password there is nothing to ask."""
        told = order.purpose == "check" and order.shop_id  # not by this attempt, in any other case
        prepared = "connection" in order.memos.account
        return self._connected(order) if told and prepared else Redirect(url="", returns=False)

    def _open_door(self, order: Order) -> Step:
        if not order.present:
            return Redirect(url="", returns=False, done=CREATIONS)
        door = self._door(order)
        if not LOGIN_URL.fullmatch(door.login_url) or not allowed(door.login_url, self.domains()):
            raise Garbled("the login URL is odd, or its host is not in SHARESPINE_LOGIN_HOSTS")
        expires = _moment(door.expires, order.now)
        done = (*CREATIONS, "login")
        return Redirect(url=door.login_url, expires_at=expires, returns=False, done=done)

    def _door(self, order: Order) -> client.Door:
        memo = order.memos.account
        path = str(order.options.get("path") or self.path)
        try:
            return self._client().open_door(memo["tenant"], memo["users"][order.user.id], path)
        except Refused as no:
            if memo.get("active") is not False:
                raise
            detail = f"{no.detail}: we had the tenant {memo['tenant']} switched off; switch it on"
            raise Refused(detail, who="staff", status=no.status, code="tenant-off") from None

    def _connected(self, order: Order) -> Connected:
        """Confirmed by the Tenant API, or on the merchant's word; either way the tenant is on."""
        memo = dict(order.memos.account)
        said = text(
            "You told us that the set-up is finished. Sharespine has not confirmed it to us."
        )
        password = order.staff.get("api_password", "")
        if password:
            memo, said = evidence.confirm(self._tenant_client(memo, password), memo, order.now)
        tenant = memo["tenant"]
        return Connected(
            shop_id=order.shop_id or f"{tenant}/{order.reference}",
            evidence=said,
            confirmed=bool(password),
            account={**memo, "active": True},
            account_key=tenant,
        )

    def _tenant_client(self, memo: Mapping[str, Any], password: str) -> client.TenantClient:
        return client.connect_tenant(
            api_url=self.api_url, contact=self.contact, tenant=memo["tenant"],
            connection=memo["connection"], login=memo["api_user"], password=password,
        )  # fmt: skip

    # -- rest, and the end -----------------------------------------------------------------------

    def pause(self, order: Order) -> Step:
        return rest.rest(order, rest.PAUSE, self._switched_off)

    def end(self, order: Order) -> Step:
        """The account's memo stays: the merchant may come back to the same space."""
        return rest.rest(order, rest.END, self._switched_off)

    def resume(self, order: Order) -> Step:
        memo = order.memos.account
        if "connection" not in memo:
            return Redirect(url="", returns=False)
        if memo.get("active") is not False:
            return self._connected(order)
        if self._switch(memo["tenant"], True):
            return Progress(account={**memo, "active": True}, promote=True)
        return rest.still_off(order)

    def act(self, order: Order, key: str, answers: Mapping[str, str]) -> Step:
        if key != DELETE:
            return super().act(order, key, answers)
        tenant = rest.named(order, answers.get("code_name", ""))
        if answers.get("state") == "gone":
            return rest.gone(rest.GONE)
        if not self.manage:
            return rest.will_go(tenant)
        try:
            self._client().delete_tenant(tenant)
        except Refused as no:
            return self._not_deleted(tenant, no)
        return rest.gone(rest.GONE)

    def _not_deleted(self, tenant: str, no: Refused) -> Done:
        if no.status == 404:
            return rest.unknown(tenant)
        if no.status in (405, 501):
            return rest.will_go(tenant)
        raise no

    def _switched_off(self, tenant: str) -> bool:
        return self._switch(tenant, False)

    def _switch(self, tenant: str, active: bool) -> bool:
        """The verb is not documented: where Sharespine does not have it, staff have to ask."""
        if not self.manage:
            return False
        try:
            self._client().set_active(tenant, active)
        except (Refused, Garbled):
            return False
        return True


def _moment(value: Any, now: datetime) -> datetime | None:
    """When the link stops working. Unreadable, or gone already (a clock is wrong): not known."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment if moment > now else None
