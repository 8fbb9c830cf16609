"""The mail that we promise when an attempt becomes staff's turn: once, when it is the merchant's again."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F, Q
from django.template.loader import render_to_string
from django.utils import translation

from onboarding import moments
from onboarding.models import Attempt, PromisedMail
from onboarding.models.status import Answer, Turn, shown
from onboarding.registry import vendor_name

from . import outbox

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


def _compose(row: PromisedMail) -> EmailMessage:
    attempt, merchant = row.attempt, row.attempt.connection.merchant
    with translation.override(merchant.language):
        context = _context(attempt)
        subject = render_to_string("onboarding/email/promised_subject.txt", context)
        body = render_to_string("onboarding/email/promised_message.txt", context)
    return EmailMessage(" ".join(subject.split()), body, to=[attempt.user.email])


def _context(attempt: Attempt) -> dict[str, object]:
    connection = attempt.connection
    is_over = attempt.answer in {Answer.CONNECTED, Answer.DONE}
    page = connection.get_absolute_url() if is_over else attempt.get_absolute_url()
    return {
        "shop": connection.name,
        "merchant": connection.merchant,
        "vendor_name": vendor_name(connection.vendor),
        "sentence": shown(attempt.note, moments.in_full),
        "is_over": is_over,
        "address": settings.SITE_URL + page,
        "brand_name": settings.BRAND_NAME,
        "support_email": settings.SUPPORT_EMAIL,
        "site_url": settings.SITE_URL,
    }
