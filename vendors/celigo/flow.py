"""Connecting a shop through integrator.io: a licence is issued, then the merchant installs the app.

There is no redirect: whether the app is installed is found out by asking.
Source: https://github.com/celigo/integrator-api-docs (connector.md, examples 3 to 5)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from vendors.contract import Done, Garbled, Order, Progress, Step, text

from . import licences
from .client import Licence, format_time, same_email
from .memo import LicenceMemo
from .offer import LICENCE
from .provisioning import CLOCK_SKEW, HELD, holder_of, verified_emails
from .staff import Staff


@dataclass(frozen=True)
class Celigo(Staff):
    def start(self, order: Order) -> Step:
        return self._onward(order, "")

    def answered(self, order: Order, answers: Mapping[str, str]) -> Step:
        """The answer is an email address; once a licence is created it changes nothing."""
        return self._onward(order, answers.get("email", "").strip())

    def returned(self, order: Order, params: Mapping[str, str]) -> Step:
        """integrator.io sends nobody back, but a merchant may open the return address all the same."""
        return self.start(order)

    def check(self, order: Order) -> Step:
        return self._inspect(order, order.shop_id or LicenceMemo(order).licence_id)

    def end(self, order: Order) -> Step:
        """Never a DELETE: the licence ends now, and a reconnect can restore it."""
        memo = LicenceMemo(order)
        id = memo.licence_id
        here = text("We no longer check this shop.")
        licence = self._licence(order, id)
        if licence is None or holder_of(order, id) in HELD:
            there = text("There is no licence for this shop at integrator.io.")
            return Done(here=here, there=there)
        if not memo.is_ended and not licence.has_ended(order.now):
            return Progress(account=memo.ended(id, licence.expires), promote=True)
        if not licence.has_ended(order.now):
            self._set_end(order, id, licence, order.now)
        there = text("We ended your licence at integrator.io, so the app no longer runs.")
        todo = text("If you do not plan to come back, uninstall the app at integrator.io.")
        return Done(here=here, there=there, todo=todo, link=self.site())

    def _onward(self, order: Order, wanted: str) -> Step:
        """`wanted`: the email address that the merchant chose, or ""."""
        memo = LicenceMemo(order)
        if order.unsure:
            return self._find(order)
        if memo.former_end:
            return self._restore(order, memo.former_end)
        if id := memo.licence_id:
            return self._inspect(order, id)
        emails = verified_emails(order)
        email = _email(emails, wanted, memo.email)
        if email is None:
            return licences.which_email(order, emails)
        if order.announced == LICENCE and same_email(memo.email, email):
            return self._issue(order)
        return self._announce(order, email)

    def _inspect(self, order: Order, id: str) -> Step:
        licence = self._licence(order, id)
        if licence is None:
            return licences.gone()
        if holder_of(order, id) in HELD:
            raise licences.held_elsewhere()
        return licences.state(licence, id, order, self.site())

    def _restore(self, order: Order, former_end: datetime) -> Step:
        """A reconnect gives back what a disconnect took, but no second trial."""
        memo = LicenceMemo(order)
        id = memo.licence_id
        licence = self._licence(order, id)
        if licence is None:
            return licences.gone()
        if licence.has_ended(order.now):
            if former_end <= order.now:
                return licences.expired(former_end)
            self._set_end(order, id, licence, former_end)
        return Progress(account=memo.not_ended(), promote=True)

    def _set_end(self, order: Order, id: str, licence: Licence, end: datetime) -> None:
        """Raise Garbled if the reply says the contrary: then the end did not change."""
        whole = {**licence.whole(), "expires": format_time(end)}
        reply = self.client().update_licence(order.connector, id, whole)
        if reply.expires is None or abs(reply.expires - end) > CLOCK_SKEW:
            raise Garbled("PUT licenses answered another end than was asked for")


def _email(emails: list[str], wanted: str, before: str) -> str | None:
    """The address to use, or None: the merchant has to choose."""
    if not emails:
        raise licences.no_email()
    found = [email for email in emails if same_email(email, wanted or before)]
    if wanted and not found:
        raise licences.not_verified()
    return found[0] if found else emails[0] if len(emails) == 1 else None
