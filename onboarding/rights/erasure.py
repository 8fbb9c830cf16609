"""A person closes their account: they leave their businesses, and what we hold about them is erased.

The row of the user stays, without anything that tells who it was: timelines and the security log refer to
it. Everything happens in one transaction, so a process that dies in the middle has changed nothing.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from onboarding import clock, journey
from onboarding.models import (
    Account,
    AccountMail,
    AddedAddress,
    Attempt,
    ClosingMail,
    Connection,
    ConnectorRequest,
    Consent,
    FormerAddress,
    GuessWarning,
    Invitation,
    MailChoice,
    MailRecord,
    Membership,
    Merchant,
    Notice,
    RefusedAddress,
    SecurityEvent,
    Session,
    User,
    WaitlistEntry,
)
from onboarding.models.memo import opened
from onboarding.models.status import Status
from onboarding.monitoring import security_log
from onboarding.notifications import closing_mails
from onboarding.people import team
from onboarding.registry import vendor_name, vendor_of
from vendors.contract import Vendor

from . import closing
from .replacing import Replacer, affected_accounts, replace_in_rows, replace_in_staff_log

CLOSE = "close"
# The primary key of a business → that of the membership of the next owner, or CLOSE.
Choices = Mapping[int, int | str]
PATIENCE = 3.0  # seconds that a page waits for a vendor's answer about one of their shops
PAUSE = 0.1


class ChoiceMissing(Exception):
    """The only owner of these businesses has to say who takes over, or that they are closed too."""

    def __init__(self, merchants: list[Merchant]) -> None:
        super().__init__(", ".join(merchant.reference for merchant in merchants))
        self.merchants = merchants


class Busy(Exception):
    """A vendor is being asked about one of their shops now; its answer would be written afterwards."""


# -- what will happen ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Leaving:
    """What becomes of one business when this member goes. `successors`: who could own it then."""

    membership: Membership
    shops: int
    needs_choice: bool
    successors: list[Membership]
    owners: list[str]  # names of those who stay

    @property
    def merchant(self) -> Merchant:
        return self.membership.merchant


def plan(user: User) -> list[Leaving]:
    """The businesses that the user leaves, by name."""
    rows = user.memberships.select_related("merchant", "user")
    return [_leaving(membership) for membership in rows.order_by("merchant__name", "pk")]


def _leaving(membership: Membership) -> Leaving:
    merchant = membership.merchant
    others = merchant.memberships.exclude(pk=membership.pk).filter(user__is_active=True)
    members = list(others.select_related("user").order_by("user__name", "user__email"))
    shops = Connection.objects.filter(account__merchant=merchant, removed_at=None)
    return Leaving(
        membership=membership,
        shops=shops.exclude(status=Status.DISCONNECTED).count(),
        needs_choice=membership.owns and not any(each.owns for each in members),
        successors=members,
        owners=closing_mails.names(each.user for each in members if each.owns),
    )


def _without_choice(leaving: list[Leaving], choices: Choices) -> list[Merchant]:
    return [
        each.merchant
        for each in leaving
        if each.needs_choice and choices.get(each.merchant.pk) not in _allowed(each)
    ]


def _allowed(leaving: Leaving) -> set[int | str]:
    return {CLOSE, *(each.pk for each in leaving.successors)}


# -- erasing ---------------------------------------------------------------------------------------


def erase(
    user: User,
    choices: Choices | None = None,
    *,
    request: HttpRequest | None = None,
    patience: float = PATIENCE,
) -> ClosingMail | None:
    """Erase the person. Returns their receipt; None if they were erased before.

    `choices` says for each business whose only owner they are who takes over. Raises ChoiceMissing, or
    Busy when a vendor is asked about their shops for longer than `patience` seconds; nothing has changed.
    """
    addresses = addresses_of(user)
    replacer = Replacer(addresses, user.name, _nobodys_address())
    merchants = _merchants_of(user)
    sessions = [session.pk for session in _sessions_about(user, addresses)]
    with _nobody_asking(merchants, replacer, patience), transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if user.erased_at:
            return None
        facts = _leave_businesses(user, choices or {}, request)
        replace_in_rows(merchants, replacer)
        replace_in_staff_log(user, addresses, replacer)
        Consent.objects.filter(user=user).update(person={})
        _delete_mails(user, addresses)
        receipt = _write_receipt(user, facts)
        _delete_sign_in(user, sessions)
        _make_nobody(user, replacer.address)
        security_log.record(SecurityEvent.Kind.ACCOUNT_CLOSED, request, user=user, detail="person")
        return receipt


def addresses_of(user: User) -> list[str]:
    """Every address that we know the user by, in lower case."""
    known = EmailAddress.objects.filter(user=user).values_list("email", flat=True)
    return sorted({user.email.lower(), *(email.lower() for email in known)})


def asked_by(user: User) -> Q:
    """The requests for shop systems that are theirs: made while signed in, or with one of their addresses."""
    return Q(user=user) | Q(email__in=addresses_of(user))


def _nobodys_address() -> str:
    """An address that no mail reaches: the domain is reserved and never exists (RFC 2606)."""
    return f"erased-{secrets.token_hex(8)}@erased.invalid"


def _merchants_of(user: User) -> list[Merchant]:
    """Every business with which the user has ever had to do."""
    owned = Q(memberships__user=user)
    begun = Q(pk__in=Attempt.objects.filter(user=user).values("connection__account__merchant"))
    noted = Q(pk__in=Connection.objects.filter(events__user=user).values("account__merchant"))
    invited = Q(invitations__email__in=addresses_of(user))
    return list(Merchant.objects.filter(owned | begun | noted | invited).distinct())


def _sessions_about(user: User, addresses: list[str]) -> Iterator[Session]:
    """Their sessions, and those of nobody yet in which one of their addresses was typed."""
    yield from user.sessions.all()
    for row in Session.objects.filter(user=None).iterator(1000):
        text = str(row.get_decoded()).lower()
        if any(each in text for each in addresses):
            yield row


@contextmanager
def _nobody_asking(
    merchants: list[Merchant], replacer: Replacer, patience: float
) -> Iterator[None]:
    """Hold the leases of the accounts whose memos hold something of the person.

    A worker that waits for a vendor would write back the memo that it has read. Raises Busy.
    """
    until = time.monotonic() + patience
    with ExitStack() as held:
        for pk in sorted(affected_accounts(merchants, replacer)):
            while held.enter_context(journey.leased(pk)) is None:
                if time.monotonic() >= until:
                    raise Busy
                time.sleep(PAUSE)
        yield


# -- businesses ------------------------------------------------------------------------------------


def _leave_businesses(
    user: User, choices: Choices, request: HttpRequest | None
) -> dict[str, object]:
    """Leave each business, hand it over or close it. Returns facts for the receipt. Raises ChoiceMissing."""
    list(_locked(Merchant.objects.filter(pk__in=user.memberships.values("merchant"))))
    leaving = plan(user)
    if missing := _without_choice(leaving, choices):
        raise ChoiceMissing(missing)
    known = journey.vendors_that_know(user)  # before others go on with what they had begun
    closed = set()
    for each in leaving:
        if each.needs_choice and choices[each.merchant.pk] == CLOSE:
            closing.begin(each.merchant, by=user, request=request)
            closed.add(each.merchant.pk)
        else:
            _leave(each, choices, request)
    _hand_over_what_is_open(user)
    vendors = _ask_vendors(user, [each for each in known if each.merchant_id not in closed])
    return {"businesses": len(leaving), "closed": len(closed), "vendors": vendors}


def _locked(rows: QuerySet[Merchant]) -> QuerySet[Merchant]:
    return rows.select_for_update(no_key=True).order_by("pk")


def _leave(leaving: Leaving, choices: Choices, request: HttpRequest | None) -> None:
    told = []
    if leaving.needs_choice:
        [heir] = [each for each in leaving.successors if each.pk == choices[leaving.merchant.pk]]
        team.change_role(heir, Membership.Role.OWNER)
        security_log.record(
            SecurityEvent.Kind.ROLE_CHANGED,
            request,
            user=heir.user,
            merchant=leaving.merchant,
            detail="owner: the only one has left",
        )
        closing_mails.tell_new_owner(leaving.merchant, heir.user)
        told.append(heir.user)
    team.remove(leaving.membership, told=told)


def _hand_over_what_is_open(user: User) -> None:
    """What they had begun and not finished goes to an owner who stays, also where they left before."""
    begun = Attempt.objects.filter(user=user, ended=None).values("connection__account__merchant")
    for merchant in Merchant.objects.filter(pk__in=begun):
        owners = merchant.memberships.filter(role=Membership.Role.OWNER, user__is_active=True)
        if owner := owners.select_related("user").order_by("pk").first():
            journey.hand_over_attempts(merchant, user, owner.user)


def _ask_vendors(user: User, accounts: list[Account]) -> list[str]:
    """Tasks for staff: what vendors may hold about this person. Returns the vendors' slugs."""
    asked = set()
    for account in accounts:
        words = (vendor_of(account.vendor) or Vendor).erase_person
        if words:
            about = f"Somebody who connected shops of the business {account.merchant.reference} has closed"
            facts = f"their account. {words} {journey.facts_at_vendor(account)}"
            closing.ask_vendor(account, f"{vendor_name(account.vendor)}: {about} {facts}", user)
            asked.add(account.vendor)
    return sorted(asked)


# -- the person ------------------------------------------------------------------------------------


def _delete_mails(user: User, addresses: list[str]) -> None:
    """What was to be sent to them, invitations to their addresses, and shop systems that they asked for."""
    Invitation.objects.filter(email__in=addresses).delete()
    WaitlistEntry.objects.filter(user=user).delete()
    ConnectorRequest.objects.filter(Q(user=user) | Q(email__in=addresses)).delete()
    Notice.objects.filter(user=user).delete()
    GuessWarning.objects.filter(user=user).delete()
    MailRecord.objects.filter(Q(user=user) | Q(to__in=addresses)).delete()
    MailChoice.objects.filter(user=user).delete()
    on_their_way = AccountMail.objects.exclude(content=None)
    to_them = [row.pk for row in on_their_way if _is_to(row, addresses)]
    AccountMail.objects.filter(pk__in=to_them).delete()
    rows = ClosingMail.objects.exclude(kind__in=ClosingMail.RECEIPTS).exclude(reader=None)
    theirs = [row.pk for row in rows if (opened(row.reader) or {}).get("email") in addresses]
    ClosingMail.objects.filter(pk__in=theirs).delete()


def _is_to(row: AccountMail, addresses: list[str]) -> bool:
    return any(each.lower() in addresses for each in (opened(row.content) or {}).get("to", []))


def _write_receipt(user: User, facts: Mapping[str, object]) -> ClosingMail:
    kind = ClosingMail.Kind.ACCOUNT_CLOSED
    return closing_mails.tell(kind, user.email, language=user.language, facts=facts)


def _delete_sign_in(user: User, sessions: list[int]) -> None:
    """Addresses, passkeys and other factors, sessions. Counts of limits stay: their keys are hashes, and
    they keep anybody from closing an account to guess again."""
    EmailAddress.objects.filter(user=user).delete()
    AddedAddress.objects.filter(user=user).delete()
    FormerAddress.objects.filter(user=user).delete()
    RefusedAddress.objects.filter(user=user).delete()
    Authenticator.objects.filter(user=user).delete()
    Session.objects.filter(pk__in=sessions).delete()


def _make_nobody(user: User, address: str) -> None:
    user.groups.clear()
    user.user_permissions.clear()
    user.email, user.name, user.language = address, "", ""
    user.time_zone, user.time_zone_chosen = "", False
    user.is_active = user.is_staff = user.is_superuser = False
    user.last_login, user.erased_at = None, clock.now()
    user.set_unusable_password()
    user.save()
