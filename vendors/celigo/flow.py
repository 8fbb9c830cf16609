"""Connecting a shop through integrator.io: a licence is issued, then the merchant installs the app.

One licence for each connection, to a verified address of a member. There is no redirect: whether
the app is installed is seen by asking. What we keep: notes.py.
Source: https://github.com/celigo/integrator-api-docs (connector.md, examples 3 to 5)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from vendors.contract import Done, Garbled, Order, Progress, Refused, Rows, Step, Unsure, text

from . import notes, plan, says, staff
from .client import Licence, moment
from .offer import LICENCE, Offer

ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
TAKEN = ("sibling", "other")
MARGIN = timedelta(minutes=1)  # between two clocks


@dataclass(frozen=True)
class Celigo(Offer):
    # -- calls -----------------------------------------------------------------------------------

    def start(self, order: Order) -> Step:
        return self._onward(order, "")

    def answered(self, order: Order, answers: Mapping[str, str]) -> Step:
        """The answer is an e-mail address; once a licence is made it changes nothing any more."""
        return self._onward(order, answers.get("email", "").strip())

    def returned(self, order: Order, params: Mapping[str, str]) -> Step:
        """integrator.io sends nobody back; whoever comes is looked after all the same."""
        return self.start(order)

    def check(self, order: Order) -> Step:
        return self._look(order, order.shop_id or notes.licence_id(order))

    def end(self, order: Order) -> Step:
        """Never a DELETE: the licence ends now, and a reconnect can wake it."""
        note, id = notes.mine(order), notes.licence_id(order)
        here = text("We have stopped watching this shop.")
        licence = self._licence(order, id)
        if licence is None or _whose(order, id) in TAKEN:
            there = text("There is no licence for this shop at integrator.io.")
            return Done(here=here, there=there)
        if "former" not in note and not licence.over(order.now):
            former = moment(licence.expires) if licence.expires else ""
            memo = notes.kept(order, {**note, "id": id, "former": former})
            return Progress(account=memo, promote=True)
        if not licence.over(order.now):
            self._change(order, id, licence, expires=moment(order.now))
        there = text("Your licence at integrator.io has ended, so the app no longer runs there.")
        todo = text("Uninstall the app at integrator.io if you do not want to come back.")
        return Done(here=here, there=there, todo=todo)

    def resolve(self, order: Order, found: str | None) -> Step:
        if order.unsure != LICENCE:
            raise Garbled(f"celigo makes nothing that is called “{order.unsure}”")
        if found is None:
            return Progress()
        note = notes.mine(order)
        licence = self._licence(order, found) if ID.fullmatch(found) else None
        if licence is None or not self._could_be_ours(order, note, licence, found):
            said = text("This is not a licence that we could have made. Please look again.")
            raise Refused("not plausible as our licence", who="staff", note=said, code="found")
        return _made(order, note, licence, found)

    def act(self, order: Order, key: str, answers: Mapping[str, str]) -> Step:
        return staff.act(self.client(), order, key, answers)

    def run(
        self,
        key: str,
        answers: Mapping[str, str],
        *,
        connector: str = "",
        ids: tuple[str, ...] = (),
    ) -> Done | Rows:
        return staff.run(self.client(), key, answers, connector=connector, ids=ids)

    # -- the way to a licence --------------------------------------------------------------------

    def _onward(self, order: Order, wanted: str) -> Step:
        note = notes.mine(order)
        if order.unsure:
            return self._find(order, note)
        if note.get("former"):
            return self._restore(order, note)
        if id := notes.licence_id(order):
            return self._look(order, id)
        emails = _emails(order)
        email = _email(emails, wanted, note.get("email", ""))
        if email is None:
            return says.which_email(order, emails)
        if order.announced == LICENCE and notes.same(note.get("email", ""), email):
            return self._issue(order, note)
        return self._announce(order, note, email)

    def _announce(self, order: Order, note: dict[str, Any], email: str) -> Step:
        """Looks first. What is listed now cannot be what we are about to make."""
        notes.rest(order, note)
        plan.plan(order.options)
        rows = self._listed(order, email)
        for row in rows:
            if row.id == order.connection_key or order.holder(row.id) == "self":
                return _made(order, {**note, "email": email}, row, row.id)
        if late := self._late(order, note, email, rows):
            return _made(order, note, late, late.id)
        if rows:
            raise says.exists(email, rows, [_whose(order, row.id) for row in rows])
        same = note.get("email") == email
        known: dict[str, Any] = {"lost": note["lost"]} if same and "lost" in note else {}
        memo = notes.kept(order, {"email": email, "before": [row.id for row in rows], **known})
        return Progress(announce=LICENCE, account=memo, promote=True)

    def _issue(self, order: Order, note: dict[str, Any]) -> Step:
        wanted = plan.plan(order.options)
        try:
            licence = self.client().create_licence(order.connector, {
                "email": note["email"],
                "expires": moment(order.now + wanted.trial),
                "opts": wanted.opts,
            })  # fmt: skip
        except Refused as no:
            if no.code != "invalid_user":
                raise
            return says.no_account(note["email"], _emails(order), self.site())
        except Unsure as lost:
            raise _unsure(f"{lost.detail}; it may or may not exist", note) from None
        if not self._could_be_ours(order, note, licence, licence.id):
            raise _unsure("POST licenses answered with another licence than was asked for", note)
        return _made(order, note, licence, licence.id)

    def _find(self, order: Order, note: dict[str, Any]) -> Step:
        """After a lost answer: the one licence that was not there before is ours."""
        rows = [
            row
            for row in self._listed(order, note["email"])
            if self._could_be_ours(order, note, row, row.id)
        ]
        if len(rows) > 1:
            raise _unsure(f"several could be ours: {', '.join(row.id for row in rows)}", note)
        if rows:
            return _made(order, note, rows[0], rows[0].id)
        return Progress(account=notes.kept(order, notes.lost(order, note)), promote=True)

    def _late(
        self, order: Order, note: Mapping[str, Any], email: str, rows: list[Licence]
    ) -> Licence | None:
        """The licence that was not there when we looked for it, and is now that the pause is over."""
        if "lost" not in note or not notes.same(note["email"], email):
            return None
        ours = [row for row in rows if self._could_be_ours(order, note, row, row.id)]
        return ours[0] if len(ours) == 1 else None

    def _listed(self, order: Order, email: str) -> list[Licence]:
        rows = self.client().licences(order.connector)
        return [row for row in rows if notes.same(row.email, email)]

    def _could_be_ours(
        self, order: Order, note: Mapping[str, Any], licence: Licence, id: str
    ) -> bool:
        known = id in note.get("before", []) or _whose(order, id) in TAKEN
        return not known and notes.same(licence.email or note["email"], note["email"])

    # -- the licence -----------------------------------------------------------------------------

    def _look(self, order: Order, id: str) -> Step:
        licence = self._licence(order, id)
        if licence is None:
            return says.gone()
        if _whose(order, id) in TAKEN:
            raise says.held_elsewhere()
        return says.state(licence, id, order, self.site())

    def _licence(self, order: Order, id: str) -> Licence | None:
        """None where there is none, or no longer."""
        if not id:
            return None
        try:
            return self.client().licence(order.connector, id)
        except Refused as no:
            if no.status != 404:
                raise
            return None

    def _restore(self, order: Order, note: dict[str, Any]) -> Step:
        """A reconnect gives back what a disconnect took, and no second trial."""
        id, former = notes.licence_id(order), notes.time(note, "former")
        licence = self._licence(order, id)
        if licence is None:
            return says.gone()
        if licence.over(order.now):
            if former is None or former <= order.now:
                return says.expired(former)
            self._change(order, id, licence, expires=moment(former))
        memo = notes.kept(order, notes.without(note, "former"))
        return Progress(account=memo, promote=True)

    def _change(self, order: Order, id: str, licence: Licence, *, expires: str) -> None:
        """Garbled if the answer says the contrary: then it did not become so."""
        whole = {**licence.whole(), "expires": expires}
        answer = self.client().update_licence(order.connector, id, whole)
        wanted = notes.at(expires)
        if answer.expires is None or abs(answer.expires - wanted) > MARGIN:
            raise Garbled("PUT licenses answered another end than was asked for")


def _made(order: Order, note: Mapping[str, Any], licence: Licence, id: str) -> Progress:
    memo = notes.kept(order, {"email": licence.email or note["email"], "id": id})
    return Progress(account=memo, promote=True, connection_key=id, done=(LICENCE,))


def _unsure(detail: str, note: Mapping[str, Any]) -> Unsure:
    facts = f"{detail}: a licence of this connector for {says.hidden(note['email'])}"
    return Unsure(facts, cause="unsure-licence")


def _whose(order: Order, id: str) -> str:
    return "sibling" if notes.sibling(order, id) else order.holder(id)


def _emails(order: Order) -> list[str]:
    """The verified ones, the acting member's first."""
    seen = {email.casefold(): email for email in reversed(order.emails)}
    return sorted(seen.values(), key=lambda email: not notes.same(email, order.user.email))


def _email(emails: list[str], wanted: str, before: str) -> str | None:
    """The address to use, or None: the merchant has to choose."""
    if not emails:
        raise says.no_email()
    found = [email for email in emails if notes.same(email, wanted or before)]
    if wanted and not found:
        raise says.not_a_members()
    return found[0] if found else emails[0] if len(emails) == 1 else None
