"""The mail log: a row for each mail and each address, from its first try on, and what became of it.

The outbox writes it, so no mail is left out. It has none of a mail's words: neither a code nor a link.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db.models import F, QuerySet

from onboarding import clock
from onboarding.models import ClosingMail, MailOutcome, MailRecord, User
from onboarding.models.outbox import MAX_TRIES, Mailed

from .mail import AddressRefused, Mail, NotSent
from .refused_addresses import people_at

# Longer than the longest pause between two tries: whoever is not tried any more is not wanted any more.
QUIET = timedelta(hours=2)
OVER = "It was no longer needed before it could be sent."
ENDED_WITH_PAGE = "The page said so to whoever was waiting, so it is not tried again."


def note_try(row: Mailed, mail: Mail, to: Sequence[str]) -> None:
    """A try begins. The first one of a mail makes its rows."""
    now, logged = clock.now(), dict(_logged(row, mail, email) for email in to)
    known = set(_open(row).filter(to__in=logged).values_list("to", flat=True))
    again = {"tries": F("tries") + 1, "tried": now, "outcome": MailOutcome.WAITING, "reason": ""}
    _open(row).filter(to__in=known).update(**again)
    MailRecord.objects.bulk_create(
        _new(row, mail, email, user) for email, user in logged.items() if email not in known
    )


def _logged(row: Mailed, mail: Mail, email: str) -> tuple[str, User | None]:
    """The address and the person of a row in the log. Whoever has closed their account gets mails about
    that once more, and is erased: their address stands nowhere else."""
    user = mail.about.person or people_at(email).first() or _beginner(email)
    is_erased = isinstance(row, ClosingMail) and user is None
    return ("" if is_erased else email), user


def _beginner(email: str) -> User | None:
    """Somebody who signs up: nobody has confirmed the address yet."""
    return User.objects.filter(email__iexact=email, erased_at=None).first()


def _new(row: Mailed, mail: Mail, email: str, user: User | None) -> MailRecord:
    about = mail.about
    return MailRecord(
        to=email,
        kind=about.kind,
        language=about.language,
        user=user,
        merchant=about.merchant,
        source=type(row).__name__,
        row=row.pk,
        tries=1,
    )


def note_end(row: Mailed, error: NotSent | None) -> None:
    """What became of a try."""
    fields: dict[str, object] = {"reason": error.reason if error else ""}
    if error is None:
        fields |= {"outcome": MailOutcome.SENT, "sent": clock.now()}
    elif isinstance(error, AddressRefused):
        fields["outcome"] = MailOutcome.REFUSED
    elif row.mail_tries + 1 >= MAX_TRIES:
        fields["outcome"] = MailOutcome.GIVEN_UP
    _open(row).filter(outcome=MailOutcome.WAITING).update(**fields)


def give_up(row: Mailed) -> None:
    """Somebody waited for it and was told that it has not left."""
    waiting = _open(row).filter(outcome=MailOutcome.WAITING)
    waiting.update(outcome=MailOutcome.GIVEN_UP, reason=ENDED_WITH_PAGE)


def end_quiet() -> None:
    """Close the rows of mails that nobody tries any more: what they were to tell is over."""
    quiet = MailRecord.objects.filter(outcome=MailOutcome.WAITING, tried__lt=clock.now() - QUIET)
    quiet.update(outcome=MailOutcome.NOT_WANTED, reason=OVER)


def _open(row: Mailed) -> QuerySet[MailRecord]:
    """Those of this row that are not over. A mail that waited for a worker for long is tried after all."""
    rows = MailRecord.objects.filter(source=type(row).__name__, row=row.pk)
    return rows.filter(outcome__in=(MailOutcome.WAITING, MailOutcome.NOT_WANTED))
