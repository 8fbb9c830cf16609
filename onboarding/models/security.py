"""Security events: who signed in, what was refused, and what changed about people, rights and secrets."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy

from onboarding import clock


class SecurityEvent(models.Model):
    """One event of the security log.

    `user`: the person it is about; `by`: who did it, if it was somebody else. Neither is known when an
    address without an account was typed. `address`: the IP address of the browser. `detail`: a few plain
    words, such as the new role; never a secret, an email address or a name.
    """

    class Kind(models.TextChoices):
        SIGNED_IN = "signed_in", gettext_lazy("signed in")
        SIGNED_OUT = "signed_out", gettext_lazy("signed out")
        WRONG_CODE = "wrong_code", gettext_lazy("wrong code")
        WRONG_PASSWORD = "wrong_password", gettext_lazy("wrong password")
        WRONG_FACTOR = "wrong_factor", gettext_lazy("wrong second factor")
        REFUSED = "refused", gettext_lazy("refused by a limit")
        CONFIRMED_IDENTITY = "confirmed_identity", gettext_lazy("confirmed that it is still them")
        SESSIONS_ENDED = "sessions_ended", gettext_lazy("sessions ended")
        ADDRESS_ADDED = "address_added", gettext_lazy("email address added")
        ADDRESS_REMOVED = "address_removed", gettext_lazy("email address removed")
        ADDRESS_MADE_MAIN = "address_made_main", gettext_lazy("main email address changed")
        ADDRESS_RESTORED = "address_restored", gettext_lazy("email address restored")
        PASSWORD_CHANGED = "password_changed", gettext_lazy("password changed")
        FACTOR_ADDED = "factor_added", gettext_lazy("passkey or second factor added")
        FACTOR_REMOVED = "factor_removed", gettext_lazy("passkey or second factor removed")
        FACTOR_RESET = "factor_reset", gettext_lazy("second factor reset by staff")
        NAME_CHANGED = "name_changed", gettext_lazy("name changed")
        BUSINESS_RENAMED = "business_renamed", gettext_lazy("business renamed")
        INVITED = "invited", gettext_lazy("invited")
        JOINED = "joined", gettext_lazy("joined the team")
        ROLE_CHANGED = "role_changed", gettext_lazy("role or rights changed")
        MEMBER_REMOVED = "member_removed", gettext_lazy("removed from the team")
        SECRETS_SHOWN = "secrets_shown", gettext_lazy("secrets shown")
        SECRETS_FORGOTTEN = "secrets_forgotten", gettext_lazy("secrets forgotten")
        SHOP_ENDED = "shop_ended", gettext_lazy("shop disconnected or removed")
        FOREIGN_RETURN = "foreign_return", gettext_lazy("a return in a browser that had not left")
        DATA_EXPORTED = "data_exported", gettext_lazy("data exported")
        ACCOUNT_CLOSED = "account_closed", gettext_lazy("account closed")
        STAFF_CHANGED = "staff_changed", gettext_lazy("staff rights changed")
        ACTIVE_CHANGED = "active_changed", gettext_lazy("deactivated or activated by staff")

    # What is worth an alert to staff when it is much: settings.SECURITY_ALERTS.
    WRONG = (Kind.WRONG_CODE, Kind.WRONG_PASSWORD, Kind.WRONG_FACTOR)
    REFUSALS = (*WRONG, Kind.REFUSED, Kind.FOREIGN_RETURN)

    at = models.DateTimeField(default=clock.now, db_index=True)
    kind = models.CharField(max_length=30)  # of Kind: a new kind needs no migration
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="security_events"
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    merchant = models.ForeignKey(
        "Merchant", models.SET_NULL, null=True, related_name="security_events"
    )
    address = models.GenericIPAddressField(null=True)
    reference = models.CharField(max_length=20, blank=True)
    detail = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["kind", "at"], name="security_event_kind")]

    def __str__(self) -> str:
        return str(dict(self.Kind.choices).get(self.kind, self.kind))
