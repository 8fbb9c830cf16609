"""Taking away somebody's second step for them: they have lost all of it, or its secrets cannot be read."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.http import HttpRequest

from onboarding import clock
from onboarding.models import SecurityEvent, User
from onboarding.monitoring.security_log import record
from onboarding.notifications import account_mails, mail

from . import sessions


def reset(user: User, request: HttpRequest | None = None, *, why: str) -> bool:
    """Remove passkeys, authenticator app and recovery codes, and end all sessions. The person is told.

    False: there was nothing to remove. `why`: a few plain words for the security log.
    """
    with transaction.atomic():
        removed, _ = Authenticator.objects.filter(user_id=user.pk).delete()
        if not removed:
            return False
        sessions.end_all(user, "second step removed", request)
        record(SecurityEvent.Kind.FACTOR_RESET, request, user=user, detail=why)
    _tell(user)
    return True


def _tell(user: User) -> None:
    """At every address that the person has confirmed. What the mail tells has happened already."""
    confirmed = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary", "pk")
    for address in confirmed.values_list("email", flat=True) or [user.email]:
        details = {"timestamp": clock.now()}
        account_mails.tell(
            mail.compose("mfa/email/factors_reset", [address], details, user.language, person=user)
        )
