"""Mails about an attempt: the way back from a vendor that sends nobody back, and a shop that is confirmed."""

from __future__ import annotations

from django.conf import settings

from onboarding.models import Attempt, AttemptMail, Merchant, User
from onboarding.registry import vendor_name

from . import outbox
from .mail import Mail, compose, quoted


def mail_due() -> None:
    """Send those that are due. Any number of workers may call it."""
    rows = AttemptMail.wanted().select_related("user", "attempt__connection__account__merchant")
    outbox.send_due(rows, _compose)


def _compose(mail: AttemptMail) -> Mail:
    connection = mail.attempt.connection
    merchant = connection.account.merchant
    is_way_back = mail.kind == AttemptMail.Kind.WAY_BACK
    page = mail.attempt if is_way_back else connection
    context = {
        "vendor_name": vendor_name(connection.vendor),
        "shop": quoted(connection.name),
        "business": quoted(merchant.name),
        "address": settings.SITE_URL + page.get_absolute_url(),
    }
    readers = [mail.user] if mail.user else _members(merchant, mail.attempt)
    to = [user.email for user in readers]
    return compose(f"onboarding/email/{mail.kind}", to, context, merchant.language)


def _members(merchant: Merchant, attempt: Attempt) -> list[User]:
    """All members, whoever connected the shop first."""
    members = merchant.members.filter(is_active=True)
    return sorted(members, key=lambda user: user.pk != attempt.user_id)
