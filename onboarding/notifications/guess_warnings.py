"""The mail to somebody at whose address many wrong codes were entered."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from onboarding.models import GuessWarning

from . import outbox
from .mail import Mail, compose


def mail_due() -> None:
    rows = GuessWarning.objects.filter(user__is_active=True)
    outbox.send_due(rows.select_related("user"), _compose)


def _compose(warning: GuessWarning) -> Mail:
    context = {"at": warning.at, "page": settings.SITE_URL + reverse("mfa_index")}
    user = warning.user
    return compose(
        "onboarding/email/guess_warning", [user.email], context, user.language, person=user
    )
