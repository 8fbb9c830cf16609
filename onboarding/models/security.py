"""Security events: who signed in, what was refused, and what changed about people, rights and secrets."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from onboarding import clock


class SecurityEvent(models.Model):
    """One event of the security log.

    `user`: the person it is about; `by`: who did it, if it was somebody else. Neither is known when an
    address without an account was typed. `address`: the IP address of the browser. `detail`: a few plain
    words, such as the new role; never a secret, an email address or a name.
    """

    class Kind(models.TextChoices):
        SIGNED_IN = "signed_in", "signed in"
        SIGNED_OUT = "signed_out", "signed out"
        WRONG_CODE = "wrong_code", "wrong code"
        WRONG_PASSWORD = "wrong_password", "wrong password"
        WRONG_FACTOR = "wrong_factor", "wrong second factor"
        REFUSED = "refused", "refused by a limit"
        CONFIRMED_IDENTITY = "confirmed_identity", "confirmed that it is still them"
        SESSIONS_ENDED = "sessions_ended", "sessions ended"
        ADDRESS_ADDED = "address_added", "email address added"
        ADDRESS_REMOVED = "address_removed", "email address removed"
        ADDRESS_MADE_MAIN = "address_made_main", "main email address changed"
        ADDRESS_RESTORED = "address_restored", "email address restored"
        PASSWORD_CHANGED = "password_changed", "password changed"
        FACTOR_ADDED = "factor_added", "passkey or second factor added"
        FACTOR_REMOVED = "factor_removed", "passkey or second factor removed"
        FACTOR_RESET = "factor_reset", "second factor reset by staff"
        NAME_CHANGED = "name_changed", "name changed"
        BUSINESS_RENAMED = "business_renamed", "business renamed"
        INVITED = "invited", "invited"
        JOINED = "joined", "joined the team"
        ROLE_CHANGED = "role_changed", "role or rights changed"
        MEMBER_REMOVED = "member_removed", "removed from the team"
        SECRETS_SHOWN = "secrets_shown", "secrets shown"
        SECRETS_FORGOTTEN = "secrets_forgotten", "secrets forgotten"
        SHOP_ENDED = "shop_ended", "shop disconnected or removed"
        FOREIGN_RETURN = "foreign_return", "a return in a browser that had not left"
        DATA_EXPORTED = "data_exported", "data exported"
        ACCOUNT_CLOSED = "account_closed", "account closed"
        STAFF_CHANGED = "staff_changed", "staff rights changed"
        ACTIVE_CHANGED = "active_changed", "deactivated or activated by staff"

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
