"""allauth's forms for addresses and passwords, with the fields of this site."""

from __future__ import annotations

from allauth.account.forms import AddEmailForm, ChangeEmailForm, LoginForm, ResetPasswordForm

from onboarding.fields import EmailField


class PasswordForm(LoginForm):  # type: ignore[misc]  # allauth has no types
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = EmailField()


class AddAddressForm(AddEmailForm):  # type: ignore[misc]
    email = EmailField()


class ChangeAddressForm(ChangeEmailForm):  # type: ignore[misc]
    email = EmailField()


class ForgottenPasswordForm(ResetPasswordForm):  # type: ignore[misc]
    email = EmailField()
