"""The second step of signing in: who is asked for it, what a session has shown, how its secrets are stored.

Built on allauth.mfa. A passkey with a PIN, a fingerprint or a face is two factors at once, so whoever signs
in with it is asked for nothing more. After a mailed code or a password, these people are asked for a second
step (a passkey, a code of their authenticator app, or a recovery code):

- whoever has set up an authenticator app;
- staff, where STAFF_MFA holds. Those who have no second step yet are led to set one up (staff_gate.py).

For everybody else a passkey replaces the code, so losing it locks nobody out.
"""

from __future__ import annotations

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.stages import AuthenticateStage
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.translation import gettext

from onboarding.local_paths import local_path
from onboarding.models import SecurityEvent, User, memo
from onboarding.monitoring.security_log import record

Type = Authenticator.Type
ALLAUTH_STAGE = "allauth.mfa.stages.AuthenticateStage"
STAGE = f"{__name__}.SecondStep"
NEXT = "after_second_step"  # key in the session: where somebody was heading who had to set one up
KINDS = {
    Type.TOTP: "authenticator app",
    Type.WEBAUTHN: "passkey",
    Type.RECOVERY_CODES: "recovery codes",
}


def is_required(user: User | AnonymousUser) -> bool:
    """Whether this person is asked for a second step after a mailed code or a password."""
    if not isinstance(user, User):
        return False
    return (settings.STAFF_MFA and user.is_staff) or has_app(user)


def has_app(user: User) -> bool:
    return bool(_of(user).filter(type=Type.TOTP).exists())


def has_one(user: User | AnonymousUser) -> bool:
    """Whether this person has something to take the second step with."""
    return isinstance(user, User) and _of(user).exclude(type=Type.RECOVERY_CODES).exists()


def has_unsaved_codes(user: User) -> bool:
    """Whether there are recovery codes that the person has not confirmed to have saved."""
    unsaved = _of(user).filter(type=Type.RECOVERY_CODES, data__viewed_at__isnull=True)
    return bool(unsaved.exists())


def _of(user: User):  # type: ignore[no-untyped-def]  # allauth has no types
    return Authenticator.objects.filter(user_id=user.pk)


def was_taken(request: HttpRequest) -> bool:
    """Whether this session has shown a second factor, or a passkey that is two at once."""
    records = get_authentication_records(request, request.user)
    return any(each["method"] == "mfa" for each in records)


class SecondStep(AuthenticateStage):  # type: ignore[misc]
    """allauth's stage of signing in, for those who need it."""

    def _should_handle(self, request: HttpRequest) -> bool:
        return is_required(self.login.user) and bool(super()._should_handle(request))


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Names that devices show, and the encryption of what is stored: with the keys of the memos."""

    def encrypt(self, text: str) -> str:
        return memo.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return str(memo.unseal(encrypted_text))

    def get_totp_issuer(self) -> str:
        return str(settings.BRAND_NAME)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        site: dict[str, str] = super().get_public_key_credential_rp_entity()
        return site | {"name": settings.BRAND_NAME}

    def generate_authenticator_name(self, user: User, type: str) -> str:
        return gettext("Passkey")


def next_page(request: HttpRequest, usual: str) -> str:
    """Where to go once a second step is set up."""
    return local_path(request.session.pop(NEXT, None)) or usual


# -- what has changed ------------------------------------------------------------------------------


def note_added(request: HttpRequest, user: User, authenticator: Authenticator, **_: object) -> None:
    """Whoever has just set up a second factor has shown it in this session."""
    if authenticator.type != Type.RECOVERY_CODES:
        shown = {"id": authenticator.pk, "type": authenticator.type, "reauthenticated": True}
        record_authentication(request, user, "mfa", **shown)
    _note(SecurityEvent.Kind.FACTOR_ADDED, request, user, authenticator)


def note_removed(
    request: HttpRequest, user: User, authenticator: Authenticator, **_: object
) -> None:
    _note(SecurityEvent.Kind.FACTOR_REMOVED, request, user, authenticator)


def _note(
    kind: SecurityEvent.Kind, request: HttpRequest, user: User, authenticator: Authenticator
) -> None:
    record(kind, request, user=user, detail=KINDS[authenticator.type])
