"""The log of HTTP calls to vendors, for staff and operators, and the hourly counts of older ones."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Index, Q
from django.db.models.functions import Greatest

from onboarding import clock

# Of `Call.outcome`: a status that is no error. Every other outcome is a failure.
WENT_WELL = Q(outcome__gte="2", outcome__lt="4")


class Call(models.Model):
    """One HTTP call to a vendor: no part of its answer, no id and no query string are stored."""

    vendor = models.SlugField(max_length=40, db_index=False)
    host = models.CharField(max_length=255)
    call = models.CharField(max_length=200, help_text="method and path")
    outcome = models.CharField(max_length=20, help_text="status, “time-out” or “no answer”")
    ms = models.PositiveIntegerField()
    at = models.DateTimeField(default=clock.now)
    connection = models.ForeignKey(
        "Connection", models.CASCADE, null=True, blank=True, related_name="calls"
    )
    attempt = models.ForeignKey(
        "Attempt", models.SET_NULL, null=True, blank=True, related_name="calls"
    )
    reference = models.CharField(max_length=20, blank=True, help_text="of the request, to quote")

    class Meta:
        ordering = ["at", "pk"]
        indexes = [
            # what is counted by the hour (background/folding.py), and what is kept much longer
            Index(fields=["at"], condition=WENT_WELL, name="call_went_well"),
            Index(fields=["at"], condition=~WENT_WELL, name="call_failed"),
        ]

    def __str__(self) -> str:
        return f"{self.call}: {self.outcome} in {self.ms} ms"


class HourlyCalls(models.Model):
    """How many calls of one kind went well in an hour. Nothing tells which shops they were for.

    `total_ms` and `longest_ms`: how long all of them together and the longest one took.
    """

    vendor = models.SlugField(max_length=40, db_index=False)
    host = models.CharField(max_length=255)
    call = models.CharField(max_length=200, help_text="method and path")
    outcome = models.CharField(max_length=20, help_text="status")
    hour = models.DateTimeField(help_text="when it began")
    calls = models.PositiveIntegerField(default=0)
    total_ms = models.PositiveBigIntegerField(default=0)
    longest_ms = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "hourly count of calls"
        verbose_name_plural = "hourly counts of calls"
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "vendor", "host", "call", "outcome"], name="one_count_an_hour"
            )
        ]

    def __str__(self) -> str:
        return f"{self.call}: {self.outcome}"

    def add(self, calls: int, total_ms: int, longest_ms: int) -> None:
        """Add more calls of this kind and hour."""
        HourlyCalls.objects.filter(pk=self.pk).update(
            calls=F("calls") + calls,
            total_ms=F("total_ms") + total_ms,
            longest_ms=Greatest(F("longest_ms"), longest_ms),
        )
