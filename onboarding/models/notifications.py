"""Alerts to staff, warnings before something ends, and the waitlist: each is told by one mail."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Index, Q
from django.utils import timezone

from .memo import MemoField
from .outbox import Mailed

TASK = "task"  # the cause of an alert: something is to be done by hand


class Alert(Mailed):
    """One mail to staff for each vendor and cause, until it clears."""

    vendor = models.SlugField(max_length=40)
    cause = models.CharField(max_length=100)
    opened = models.DateTimeField(default=timezone.now)
    cleared = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["vendor", "cause"], condition=Q(cleared=None), name="one_open_alert"
            )
        ]

    def __str__(self) -> str:
        return f"{self.vendor}: {self.cause}"


class ExpiryWarning(Mailed):
    """A warning before something ends. A renewal has another end, so warnings of its own."""

    connection = models.ForeignKey("Connection", models.CASCADE, related_name="expiry_warnings")
    kind = models.CharField(max_length=10)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind", "expires_at"], name="one_warning_of_an_end"
            )
        ]
        indexes = [
            Index(fields=["expires_at"], condition=Q(mailed=None), name="expiry_warning_unsent")
        ]

    def __str__(self) -> str:
        return f"{self.connection}: {self.kind}"


class WaitlistEntry(Mailed):
    """Somebody who left it with us: mailed once when the vendor is back, with a link that resumes.

    `typed`: what stood in the check page's form, but no secret; it is there again when they resume.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    merchant = models.ForeignKey("Merchant", models.CASCADE, related_name="+")
    connector = models.ForeignKey("Connector", models.CASCADE, related_name="+")
    typed = MemoField(default=dict, editable=False)
    asked = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "merchant", "connector"],
                condition=Q(mailed=None),
                name="one_waitlist_entry",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.connector}"
