"""The security log in plain words: for a person about their account, and for owners about their business."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onboarding.models import Connection, Membership, SecurityEvent, User

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    Words = str | _StrPromise
else:
    Words = object

Kind = SecurityEvent.Kind
SHOP = re.compile(r"shop ([\w-]+)")  # in a detail: its reference


class Sentences(NamedTuple):
    """`you`: to the person it is about. `them`: to others. `…_by`: when somebody else did it."""

    you: Words
    them: Words = ""
    you_by: Words = ""
    them_by: Words = ""


# By kind and, where it matters, by the event's detail. Placeholders: person, by, shop, business.
SENTENCES: dict[tuple[str, str], Sentences] = {
    (Kind.SIGNED_IN, ""): Sentences(_("You signed in."), _("%(person)s signed in.")),
    (Kind.SIGNED_IN, "code"): Sentences(_("You signed in with a code by email.")),
    (Kind.SIGNED_IN, "password"): Sentences(_("You signed in with your password.")),
    (Kind.SIGNED_IN, "passkey"): Sentences(_("You signed in with a passkey.")),
    (Kind.SIGNED_OUT, ""): Sentences(_("You signed out.")),
    (Kind.WRONG_CODE, ""): Sentences(_("Somebody entered a wrong code for your account.")),
    (Kind.WRONG_PASSWORD, ""): Sentences(_("Somebody entered a wrong password for your account.")),
    (Kind.WRONG_FACTOR, ""): Sentences(_("Somebody failed the second step of your sign-in.")),
    (Kind.REFUSED, ""): Sentences(
        _("We stopped somebody from trying again to sign in to your account.")
    ),
    (Kind.CONFIRMED_IDENTITY, ""): Sentences(_("You confirmed that it was you.")),
    (Kind.SESSIONS_ENDED, ""): Sentences(
        _("You were signed out in other browsers."),
        you_by=_("You were signed out by our staff."),
    ),
    (Kind.ADDRESS_ADDED, ""): Sentences(_("You added an email address.")),
    (Kind.ADDRESS_REMOVED, ""): Sentences(_("You removed an email address.")),
    (Kind.ADDRESS_MADE_MAIN, ""): Sentences(_("You changed your main email address.")),
    (Kind.ADDRESS_RESTORED, ""): Sentences(_("A removed email address was restored.")),
    (Kind.PASSWORD_CHANGED, ""): Sentences(_("Your password was changed.")),
    (Kind.FACTOR_ADDED, ""): Sentences(_("A passkey or a second step was added.")),
    (Kind.FACTOR_REMOVED, ""): Sentences(_("A passkey or a second step was removed.")),
    (Kind.FACTOR_RESET, ""): Sentences(_("Our staff reset your second step.")),
    (Kind.NAME_CHANGED, ""): Sentences(_("You changed your name.")),
    (Kind.BUSINESS_RENAMED, ""): Sentences(
        _("You renamed your business. It is called %(business)s now."),
        _("%(person)s renamed the business."),
    ),
    (Kind.INVITED, ""): Sentences(
        _("You invited somebody to %(business)s."), _("%(person)s invited somebody.")
    ),
    (Kind.INVITED, "as owner"): Sentences(
        _("You invited somebody to %(business)s as an owner."),
        _("%(person)s invited somebody as an owner."),
    ),
    (Kind.JOINED, ""): Sentences(
        _("You joined %(business)s."),
        _("%(person)s joined the team."),
        _("%(by)s added you to %(business)s."),
        _("%(person)s was added by %(by)s."),
    ),
    (Kind.JOINED, "as owner"): Sentences(
        _("You joined %(business)s as an owner."),
        _("%(person)s joined the team as an owner."),
        _("%(by)s added you to %(business)s as an owner."),
        _("%(person)s was added as an owner by %(by)s."),
    ),
    (Kind.ROLE_CHANGED, ""): Sentences(
        _("Your rights in %(business)s were changed."),
        _("The rights of %(person)s were changed."),
        _("%(by)s changed your rights in %(business)s."),
        _("The rights of %(person)s were changed by %(by)s."),
    ),
    (Kind.ROLE_CHANGED, "owner now"): Sentences(
        _("You became an owner of %(business)s."),
        _("%(person)s became an owner."),
        _("%(by)s made you an owner of %(business)s."),
        _("%(person)s was made an owner by %(by)s."),
    ),
    (Kind.ROLE_CHANGED, "member now"): Sentences(
        _("You are now a member of %(business)s, no longer an owner."),
        _("%(person)s is now a member, no longer an owner."),
        _("%(by)s made you a member of %(business)s, no longer an owner."),
        _("%(person)s was made a member by %(by)s, no longer an owner."),
    ),
    (Kind.ROLE_CHANGED, "may see secrets"): Sentences(
        _("You may see keys and secrets of %(business)s."),
        _("%(person)s may see keys and secrets."),
        _("%(by)s let you see keys and secrets of %(business)s."),
        _("%(by)s let %(person)s see keys and secrets."),
    ),
    (Kind.ROLE_CHANGED, "may no longer see secrets"): Sentences(
        _("You may no longer see keys and secrets of %(business)s."),
        _("%(person)s may no longer see keys and secrets."),
        _("%(by)s no longer lets you see keys and secrets of %(business)s."),
        _("%(by)s no longer lets %(person)s see keys and secrets."),
    ),
    (Kind.MEMBER_REMOVED, ""): Sentences(
        _("You no longer belong to %(business)s."),
        _("%(person)s no longer belongs to the team."),
        _("%(by)s removed you from %(business)s."),
        _("%(person)s was removed by %(by)s."),
    ),
    (Kind.MEMBER_REMOVED, "left"): Sentences(
        _("You left %(business)s."), _("%(person)s left the team.")
    ),
    (Kind.SECRETS_SHOWN, ""): Sentences(
        _("You viewed keys and secrets of %(business)s."),
        _("%(person)s viewed keys and secrets."),
    ),
    (Kind.SECRETS_SHOWN, "shop"): Sentences(
        _("You viewed the key and secret of “%(shop)s”."),
        _("%(person)s viewed the key and secret of “%(shop)s”."),
    ),
    (Kind.SECRETS_FORGOTTEN, ""): Sentences(
        _("You deleted keys and secrets of %(business)s from this site."),
        _("%(person)s deleted keys and secrets from this site."),
    ),
    (Kind.SECRETS_FORGOTTEN, "shop"): Sentences(
        _("You deleted the key and secret of “%(shop)s” from this site."),
        _("%(person)s deleted the key and secret of “%(shop)s” from this site."),
    ),
    (Kind.SHOP_ENDED, ""): Sentences(
        _("You disconnected or removed a shop of %(business)s."),
        _("%(person)s disconnected or removed a shop."),
    ),
    (Kind.SHOP_ENDED, "shop"): Sentences(
        _("You disconnected or removed “%(shop)s”."),
        _("%(person)s disconnected or removed “%(shop)s”."),
    ),
    (Kind.FOREIGN_RETURN, ""): Sentences(
        _(
            "Your link back from a partner was opened in another browser. Nothing"
            " changes unless you confirm it there."
        ),
        _("A link that brings %(person)s back from a partner was opened in another browser."),
    ),
    (Kind.DATA_EXPORTED, ""): Sentences(
        _("You downloaded what we hold about you."),
        _("%(person)s downloaded what we hold about this business."),
    ),
    (Kind.ACCOUNT_CLOSED, ""): Sentences(
        _("You closed an account."),
        _("%(person)s closed the account of this business."),
    ),
    (Kind.DATA_EXPORTED, "business"): Sentences(
        _("You downloaded what we hold about %(business)s."),
        _("%(person)s downloaded what we hold about this business."),
    ),
    (Kind.STAFF_CHANGED, ""): Sentences(_("Your rights on the staff’s pages were changed.")),
    (Kind.ACTIVE_CHANGED, ""): Sentences(
        _("Our staff changed whether you can sign in."),
    ),
}


@dataclass(frozen=True)
class Line:
    """One event, as a page shows it. `network`: from where, coarsely; "" where that is not theirs to see."""

    at: datetime
    text: str
    network: str


def of_person(events: Sequence[SecurityEvent]) -> list[Line]:
    """What happened in a person's account, told to them."""
    teams = Teams(events)
    return [
        Line(event.at, teams.to_themselves(event), "" if _is_by_other(event) else network(event))
        for event in events
    ]


def of_business(events: Sequence[SecurityEvent]) -> list[Line]:
    """What happened in a business, told to its owners."""
    teams = Teams(events)
    return [
        Line(event.at, teams.to_owners(event), network(event) if teams.is_own(event) else "")
        for event in events
    ]


class Teams:
    """Who belongs to which business, and the shops that events name: two queries for all events."""

    def __init__(self, events: Sequence[SecurityEvent]) -> None:
        merchants = {event.merchant_id for event in events if event.merchant_id}
        rows = Membership.objects.filter(merchant__in=merchants)
        self.members = set(rows.values_list("merchant_id", "user_id"))
        named = [found[1] for event in events if (found := SHOP.match(event.detail))]
        shops = Connection.objects.filter(account__merchant__in=merchants, reference__in=named)
        self.shops = dict(shops.values_list("reference", "name"))

    def to_themselves(self, event: SecurityEvent) -> str:
        forms = self._forms(event)
        return self._filled(event, (_is_by_other(event) and forms.you_by) or forms.you)

    def to_owners(self, event: SecurityEvent) -> str:
        forms = self._forms(event)
        return self._filled(event, (_is_by_other(event) and forms.them_by) or forms.them)

    def is_own(self, event: SecurityEvent) -> bool:
        """Whether a member did it: where staff or strangers are is not for the owners."""
        actor = event.by_id or event.user_id
        return event.kind != Kind.FOREIGN_RETURN and (event.merchant_id, actor) in self.members

    def _shop(self, event: SecurityEvent) -> str:
        found = SHOP.match(event.detail)
        return self.shops.get(found[1], "") if found else ""

    def _forms(self, event: SecurityEvent) -> Sentences:
        detail = "shop" if self._shop(event) else event.detail
        usual = SENTENCES.get((event.kind, ""), Sentences(str(event)))
        return SENTENCES.get((event.kind, detail), usual)

    def _filled(self, event: SecurityEvent, words: Words) -> str:
        return str(words or event) % {
            "person": self._name(event, event.user),
            "by": self._name(event, event.by),
            "shop": self._shop(event),
            "business": event.merchant or "",
        }

    def _name(self, event: SecurityEvent, user: User | None) -> str:
        """Merchants do not learn the names of staff."""
        if user is None or (user.is_staff and (event.merchant_id, user.pk) not in self.members):
            return gettext("Our staff")
        return user.get_short_name()


def _is_by_other(event: SecurityEvent) -> bool:
    """Whether somebody else did it whose name may be said: who holds a link of theirs is a stranger."""
    return event.by_id is not None and event.kind != Kind.FOREIGN_RETURN


def network(event: SecurityEvent) -> str:
    """The network instead of the address: enough to tell one's own from a stranger's."""
    if not event.address:
        return ""
    address = ip_address(event.address)
    if address.is_loopback:
        return event.address
    if address.version == 4:
        return f"{event.address.rpartition('.')[0]}.*"
    return f"{str(ip_network(f'{event.address}/48', strict=False)).partition('::')[0]}:*"
