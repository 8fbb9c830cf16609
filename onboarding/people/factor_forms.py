"""Codes of the authenticator app and recovery codes: every guess is counted before it is compared, and a
code that was right works once.

allauth counts guesses and remembers used codes in the cache, which may be lost. Here both are rows.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.internal.flows.add import validate_can_add_authenticator
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from onboarding.models import SecurityEvent, User, memo
from onboarding.monitoring.security_log import record

from .askers import limits_of
from .codes import TOO_MANY, CodeField
from .limits import Limit, digest, give_back, longest_wait, note_refusal, take_each

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

INCORRECT = "incorrect_code"  # the code of a form error
# How long a used code of the app is remembered: longer than one is accepted.
REMEMBERED = timedelta(minutes=5)
WRONG = gettext_lazy("This code is wrong, or was used before. Wait for the next one in your app.")


class Guesses:
    """The guesses of one person at their second factor, however many browsers they come from."""

    def __init__(self, user: User) -> None:
        self.user = user
        rates = settings.WRONG_FACTOR_LIMITS
        self.bounds = [*limits_of("wrong second factors", "person", (str(user.pk),), rates)]

    def take(self, request: HttpRequest) -> None:
        """Count a guess that is about to be compared. ValidationError: it must not be."""
        if refused := take_each(self.bounds):
            note_refusal(request, refused, self.user)
            text = gettext_lazy("Too many wrong codes were entered.")
            raise ValidationError(text, code=TOO_MANY)

    def were_right(self) -> None:
        give_back(self.bounds)

    def were_wrong(self, request: HttpRequest) -> None:
        record(SecurityEvent.Kind.WRONG_FACTOR, request, user=self.user)

    def seconds_to_wait(self) -> int:
        return longest_wait(self.bounds)


def use_app_code(user: User, secret: str, code: str) -> bool:
    """Whether this code of the app is right, for the first time."""
    if not auth.validate_totp_code(secret, code):
        return False
    return Limit(f"used app code:{digest(user.pk, code)}", 1, REMEMBERED).take()


def find_used(user: User, code: str) -> Authenticator | None:
    """Use this code: the authenticator app's row or that of the recovery codes, or None if it is wrong."""
    typed = Authenticator.objects.filter(user=user, type__in=["totp", "recovery_codes"])
    for row in typed.order_by("-type"):  # the app first
        if row.type == Authenticator.Type.TOTP:
            right = use_app_code(user, get_adapter().decrypt(row.data["secret"]), code)
        else:
            right = row.wrap().validate_code(code)  # under a lock: each works once
        if right:
            row.user = user
            return row
    return None


class FactorCodeMixin:
    """A form with one box, for a code of the app or a recovery code, in front of allauth's."""

    user: User
    authenticator: Authenticator

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.guesses = Guesses(self.user)
        fields: dict[str, forms.Field] = self.fields  # type: ignore[attr-defined]  # allauth has no types
        with_app = Authenticator.objects.filter(user=self.user, type=Authenticator.Type.TOTP)
        both = gettext_lazy("Code from the app, or a recovery code")
        fields["code"] = code_field(both if with_app.exists() else gettext_lazy("Recovery code"))

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]  # type: ignore[attr-defined]
        self.guesses.take(context.request)
        found = find_used(self.user, code)
        if found is None:
            self.guesses.were_wrong(context.request)
            raise ValidationError(WRONG, code=INCORRECT)
        self.guesses.were_right()
        self.authenticator = found
        return code


def code_field(label: str | _StrPromise) -> CodeField:
    widget = {"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}
    return CodeField(
        label=label,
        error_messages={"required": gettext_lazy("Enter the code.")},
        widget=forms.TextInput(attrs=widget),
    )


class SecondStepForm(FactorCodeMixin, AuthenticateForm):  # type: ignore[misc]
    """The second step of signing in."""


class StillYouForm(FactorCodeMixin, ReauthenticateForm):  # type: ignore[misc]
    """“Is it still you?”"""


# -- setting the app up ----------------------------------------------------------------------------


class ActivateForm(forms.Form):
    """The first code of the app, which shows that it has the secret.

    The secret waits in the session, encrypted, and stays the same when the page is opened again.
    """

    def __init__(self, *args: object, user: User, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's own arguments
        self.user, self.guesses = user, Guesses(user)
        self.secret = _waiting_secret(context.request)
        self.fields["code"] = code_field(gettext_lazy("Six-digit code from the app"))

    def clean_code(self) -> str:
        validate_can_add_authenticator(self.user)
        code: str = self.cleaned_data["code"]
        self.guesses.take(context.request)
        if not use_app_code(self.user, self.secret, code):
            raise ValidationError(WRONG, code=INCORRECT)
        self.guesses.were_right()
        return code


def _waiting_secret(request: HttpRequest) -> str:
    sealed = request.session.get(auth.SECRET_SESSION_KEY)
    if isinstance(sealed, str) and memo.opens(sealed):
        return str(memo.unseal(sealed))
    secret: str = auth.generate_totp_secret()
    request.session[auth.SECRET_SESSION_KEY] = memo.seal(secret)
    return secret
