"""When sessions begin and end by themselves: Django's and allauth's signals."""

from __future__ import annotations

from collections.abc import Callable

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from django.contrib.auth import signals as auth
from django.http import HttpRequest

from onboarding.models import User
from onboarding.models.sessions import SessionStore

from . import sessions

# What changes how somebody signs in: their other sessions end.
CHANGES = {
    "password set": account.password_set,
    "password changed": account.password_changed,
    "password reset": account.password_reset,
    "main address changed": account.email_changed,
    "address removed": account.email_removed,
    "passkey or second factor added": mfa.authenticator_added,
    "passkey or second factor removed": mfa.authenticator_removed,
    "recovery codes renewed": mfa.authenticator_reset,
}


def connect() -> None:
    """Once in each process."""
    auth.user_logged_in.connect(_begin, dispatch_uid="sessions")
    auth.user_logged_out.connect(_sign_out, dispatch_uid="sessions")
    for why, signal in CHANGES.items():
        signal.connect(_receiver(why), weak=False, dispatch_uid=f"sessions: {why}")


def _receiver(why: str) -> Callable[..., None]:
    """Ends the other sessions of whom a signal is about."""

    def end(
        sender: object, user: User, request: HttpRequest | None = None, **details: object
    ) -> None:
        sessions.end_after_change(user, why, request)

    return end


def _begin(sender: object, user: User, request: HttpRequest, **details: object) -> None:
    if isinstance(request.session, SessionStore):
        request.session.begin(user)


def _sign_out(sender: object, request: HttpRequest, **details: object) -> None:
    if isinstance(request.session, SessionStore):
        request.session.signed_out = True
