"""Addresses of people that a mail server has refused for good: nothing but what they ask for goes there.

A refusal comes with our try, or days later as a mail to the sender, which the operator's mail provider tells
(`manage.py bounced`). It is over when a code that was sent there is used, when the person says that the
address works again, or when they remove it.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from onboarding import clock
from onboarding.models import RefusedAddress, User

from .kinds import ALERT, CODE
from .mail import AddressRefused, Mail, NotSent

BOUNCED = "It came back to us days later."  # instead of a mail server's answer
ALWAYS = {CODE, ALERT}  # who waits for it has asked for it; staff's address is the operator's


class KnownRefused(AddressRefused):
    """It was refused before, so it was not tried."""

    reason = "This address has refused an earlier email, so nothing was sent."


def people_at(email: str) -> QuerySet[User]:
    """Who reads this mailbox: they have confirmed the address, or signed in with it."""
    confirmed = Q(emailaddress__email__iexact=email, emailaddress__verified=True)
    used = Q(email__iexact=email, last_login__isnull=False)
    return User.objects.filter(confirmed | used, erased_at=None).distinct()


def note(email: str, answer: str = "") -> int:
    """It refuses mails for good. Returns how many people that concerns."""
    people = list(people_at(email))
    for user in people:
        RefusedAddress.objects.update_or_create(
            user=user, email=email.lower(), defaults={"at": clock.now(), "answer": answer}
        )
    return len(people)


def works_again(user: User, email: str) -> None:
    RefusedAddress.objects.filter(user=user, email=email.lower()).delete()


def main_one(user: User) -> RefusedAddress | None:
    """The refusal of the address that we mail this person at; None: it works."""
    return RefusedAddress.objects.filter(user=user, email=user.email.lower()).first()


def among(emails: Iterable[str]) -> set[str]:
    """Those of these addresses that are refused, in lower case."""
    rows = RefusedAddress.objects.filter(email__in={each.lower() for each in emails})
    return set(rows.values_list("email", flat=True))


# -- around a try ----------------------------------------------------------------------------------


def leave_out(mail: Mail) -> NotSent | None:
    """Take refused addresses off the mail. If nobody is left, the error that it is not sent with."""
    if mail.about.kind in ALWAYS:
        return None
    refused = among(mail.to)
    mail.to = [each for each in mail.to if each.lower() not in refused]
    return None if mail.to else KnownRefused("refused before")


def learn(mail: Mail, error: NotSent | None) -> None:
    """Remember what the mail server has just refused. A policy may be about all that we send, not about
    this address."""
    if isinstance(error, AddressRefused) and not (
        error.for_staff or isinstance(error, KnownRefused)
    ):
        for email in mail.to:
            note(email, error.answer)
