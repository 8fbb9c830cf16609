"""The kinds of mails: what staff call each, and why somebody gets it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

CODE = "code"  # a mail with a code: its reader waits for it, and nobody can compose it again
ALERT = "alert"  # to staff


class Kind(NamedTuple):
    """`label`: for staff's pages. `why`: the sentence of the footer. `templates`: those of its mails, where
    they are not called like the kind."""

    label: _StrPromise
    why: _StrPromise
    templates: tuple[str, ...] = ()


_SAFETY = gettext_lazy("You get this email because it is about the safety of your account.")
_CONNECTING = gettext_lazy("You get this email because you are connecting a shop for %(business)s.")
_TEAM = gettext_lazy(
    "You get this email because you are in the team of %(business)s, and it is about one of its shops."
)
_BEGAN = gettext_lazy("You get this email because you began to connect a shop for %(business)s.")

KINDS: Mapping[str, Kind] = {
    CODE: Kind(
        gettext_lazy("code"),
        gettext_lazy("You get this email because somebody asked for a code with your address."),
        (
            "login_code",
            "reauthentication_code",
            "email_confirmation",
            "email_confirmation_signup",
            "password_reset_code",
        ),
    ),
    "security": Kind(
        gettext_lazy("security"),
        _SAFETY,
        (
            "account_already_exists",
            "email_deleted",
            "factors_reset",
            "guess_warning",
            "password_changed",
            "password_reset",
            "password_set",
            "recovery_codes_generated",
            "totp_activated",
            "totp_deactivated",
            "unknown_account",
            "webauthn_added",
            "webauthn_removed",
        ),
    ),
    "invitation": Kind(
        gettext_lazy("invitation"),
        gettext_lazy("You get this email because somebody invited this address to a team."),
    ),
    "former_address": Kind(
        gettext_lazy("former address"),
        gettext_lazy("You get this email because this address belonged to your account."),
    ),
    "account_closed": Kind(
        gettext_lazy("account closed"),
        gettext_lazy("You get this email because your account was closed."),
    ),
    "business_closed": Kind(
        gettext_lazy("business closed"),
        gettext_lazy("You get this email because you were in the team of this business."),
        ("business_closed", "business_closing"),
    ),
    "owners": Kind(
        gettext_lazy("owners of a business"),
        gettext_lazy("You get this email because you are an owner of this business."),
        ("new_owner", "owner_left"),
    ),
    "request": Kind(
        gettext_lazy("shop system asked for"),
        gettext_lazy("You get this email because this address asked for a shop system."),
    ),
    ALERT: Kind(
        gettext_lazy("alert to staff"),
        gettext_lazy("You get this email because this address is told when staff are needed."),
    ),
    "ready": Kind(gettext_lazy("ready to continue"), _CONNECTING),
    "action_needed": Kind(gettext_lazy("action needed"), _CONNECTING),
    "staff_done": Kind(gettext_lazy("staff have done their part"), _CONNECTING),
    "connected": Kind(gettext_lazy("it is connected"), _TEAM),
    "vendor_back": Kind(gettext_lazy("vendor is back"), _CONNECTING),
    "way_back": Kind(gettext_lazy("the way back"), _CONNECTING),
    "broken": Kind(gettext_lazy("it broke"), _TEAM),
    "healed": Kind(gettext_lazy("it works again"), _TEAM),
    "ends": Kind(gettext_lazy("ends soon"), _TEAM),
    "unfinished": Kind(gettext_lazy("unfinished"), _BEGAN),
}
_BY_TEMPLATE = {name: kind for kind, row in KINDS.items() for name in row.templates or (kind,)}


def kind_of(template: str) -> str:
    """The kind of the mails that this template makes, such as `account/email/login_code`."""
    name = template.rpartition("/")[2]
    return _BY_TEMPLATE.get(name, name)


def label_of(kind: str) -> str:
    return str(KINDS[kind].label) if kind in KINDS else kind.replace("_", " ")


def why(kind: str, business: object) -> str:
    """The sentence of the footer, in the language of now; "" for a kind that is not known."""
    return str(KINDS[kind].why) % {"business": business} if kind in KINDS else ""
