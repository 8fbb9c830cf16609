"""Forms for what a browser answers about a passkey: an answer that cannot be read is refused, never an error.

allauth expects answers of browsers; anything can be sent in their place, and the parsers below it end in
whatever exception is nearest.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from onboarding.fields import LineField

LONGEST_NAME = 100  # characters
NAME = gettext_lazy("Name")

UNREADABLE = (
    *(ValueError, TypeError, LookupError, AttributeError, ArithmeticError, struct.error),
    *(InvalidSignature, UnsupportedAlgorithm),
)


class AnswerField(forms.JSONField):
    """A browser's answer as JSON. It is base64url in a few objects, so nothing in it is escaped."""

    def __init__(self) -> None:
        super().__init__(widget=forms.HiddenInput)

    def to_python(self, value: Any) -> Any:  # Any: as in Django's stubs
        try:
            if "\\u" not in str(value):
                return super().to_python(value)
        except (ValueError, RecursionError):  # a number or a nesting without end
            pass
        raise ValidationError(self.error_messages["invalid"], code="invalid")

    def bound_data(self, data: object, initial: object) -> object:
        """Nothing: an answer works once, so the form never shows it again."""
        return initial


@contextmanager
def refused() -> Iterator[None]:
    """What no passkey answers is refused like a wrong one."""
    try:
        yield
    except UNREADABLE as error:
        raise get_adapter().validation_error("incorrect_code") from error


class AddForm(AddWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    """An empty name is replaced by allauth: the device has its key already."""

    name = LineField(label=NAME, required=False, max_length=LONGEST_NAME)
    credential = AnswerField()

    def clean(self) -> dict[str, object]:
        with refused():
            cleaned: dict[str, object] = super().clean()
        return cleaned


class EditForm(EditWebAuthnForm):  # type: ignore[misc]
    name = LineField(
        label=NAME,
        max_length=LONGEST_NAME,
        error_messages={"required": gettext_lazy("Give this passkey a name.")},
    )


class LoginForm(LoginWebAuthnForm):  # type: ignore[misc]
    credential = AnswerField()

    def clean_credential(self) -> object:
        with refused():
            return super().clean_credential()


class SecondStepForm(AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey as the second step of signing in."""

    credential = AnswerField()

    def clean_credential(self) -> object:
        with refused():
            return super().clean_credential()


class ReauthenticateForm(ReauthenticateWebAuthnForm):  # type: ignore[misc]
    credential = AnswerField()

    def clean_credential(self) -> object:
        with refused():
            return super().clean_credential()
