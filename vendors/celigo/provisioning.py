"""Provisioning at integrator.io: one licence for each connection, found again if its answer was lost.

A licence is issued to a verified address of a member. Before it is announced, the licences of that
address are listed: whatever is listed then cannot be the one that we create.
Source: https://github.com/celigo/integrator-api-docs (connector.md, examples 3 to 5)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from vendors.contract import Order, Progress, Refused, Step, Unsure
from vendors.contract.backoff import raise_while_paused

from . import licence_plan, licences
from .client import Licence, format_time, same_email
from .memo import LicenceMemo
from .offer import LICENCE, Offer

LICENCE_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
HELD = ("sibling", "other")
CLOCK_SKEW = timedelta(minutes=1)


@dataclass(frozen=True)
class Provisioning(Offer):
    """Celigo as far as the licence of a connection."""

    def _announce(self, order: Order, email: str) -> Step:
        memo = LicenceMemo(order)
        raise_while_paused(memo.paused_until, order.now)
        licence_plan.read(order.options)
        rows = self._listed(order, email)
        for row in rows:
            if row.id == order.connection_key or order.holder(row.id) == "self":
                return created(order, row, row.id, email)
        if late := self._arrived_late(order, email, rows):
            return created(order, late, late.id, memo.email)
        if rows:
            raise licences.exists(email, rows, [holder_of(order, row.id) for row in rows])
        account = memo.announced(email, [row.id for row in rows])
        return Progress(announce=LICENCE, account=account, promote=True)

    def _issue(self, order: Order) -> Step:
        email, plan = LicenceMemo(order).email, licence_plan.read(order.options)
        try:
            licence = self.client().create_licence(order.connector, {
                "email": email,
                "expires": format_time(order.now + plan.trial),
                "opts": plan.opts,
            })  # fmt: skip
        except Refused as refusal:
            if refusal.code != "invalid_user":
                raise
            return licences.no_account(email, verified_emails(order), self.site())
        except Unsure as unsure:
            raise _unsure(f"{unsure.detail}; it may or may not exist", email) from None
        if not could_be_ours(order, licence, licence.id):
            raise _unsure("POST licenses answered with another licence than was asked for", email)
        return created(order, licence, licence.id, email)

    def _find(self, order: Order) -> Step:
        """After a lost answer: the one licence that was not there before is ours."""
        memo = LicenceMemo(order)
        email = memo.announced_email
        rows = self._listed(order, email)
        ours = [row for row in rows if could_be_ours(order, row, row.id)]
        if len(ours) > 1:
            raise _unsure(f"several could be ours: {', '.join(row.id for row in ours)}", email)
        if ours:
            return created(order, ours[0], ours[0].id, email)
        return Progress(account=memo.answer_lost(), promote=True)

    def _arrived_late(self, order: Order, email: str, rows: list[Licence]) -> Licence | None:
        """The licence that was not listed after the lost answer, and is now, after the pause."""
        memo = LicenceMemo(order)
        if not memo.lost_answers or not same_email(memo.email, email):
            return None
        ours = [row for row in rows if could_be_ours(order, row, row.id)]
        return ours[0] if len(ours) == 1 else None

    def _listed(self, order: Order, email: str) -> list[Licence]:
        """Each once: a page may repeat the end of the page before it."""
        rows = {row.id: row for row in self.client().licences(order.connector)}
        return [row for row in rows.values() if same_email(row.email, email)]

    def _licence(self, order: Order, id: str) -> Licence | None:
        """None if there is none, or none any more."""
        return self.client().licence(order.connector, id) if id else None


def created(order: Order, licence: Licence, id: str, email: str) -> Progress:
    """`email` is for a reply that names none."""
    account = LicenceMemo(order).created(licence.email or email, id)
    return Progress(account=account, promote=True, connection_key=id, done=(LICENCE,))


def could_be_ours(order: Order, licence: Licence, id: str) -> bool:
    """Whether it can be the licence that was announced: for this address, and not known before."""
    memo = LicenceMemo(order)
    known = id in memo.listed_before or holder_of(order, id) in HELD
    email = memo.announced_email
    return not known and same_email(licence.email or email, email)


def holder_of(order: Order, id: str) -> str:
    return "sibling" if LicenceMemo(order).belongs_to_sibling(id) else order.holder(id)


def verified_emails(order: Order) -> list[str]:
    """Those of all members, the acting member's first."""
    unique = {email.casefold(): email for email in reversed(order.emails())}
    return sorted(unique.values(), key=lambda email: not same_email(email, order.user().email))


def _unsure(detail: str, email: str) -> Unsure:
    facts = f"{detail}: a licence of this connector for {licences.masked(email)}"
    return Unsure(facts, cause="unsure-licence")
