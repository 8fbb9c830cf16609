"""The log of HTTP calls to vendors, for staff and operators."""

from __future__ import annotations

from django.db import models

from onboarding import clock


class Call(models.Model):
    """One HTTP call to a vendor: no part of its answer, no id and no query string are stored."""

    vendor = models.SlugField(max_length=40)
    host = models.CharField(max_length=255)
    call = models.CharField(max_length=200, help_text="method and path")
    outcome = models.CharField(max_length=20, help_text="status, “time-out” or “no answer”")
    ms = models.PositiveIntegerField()
    at = models.DateTimeField(default=clock.now, db_index=True)
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
