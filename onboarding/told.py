"""What is told by one mail: staff hear of what waits for them, merchants of what is about to end."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from . import indexes
from .mails import Mailed


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


class Notice(Mailed):
    """A warning before something ends. A renewal has another end, so warnings of its own."""

    connection = models.ForeignKey("Connection", models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=10)
    expires = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind", "expires"], name="one_notice_of_an_end"
            )
        ]
        indexes = indexes.NOTICE

    def __str__(self) -> str:
        return f"{self.connection}: {self.kind}"
