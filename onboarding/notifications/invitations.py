"""Invitation mails: the mail that invites somebody to a team."""

from __future__ import annotations

from django.conf import settings
from django.db.models import QuerySet

from onboarding import clock
from onboarding.models import Invitation, User
from onboarding.models.merchants import OPEN

from . import outbox
from .mail import Mail, quoted_for_strangers
from .mail import compose as compose_mail


def mail_due() -> None:
    """Send invitations again whose mail failed, or whose process died before it was sent."""
    outbox.send_due(still_open().select_related("merchant", "invited_by"), compose)


def still_open() -> QuerySet[Invitation]:
    return Invitation.objects.filter(OPEN, expires_at__gt=clock.now())


def compose(invitation: Invitation) -> Mail:
    """The mail, in the language of the invited person if they have an account, else in the merchant's.

    Whoever gets it may never have heard of us, and names can be chosen to advertise: none is in the
    subject, and none can become a link.
    """
    known = User.objects.filter(email=invitation.email).first()
    by = invitation.invited_by
    if by and by.erased_at:
        by = None
    context = {
        "invitation": invitation,
        "business": quoted_for_strangers(invitation.merchant.name),
        "by": by,
        "by_name": quoted_for_strangers(by.name) if by and by.name else "",
        "address": settings.SITE_URL + invitation.get_absolute_url(),
    }
    merchant = invitation.merchant
    language = (known and known.language) or merchant.language
    return compose_mail(
        "onboarding/email/invitation", [invitation.email], context, language, merchant=merchant
    )
