"""What happens when Django or allauth says that somebody signed in or out, or changed how they sign in."""

from __future__ import annotations

from collections.abc import Callable

from allauth.account import signals as account
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.models import EmailAddress
from allauth.mfa import signals as mfa
from django.contrib.auth import signals as auth
from django.db.models.signals import post_save
from django.http import HttpRequest

from onboarding.models import SecurityEvent, User
from onboarding.models.sessions import SessionStore
from onboarding.monitoring.security_log import record
from onboarding.notifications import refused_addresses

from . import former_addresses, guards, known_browsers, language, second_factor, sessions

Kind = SecurityEvent.Kind
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
MAILED_CODES = {"code", "password_reset"}  # allauth's names of methods
PASSWORD_CHANGES = (account.password_set, account.password_changed, account.password_reset)
# Receivers get more than they need, by names: `_`.


def connect() -> None:
    """Once in each process."""
    auth.user_logged_in.connect(_begin_session, dispatch_uid="begin-session")
    account.user_logged_in.connect(_signed_in, dispatch_uid="signed-in")
    auth.user_logged_out.connect(_signed_out, dispatch_uid="signed-out")
    account.authentication_step_completed.connect(_is_still_you, dispatch_uid="still-you")
    account.authentication_step_completed.connect(_code_used, dispatch_uid="code-used")
    for why, signal in CHANGES.items():
        signal.connect(_factor_changed(why), weak=False, dispatch_uid=f"factor-changed: {why}")
    for each in PASSWORD_CHANGES:
        each.connect(_password_changed, dispatch_uid="password-changed")
    for added in (mfa.authenticator_added, mfa.authenticator_reset):
        added.connect(second_factor.note_added, dispatch_uid="factor-added")
    mfa.authenticator_removed.connect(second_factor.note_removed, dispatch_uid="factor-removed")
    post_save.connect(_address_saved, EmailAddress, dispatch_uid="address-saved")
    account.email_confirmed.connect(_address_confirmed, dispatch_uid="address-confirmed")
    account.email_changed.connect(_main_address_changed, dispatch_uid="main-address-changed")
    account.email_removed.connect(_address_removed, dispatch_uid="address-removed")


# -- signing in and out ----------------------------------------------------------------------------


def _begin_session(request: HttpRequest, user: User, **_: object) -> None:
    if isinstance(request.session, SessionStore):
        request.session.begin(user)
    guards.note_sign_in(request, user)


def _signed_in(request: HttpRequest, user: User, **_: object) -> None:
    records = get_authentication_records(request, user)
    method = records[-1]["method"] if records else ""
    passkey = "passkey" if records and records[-1].get("passwordless") else ""
    record(Kind.SIGNED_IN, request, user=user, detail=passkey or str(method))
    known_browsers.mark(request, user)
    language.note_sign_in(request, user)


def _signed_out(request: HttpRequest | None, user: User | None, **_: object) -> None:
    if user is None:
        return
    if request and isinstance(request.session, SessionStore):
        request.session.signed_out = True
    record(Kind.SIGNED_OUT, request, user=user)


def _is_still_you(
    request: HttpRequest, user: User, method: str, reauthenticated: bool = False, **_: object
) -> None:
    if reauthenticated:
        record(Kind.CONFIRMED_IDENTITY, request, user=user, detail=method)


def _code_used(user: User, method: str, email: str = "", **_: object) -> None:
    """A code that was mailed has arrived."""
    if email and method in MAILED_CODES:
        refused_addresses.works_again(user, email)


# -- how somebody signs in -------------------------------------------------------------------------


def _factor_changed(why: str) -> Callable[..., None]:
    """Ends the other sessions of whom a signal is about. This browser stays known to whoever has changed
    their own factors; staff change those of others."""

    def changed(user: User, request: HttpRequest | None = None, **_: object) -> None:
        sessions.end_after_change(user, why, request)
        if request is not None and request.user == user:
            known_browsers.mark(request, user)

    return changed


def _password_changed(request: HttpRequest, user: User, **_: object) -> None:
    record(Kind.PASSWORD_CHANGED, request, user=user)


def _address_saved(instance: EmailAddress, created: bool, raw: bool = False, **_: object) -> None:
    if created and not raw:
        former_addresses.note_added(instance)


def _address_confirmed(request: HttpRequest, email_address: EmailAddress, **_: object) -> None:
    """The first address of an account is confirmed by signing up. Its code has arrived."""
    refused_addresses.works_again(email_address.user, email_address.email)
    if EmailAddress.objects.filter(user_id=email_address.user_id).count() > 1:
        record(Kind.ADDRESS_ADDED, request, user=email_address.user)


def _main_address_changed(
    request: HttpRequest, user: User, from_email_address: EmailAddress | None, **_: object
) -> None:
    record(Kind.ADDRESS_MADE_MAIN, request, user=user)
    if from_email_address:
        refused_addresses.works_again(user, from_email_address.email)
        former_addresses.tell(from_email_address, was_removed=False)


def _address_removed(
    request: HttpRequest, user: User, email_address: EmailAddress, **_: object
) -> None:
    record(Kind.ADDRESS_REMOVED, request, user=user)
    refused_addresses.works_again(user, email_address.email)
    former_addresses.tell(email_address, was_removed=True)
