"""Mails about an attempt: the way back from a vendor that sends nobody back, and a shop that is confirmed."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation

from onboarding.models import Attempt, AttemptMail, Merchant, User
from onboarding.registry import vendor_name

from . import outbox


def mail_due() -> None:
    """Send those that are due. Any number of workers may call it."""
    rows = AttemptMail.wanted().select_related("user", "attempt__connection__account__merchant")
    outbox.send_due(rows, _compose)


def _compose(mail: AttemptMail) -> EmailMessage:
    connection = mail.attempt.connection
    merchant = connection.account.merchant
    is_way_back = mail.kind == AttemptMail.Kind.WAY_BACK
    page = mail.attempt if is_way_back else connection
    context = {
        "vendor_name": vendor_name(connection.vendor),
        "connection": connection,
        "merchant": merchant,
        "address": settings.SITE_URL + page.get_absolute_url(),
        "brand_name": settings.BRAND_NAME,
        "support_email": settings.SUPPORT_EMAIL,
        "site_url": settings.SITE_URL,
    }
    with translation.override(merchant.language):
        subject = render_to_string(f"onboarding/email/{mail.kind}_subject.txt", context)
        body = render_to_string(f"onboarding/email/{mail.kind}_message.txt", context)
    readers = [mail.user] if mail.user else _members(merchant, mail.attempt)
    to, *others = [user.email for user in readers] or [""]
    return EmailMessage(" ".join(subject.split()), body, to=[to] if to else [], bcc=others)


def _members(merchant: Merchant, attempt: Attempt) -> list[User]:
    """All members, whoever connected the shop first."""
    members = merchant.members.filter(is_active=True)
    return sorted(members, key=lambda user: user.pk != attempt.user_id)
