"""The mail that we promise when an attempt becomes staff's turn, and when a vendor keeps its merchant
waiting for more than a minute: once, when it is done or the merchant's turn again."""

from __future__ import annotations

from django.conf import settings
from django.db.models import F, Q
from django.utils import translation

from onboarding import moments
from onboarding.models import Attempt, PromisedMail
from onboarding.models.status import Answer, Ending, Turn, shown
from onboarding.registry import vendor_name

from . import outbox
from .mail import Mail, compose, quoted

# Staff's turn is over: the merchant has something to do, or to know. While we ask the vendor, it is not.
OVER = Q(attempt__turn__in=(Turn.MERCHANT, Turn.NOBODY)) & ~Q(attempt__answer=Answer.PROGRESS)


def mail_due() -> None:
    """Send what was promised. Any number of workers may call it.

    Nobody is mailed who does not belong to the merchant any more. An attempt that was replaced by another
    one needs no mail.
    """
    rows = PromisedMail.objects.filter(OVER, attempt__user__is_active=True)
    members = rows.filter(
        attempt__connection__account__merchant__memberships__user=F("attempt__user")
    )
    outbox.send_due(
        members.select_related("attempt__user", "attempt__connection__account__merchant"), _compose
    )


def _compose(row: PromisedMail) -> Mail:
    attempt = row.attempt
    with translation.override(attempt.connection.merchant.language):
        return compose("onboarding/email/promised", [attempt.user.email], _context(attempt))


def _context(attempt: Attempt) -> dict[str, object]:
    connection = attempt.connection
    is_over = attempt.ending in {Ending.CONNECTED, Ending.DONE}
    page = connection.get_absolute_url() if is_over else attempt.get_absolute_url()
    return {
        "shop": quoted(connection.name),
        "business": quoted(connection.merchant.name),
        "vendor_name": vendor_name(connection.vendor),
        "sentence": shown(attempt.note, moments.in_full),
        "is_over": is_over,
        "address": settings.SITE_URL + page,
    }
