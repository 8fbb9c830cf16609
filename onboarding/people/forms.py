"""allauth's forms for addresses, passwords and passkeys, with the fields of this site."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import AddEmailForm, ChangeEmailForm, LoginForm, ResetPasswordForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django.utils.translation import gettext_lazy

from onboarding.fields import EmailField, LineField

LONGEST_PASSKEY_NAME = 100  # characters


class PasswordForm(LoginForm):  # type: ignore[misc]  # allauth has no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:  # Any: Django's signature
        super().__init__(*args, **kwargs)
        self.fields["login"] = EmailField()


class AddAddressForm(AddEmailForm):  # type: ignore[misc]
    email = EmailField()


class ChangeAddressForm(ChangeEmailForm):  # type: ignore[misc]
    email = EmailField()


class ForgottenPasswordForm(ResetPasswordForm):  # type: ignore[misc]
    email = EmailField()


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """An empty name is replaced by allauth: the device has its key already."""

    name = LineField(required=False, max_length=LONGEST_PASSKEY_NAME)


class EditPasskeyForm(EditWebAuthnForm):  # type: ignore[misc]
    name = LineField(
        max_length=LONGEST_PASSKEY_NAME,
        error_messages={"required": gettext_lazy("Give this passkey a name.")},
    )
