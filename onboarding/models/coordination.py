"""Rows by which processes share their work: leases, slots in time, who lives, which host rests."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Leased(models.Model):
    """A row that one worker at a time holds, for so long (journey/leases.py)."""

    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    lease_token = models.CharField(max_length=40, blank=True, editable=False)

    class Meta:
        abstract = True


class Operator(Leased):
    """The operator's own account at a vendor, where merchants' creations must wait for each other."""

    vendor = models.SlugField(max_length=40, unique=True)


class Slot(models.Model):
    """Periodic work: a unique key for each slot in time, so any number of workers may run."""

    key = models.CharField(max_length=100, unique=True)
    at = models.DateTimeField(default=timezone.now)


class Worker(models.Model):
    """A worker process and when it was last seen alive."""

    name = models.CharField(max_length=100, unique=True, help_text="host:process")
    at = models.DateTimeField(default=timezone.now)


class Breaker(models.Model):
    """One host of a vendor, as all processes see it: written when it fails, read before a call.

    `failures` in a row; `opened`: since then it has not been answering, or (`cause` "credentials")
    has refused the operator's; `retry_at`: nobody calls it before; then one call tries.
    """

    class Cause(models.TextChoices):
        SILENT = "silent", "not answering"
        CREDENTIALS = "credentials", "refuses our credentials"

    vendor = models.SlugField(max_length=40)
    host = models.CharField(max_length=255)
    failures = models.PositiveIntegerField(default=0)
    cause = models.CharField(max_length=20, choices=Cause, blank=True)
    opened = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["vendor", "host"], name="one_breaker_a_host")
        ]

    def __str__(self) -> str:
        return f"{self.vendor} · {self.host}"
