"""What happens when Django or allauth says that somebody signed in, or changed how they sign in."""

from __future__ import annotations

from allauth.account import signals
from allauth.account.models import EmailAddress
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_save
from django.http import HttpRequest

from onboarding.models import SecurityEvent, User
from onboarding.monitoring.security_log import record

from . import former_addresses, guards

Kind = SecurityEvent.Kind
# Receivers get more than they need, by names: `_`.


def connect() -> None:
    user_logged_in.connect(guards.note_sign_in, dispatch_uid="note-sign-in")
    signals.authentication_step_completed.connect(confirmed, dispatch_uid="confirmed-identity")
    for each in (signals.password_set, signals.password_changed, signals.password_reset):
        each.connect(password_changed, dispatch_uid="password-changed")
    post_save.connect(address_saved, EmailAddress, dispatch_uid="address-saved")
    signals.email_confirmed.connect(address_confirmed, dispatch_uid="address-confirmed")
    signals.email_changed.connect(main_address_changed, dispatch_uid="main-address-changed")
    signals.email_removed.connect(address_removed, dispatch_uid="address-removed")


def confirmed(
    request: HttpRequest, user: User, method: str, reauthenticated: bool = False, **_: object
) -> None:
    if reauthenticated:
        record(Kind.CONFIRMED_IDENTITY, request, user=user, detail=f"by {method}")


def password_changed(request: HttpRequest, user: User, **_: object) -> None:
    record(Kind.PASSWORD_CHANGED, request, user=user)


def address_saved(instance: EmailAddress, created: bool, raw: bool = False, **_: object) -> None:
    if created and not raw:
        former_addresses.note_added(instance)


def address_confirmed(request: HttpRequest, email_address: EmailAddress, **_: object) -> None:
    """The first address of an account is confirmed by signing up."""
    if EmailAddress.objects.filter(user_id=email_address.user_id).count() > 1:
        record(Kind.ADDRESS_ADDED, request, user=email_address.user)


def main_address_changed(
    request: HttpRequest, user: User, from_email_address: EmailAddress | None, **_: object
) -> None:
    record(Kind.ADDRESS_MADE_MAIN, request, user=user)
    if from_email_address:
        former_addresses.tell(from_email_address, was_removed=False)


def address_removed(
    request: HttpRequest, user: User, email_address: EmailAddress, **_: object
) -> None:
    record(Kind.ADDRESS_REMOVED, request, user=user)
    former_addresses.tell(email_address, was_removed=True)
