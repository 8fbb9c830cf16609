"""Form fields for what people type: email addresses, addresses of shops, texts in one line such as names."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from vendors.contract.characters import is_plain, is_visible, name_key, one_line

from . import shop_addresses
from .email_addresses import normalised

INVALID_ADDRESS = gettext_lazy("Enter an email address such as name@example.com.")
TOO_LONG = gettext_lazy("Use at most %(limit_value)d characters.")
WITHOUT_LINKS = gettext_lazy("Leave out web addresses: “://” and “www.” cannot be part of a name.")


def address(typed: str) -> str:
    """The address as it is stored. Raises ValidationError."""
    try:
        return normalised(typed, local=settings.LOOPBACK)
    except ValueError:
        raise ValidationError(INVALID_ADDRESS, code="invalid") from None


def check_address(typed: str) -> None:
    """A validator for columns that hold an address."""
    address(typed)


class EmailField(forms.EmailField):
    """An email address, by the one rule. There is no `maxlength`: a browser would cut a pasted address."""

    default_error_messages = {
        "required": gettext_lazy("Enter your email address."),
        "invalid": INVALID_ADDRESS,
    }

    def __init__(self, **options: Any) -> None:  # Any: Django's signature
        widget = forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"})
        given = {"label": gettext_lazy("Email address"), "widget": widget, **options}
        super().__init__(**{**given, "max_length": None})

    def clean(self, value: object) -> str:
        typed = self.to_python(value)
        if not typed:
            self.validate(typed)
            return ""
        return address(typed)


class LineField(forms.CharField):
    """A text in one line, without characters that nobody sees. A text of such characters alone is empty."""

    default_error_messages = {"max_length": TOO_LONG}

    def to_python(self, value: object) -> str:
        line = one_line(super().to_python(value) or "")
        return line if is_visible(line) else ""


class SecretField(forms.CharField):
    """A secret that is stored as it was typed: a character that cannot be kept is refused."""

    default_error_messages = {"max_length": TOO_LONG}
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})

    def to_python(self, value: object) -> str:
        typed = super().to_python(value) or ""
        if not is_plain(typed):
            raise ValidationError(
                gettext_lazy("This contains invisible characters. Type it again without them.")
            )
        return typed


class NameField(LineField):
    """A name that is mailed to people who do not know us: no web address is part of it."""

    def validate(self, value: str) -> None:
        super().validate(value)
        read = name_key(value)
        if "://" in read or "www." in read.replace("\u3002", "."):
            raise ValidationError(WITHOUT_LINKS, code="link")


class ShopAddressField(LineField):
    """The address of a shop on the web, stored as `shop_addresses` writes it.

    There is no `maxlength`: a browser would cut a pasted address. It is no URLField either: people type
    “shop.example”, and a browser's own check would refuse that.
    """

    default_error_messages = {
        "invalid": gettext_lazy("Enter the address of your shop, such as shop.example.com."),
    }
    widget = forms.TextInput(
        attrs={"autocomplete": "url", "inputmode": "url", "spellcheck": "false"}
    )

    def to_python(self, value: object) -> str:
        try:
            return shop_addresses.normalised(super().to_python(value))
        except ValueError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None
