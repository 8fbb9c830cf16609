"""Connecting a shop through Sharespine: a space is created, then a login link opens it.

One tenant for each merchant, shared by all of its shops there. Four things are created, one in each
call: the tenant, the acting member's user, a user for the API, an API connection; then a login link
leads into Sharespine's pages, which never send anybody back: the merchant tells us when it is done.
Once staff have entered the API user's password, the Tenant API confirms it (evidence.py).
Source: https://developers.sharespine.com/docs/tutorials/resellerapi/onboard-tenant.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from vendors.contract import (
    Connected,
    Done,
    Garbled,
    NeedsMerchant,
    Order,
    Progress,
    Redirect,
    Refused,
    StartOver,
    Step,
    Text,
    text,
)
from vendors.http.times import read_time
from vendors.http.urls import allowed

from .client import LoginLink, TenantClient, connect_tenant
from .evidence import confirm
from .memo import CREATIONS, SpaceMemo, restored_memo, switched
from .provisioning import raise_if_unknown, with_entered_id
from .staff import Staff, switch_task

# Parentheses are legal in a URL; but the documentation's own sample of a login URL ends in a stray
# one, and a token with a stray character opens nothing: better our turn than a dead link.
LOGIN_URL = re.compile(r"https?://[^/?#]+/[A-Za-z0-9._~%/@:+=,;!&?#-]+")

SWITCHED_OFF = text("Sharespine has switched off data exchange. Nothing was deleted.")
STILL_ON = text(
    "Our staff will ask Sharespine to switch off data exchange. Until then, data may still flow."
)
STILL_OFF = text(
    "Our staff will ask Sharespine to switch data exchange on again. Until then, it stays paused."
)


@dataclass(frozen=True)
class Sharespine(Staff):
    # -- connecting ------------------------------------------------------------------------------

    def start(self, order: Order) -> Step:
        memo = SpaceMemo(order)
        if order.account_key and not memo.tenant:
            return Progress(account=restored_memo(order.account_key), promote=True)
        if memo.is_switched_off and self._switch(memo.tenant, active=True):
            return Progress(account=memo.switched(active=True), promote=True)
        missing = memo.missing(order.user().id)
        return self._create(order, missing[0]) if missing else self._sign_in(order)

    def enter(self, order: Order) -> Step:
        """For a member who was never there, a user is created first. It does not switch on."""
        if SpaceMemo(order).is_switched_off:
            note = text("This shop is paused. Resume it first, then open Sharespine.")
            return NeedsMerchant(code="paused", note=note)
        return self.start(order)

    def returned(self, order: Order, params: Mapping[str, str]) -> Step:
        """Sharespine sends nobody back: this is the merchant's "I have finished".

        Without a prepared connection there is nothing to confirm: `start` prepares what is missing.
        """
        if not SpaceMemo(order).is_complete:
            return StartOver(
                note=text("Your Sharespine account is not ready yet. Start again to finish it.")
            )
        return self._connected(order)

    def check(self, order: Order) -> Step:
        """Without the API user's password there is nothing to ask."""
        finished = order.purpose == "check" and order.shop_id  # no attempt says so by itself
        if not finished or not SpaceMemo(order).is_complete:
            return Redirect(url="", returns=False)
        return self._connected(order)

    def _sign_in(self, order: Order) -> Step:
        if not order.present:
            return Redirect(url="", returns=False, done=_proved(order))
        link = self._login_link(order)
        if not LOGIN_URL.fullmatch(link.login_url) or not allowed(link.login_url, self.domains()):
            raise Garbled("the login URL is odd, or its host is not in SHARESPINE_LOGIN_HOSTS")
        return Redirect(
            url=link.login_url,
            expires_at=_end_of(link, order.now),
            returns=False,
            done=(*_proved(order), "login"),
        )

    def _login_link(self, order: Order) -> LoginLink:
        memo = SpaceMemo(order)
        path = str(order.options.get("path") or self.path)
        try:
            return self.client().login_link(memo.tenant, memo.login(order.user().id), path)
        except Refused as refusal:
            raise_if_unknown(order, refusal)
            if not memo.is_switched_off:
                raise
            off = f"we had the tenant {memo.tenant} switched off; switch it on"
            detail = f"{refusal.detail}: {off}"
            raise Refused(detail, who="staff", status=refusal.status, code="tenant-off") from None

    def _connected(self, order: Order) -> Connected:
        """Confirmed by the Tenant API, or on the merchant's word; either way the tenant is on."""
        space = SpaceMemo(order)
        memo = space.unchanged()
        evidence = text(
            "You marked the set-up as finished. Sharespine has not confirmed it to us yet."
        )
        password = order.staff.get("api_password", "")
        if password:
            try:
                memo, evidence = confirm(self._tenant_client(space, password), space, order.now)
            except Refused as refusal:
                raise with_entered_id(order, refusal) from None
        return Connected(
            shop_id=order.shop_id or f"{space.tenant}/{order.reference}",
            evidence=evidence,
            confirmed=bool(password),
            account=switched(memo, active=True),
            account_key=space.tenant,
            done=("set-up",),
            account_label=space.tenant,
        )

    def _tenant_client(self, memo: SpaceMemo, password: str) -> TenantClient:
        return connect_tenant(
            api_url=self.api_url, contact=self.contact, tenant=memo.tenant,
            connection=memo.connection_id, login=memo.api_login, password=password,
        )  # fmt: skip

    # -- pausing and ending ----------------------------------------------------------------------

    def pause(self, order: Order) -> Step:
        return self._stop(
            order,
            here=text("This shop is paused. We do not check it until you resume."),
            todo=text("Pause this shop on Sharespine too, so that no data flows."),
        )

    def end(self, order: Order) -> Step:
        """The account's memo stays: the merchant may come back to the same space."""
        return self._stop(
            order,
            here=text("We no longer check this shop."),
            todo=text("Remove this shop on Sharespine too, so that no data flows."),
        )

    def resume(self, order: Order) -> Step:
        memo = SpaceMemo(order)
        if not memo.is_complete:
            return Redirect(url="", returns=False)
        if not memo.is_switched_off:
            return self._connected(order)
        on = memo.switched(active=True)
        if self._switch(memo.tenant, active=True):
            return Progress(account=on, promote=True)
        return Done(
            here=text("We check this shop again."),
            there=STILL_OFF,
            staff_task=switch_task(memo.tenant, active=True),
            account=on,  # from now on it is meant to be on
            promote=True,
        )

    def _stop(self, order: Order, *, here: Text, todo: Text) -> Done:
        """The tenant is switched off only if no other shop uses it; `todo` is for one that stays."""
        memo = SpaceMemo(order)
        if not memo.tenant:
            return Done(here=here, there=text("Nothing was created at Sharespine for this shop."))
        if order.siblings():
            there = text("Your Sharespine account stays, because your other shops use it.")
            return Done(here=here, there=there, todo=todo)
        off = self._switch(memo.tenant, active=False)
        return Done(
            here=here,
            there=SWITCHED_OFF if off else STILL_ON,
            staff_task="" if off else switch_task(memo.tenant, active=False),
            account=memo.switched(active=False),
            promote=True,
        )

    def _switch(self, tenant: str, *, active: bool) -> bool:
        """False: the call, whose verb is not documented, did not work, so staff have to ask."""
        if not self.manage:
            return False
        try:
            self.client().set_active(tenant, active)
        except (Refused, Garbled):
            return False
        return True


def _proved(order: Order) -> tuple[str, ...]:
    """What is created, but for an id that staff entered and no call has proved."""
    return tuple(key for key in CREATIONS if key not in order.found)


def _end_of(link: LoginLink, now: datetime) -> datetime | None:
    """When the link stops working. Not known if it is unreadable or past (a clock is wrong)."""
    expires_at = read_time(link.expires)
    return expires_at if expires_at and expires_at > now else None
