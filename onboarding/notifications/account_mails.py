"""Mails of the account pages: codes that somebody waits for, and word of what has changed.

Each is a row of the outbox that holds the composed mail, encrypted, because it cannot be composed again:
nobody stores a code in clear. A page sends it at once; the sweep sends what a process left.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import translation

from onboarding import clock
from onboarding.models import AccountMail
from onboarding.models.memo import readable

from . import mail_log, outbox, staff_alerts
from .mail import About, Mail, NotSent
from .sending import Delivery

WORD_LIFE = timedelta(days=3)  # of a mail that only tells what has happened


def code_life() -> timedelta:
    """How long a code works: no mail with one is sent later."""
    seconds = (
        settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT,
        settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT,
        settings.ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT,
    )
    return min(timedelta(minutes=10), *(timedelta(seconds=each) for each in seconds))


def send_code(mail: Mail) -> AccountMail:
    """Send it while somebody waits. Raises NotSent if that fails within the wait: nothing is tried again.

    Otherwise it has left, or it is on its way: the row says which, and what becomes of it.
    """
    row, delivery = _send(mail, code_life())
    if delivery.is_over and delivery.error:
        mail_log.give_up(row)
        row.delete()
        raise delivery.error
    return row


def tell(mail: Mail) -> None:
    """Send it if that is possible, and try again for some days. The page does not depend on it."""
    _send(mail, WORD_LIFE)


def _send(mail: Mail, life: timedelta) -> tuple[AccountMail, Delivery]:
    about = {"kind": mail.about.kind, "language": mail.about.language}
    content = {"subject": mail.subject, "text": mail.body, "to": mail.to, **about}
    row = AccountMail.objects.create(content=content, expires_at=clock.now() + life)
    return row, outbox.send_now(row, mail, _conclude)


def mail_due() -> None:
    """Send what is still of use, and delete what is over. Any number of workers may call it."""
    now = clock.now()
    rows = AccountMail.objects.exclude(content=None)
    outbox.send_due(rows.filter(expires_at__gt=now), _compose, _conclude)
    over = AccountMail.objects.filter(expires_at__lte=now)
    if over.exists():
        over.delete()


def _compose(row: AccountMail) -> Mail:
    content = readable(row.content)
    about = About(content.get("kind", ""), content.get("language", settings.LANGUAGE_CODE))
    with translation.override(about.language):
        return Mail(content["subject"], content["text"], content["to"], about)


def _conclude(row: AccountMail, error: NotSent | None) -> None:
    outbox.conclude(row, error)
    if error and error.for_staff:
        staff_alerts.open_for_failed_mail()
