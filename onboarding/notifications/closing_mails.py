"""Mails about closed accounts and businesses and about owners who have left, and what a receipt says.

Each is a row of the outbox. The reader's address stands in the row alone, because their account may be gone
already; it is emptied as soon as the mail is sent or given up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext

from onboarding.models import ClosingMail, Membership, Merchant, User
from onboarding.models.memo import readable
from onboarding.models.outbox import MAX_TRIES
from onboarding.registry import vendor_name

from . import outbox
from .mail import Mail, compose, quoted, quoted_list

Kind = ClosingMail.Kind
Facts = Mapping[str, object]


def tell(
    kind: Kind,
    email: str,
    *,
    language: str,
    merchant: Merchant | None = None,
    facts: Facts | None = None,
    owners: Sequence[str] = (),
) -> ClosingMail:
    """Write a mail that is due, to this address. The receipt of a business waits until it is closed."""
    business = merchant.name if merchant else ""
    reader = {"email": email, "language": language, "business": business, "owners": [*owners]}
    return ClosingMail.objects.create(
        kind=kind, reader=reader, merchant=merchant, facts=dict(facts or {})
    )


def tell_owners(merchant: Merchant, but: Iterable[User] = ()) -> None:
    """Tell the owners who stay that one has left. The mail names those who stay, and not who has gone."""
    owners = _owners(merchant)
    for user in set(owners) - set(but):
        language = user.language or merchant.language
        tell(
            Kind.OWNER_LEFT, user.email, language=language, merchant=merchant, owners=names(owners)
        )


def tell_new_owner(merchant: Merchant, user: User) -> None:
    language = user.language or merchant.language
    tell(Kind.NEW_OWNER, user.email, language=language, merchant=merchant)


def _owners(merchant: Merchant) -> list[User]:
    rows = merchant.memberships.filter(role=Membership.Role.OWNER, user__is_active=True)
    return [each.user for each in rows.select_related("user").order_by("pk")]


def names(users: Iterable[User]) -> list[str]:
    return [user.get_short_name() for user in users]


# -- sending ---------------------------------------------------------------------------------------


def mail_due() -> None:
    """Send those that are due. Any number of workers may call it."""
    waits = Q(kind=Kind.BUSINESS_CLOSED, merchant__closed_at=None)
    rows = ClosingMail.objects.exclude(waits).exclude(reader=None)
    outbox.send_due(rows.select_related("merchant"), _compose)
    _forget_readers()


def _forget_readers() -> None:
    over = ~Q(mailed=None) | Q(mail_refused=True) | Q(mail_tries__gte=MAX_TRIES)
    ClosingMail.objects.filter(over).exclude(reader=None).update(reader=None)


def _compose(mail: ClosingMail) -> Mail:
    reader = readable(mail.reader)
    context = {
        "business": quoted(reader["business"]) if reader["business"] else "",
        "owners": quoted_list(reader["owners"]),
        "receipt": Receipt.of(mail) if mail.kind in ClosingMail.RECEIPTS else None,
        "address": settings.SITE_URL + mail.get_absolute_url(),
        "start": f"{settings.SITE_URL}/",
    }
    template = f"onboarding/email/{mail.kind}"
    return compose(template, [reader["email"]], context, reader["language"], merchant=mail.merchant)


# -- what a receipt says ---------------------------------------------------------------------------


class Receipt(NamedTuple):
    """What a receipt says: when, what was erased, what is kept and why, and what others still hold."""

    at: datetime
    reference: str
    erased: list[str]
    kept: list[str]
    elsewhere: list[str]

    @classmethod
    def of(cls, mail: ClosingMail) -> Receipt:
        """In the reader's language."""
        at = mail.created
        if mail.kind == Kind.ACCOUNT_CLOSED:
            return cls(at, mail.reference, _of_a_person(), _kept_of_a_person(), _elsewhere(mail))
        if mail.merchant and mail.merchant.closed_at:
            at = mail.merchant.closed_at
        return cls(at, mail.reference, _of_a_business(), _kept_of_a_business(mail), [])


def _of_a_person() -> list[str]:
    return [
        gettext("Your name and your email addresses."),
        gettext("Your passkeys, your password and your sessions."),
        gettext("Your memberships, and invitations to your addresses."),
        gettext("Your name and addresses in timelines, notes and emails that were not sent yet."),
    ]


def _kept_of_a_person() -> list[str]:
    return [
        gettext(
            "The shops that you connected, because they belong to their businesses."
            " Their timelines call you “a former member”."
        ),
        gettext("The security log, without your name, for %(days)s days, to find misuse.")
        % _days(),
        gettext("This receipt, without your name, for %(days)s days.") % _days(),
        gettext("There are no invoices: this site issues none."),
    ]


def _elsewhere(mail: ClosingMail) -> list[str]:
    vendors = [vendor_name(str(slug)) for slug in mail.facts.get("vendors", ())]
    asked = gettext(
        "Our staff will ask these partners to delete what they hold about you: %(vendors)s."
    )
    lines = [asked % {"vendors": ", ".join(vendors)}] if vendors else []
    return [
        *lines,
        gettext(
            "Accounts that you opened yourself at a partner stay yours. You can close them there."
        ),
    ]


def _of_a_business() -> list[str]:
    return [
        gettext("The name of the business, and the names of its shops."),
        gettext("What you entered for its shops, and all keys and secrets."),
        gettext("Timelines, invitations and emails that were not sent yet."),
    ]


def _kept_of_a_business(mail: ClosingMail) -> list[str]:
    reference = mail.merchant.reference if mail.merchant else "–"
    return [
        gettext("The reference %(reference)s, so that it is never given to another business.")
        % {"reference": reference},
        gettext(
            "The security log and the log of calls to our partners, without names, for %(days)s"
            " days, to find misuse and faults."
        )
        % _days(),
        gettext("There are no invoices: this site issues none."),
    ]


def _days() -> dict[str, object]:
    return {"days": settings.RETENTION_DAYS}
