"""Invitation mails: the mail that invites somebody to a team."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import timezone, translation

from onboarding.models import Invitation, User
from onboarding.models.merchants import OPEN

from . import outbox


def mail_due() -> None:
    """Send invitations again whose mail failed, or whose process died before it was sent."""
    rows = Invitation.objects.filter(OPEN, expires_at__gt=timezone.now())
    outbox.send_due(rows.select_related("merchant", "invited_by"), compose)


def compose(invitation: Invitation) -> EmailMessage:
    """The mail, in the language of the invited person if they have an account, else in the merchant's."""
    known = User.objects.filter(email=invitation.email).first()
    context = {
        "invitation": invitation,
        "by": invitation.invited_by,
        "address": settings.SITE_URL + invitation.get_absolute_url(),
        "brand_name": settings.BRAND_NAME,
        "support_email": settings.SUPPORT_EMAIL,
        "site_url": settings.SITE_URL,
    }
    with translation.override((known and known.language) or invitation.merchant.language):
        subject = render_to_string("onboarding/email/invitation_subject.txt", context)
        body = render_to_string("onboarding/email/invitation_message.txt", context)
    return EmailMessage(" ".join(subject.split()), body, to=[invitation.email])
