"""What went to vendors and how they answered; and who waits to hear that a vendor is back."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from .mails import Mailed
from .memo import MemoField


class Call(models.Model):
    """One call to a vendor, for staff and operators: nothing of its answer, no id, no query."""

    vendor = models.SlugField(max_length=40)
    host = models.CharField(max_length=255)
    call = models.CharField(max_length=200, help_text="method and path")
    outcome = models.CharField(max_length=20, help_text="status, “time-out” or “no answer”")
    ms = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now, db_index=True)
    connection = models.ForeignKey(
        "Connection", models.CASCADE, null=True, blank=True, related_name="calls"
    )
    attempt = models.ForeignKey(
        "Attempt", models.SET_NULL, null=True, blank=True, related_name="calls"
    )
    reference = models.CharField(max_length=20, blank=True, help_text="of the request, to quote")

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.call}: {self.outcome} in {self.ms} ms"


class Standby(Mailed):
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
                condition=models.Q(mailed=None),
                name="one_standby",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.connector}"
