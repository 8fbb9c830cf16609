"""What allauth and Django tell: who signed in and out goes to the security log, and makes a browser known."""

from __future__ import annotations

from allauth.account import signals as account
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa import signals as mfa
from django.contrib.auth.signals import user_logged_out
from django.http import HttpRequest

from onboarding.models import SecurityEvent, User
from onboarding.monitoring import security_log

from . import known_browsers

FACTOR_CHANGES = (
    *(account.password_set, account.password_changed, account.password_reset),
    *(mfa.authenticator_added, mfa.authenticator_removed),
)


def connect() -> None:
    account.user_logged_in.connect(_signed_in, dispatch_uid="signed-in")
    user_logged_out.connect(_signed_out, dispatch_uid="signed-out")
    account.authentication_step_completed.connect(_is_still_you, dispatch_uid="still-you")
    for signal in FACTOR_CHANGES:
        signal.connect(_factors_changed, dispatch_uid="factors-changed")


def _signed_in(request: HttpRequest, user: User, **_: object) -> None:
    records = get_authentication_records(request, user)
    method = records[-1]["method"] if records else ""
    passkey = "passkey" if records and records[-1].get("passwordless") else ""
    kind = SecurityEvent.Kind.SIGNED_IN
    security_log.record(kind, request, user=user, detail=passkey or str(method))
    known_browsers.mark(request, user)


def _signed_out(request: HttpRequest | None, user: User | None, **_: object) -> None:
    if user:
        security_log.record(SecurityEvent.Kind.SIGNED_OUT, request, user=user)


def _is_still_you(request: HttpRequest, user: User, method: str, **details: object) -> None:
    if details.get("reauthenticated"):
        kind = SecurityEvent.Kind.CONFIRMED_IDENTITY
        security_log.record(kind, request, user=user, detail=method)


def _factors_changed(request: HttpRequest, user: User, **_: object) -> None:
    """This browser stays known to whoever has changed their own factors; staff change those of others."""
    if request.user == user:
        known_browsers.mark(request, user)
