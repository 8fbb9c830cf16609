"""Coordination between processes: leases, periodic slots, worker heartbeats, circuit breakers."""

from __future__ import annotations

from datetime import timedelta

from django.db import models

from onboarding import clock


class Leased(models.Model):
    """A row on which one process at a time holds a lease that expires (journey/leases.py)."""

    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    lease_token = models.CharField(max_length=40, blank=True, editable=False)

    class Meta:
        abstract = True


class Operator(Leased):
    """The operator's own account at a vendor: its lease serialises the creations of all merchants."""

    vendor = models.SlugField(max_length=40, unique=True)


class Slot(models.Model):
    """A slot of periodic work, or a form of staff: the unique key lets one process do it."""

    key = models.CharField(max_length=100, unique=True)
    at = models.DateTimeField(default=clock.now)


class Worker(models.Model):
    """A worker process, its last heartbeat, and how far its own clock is ahead of the database's."""

    name = models.CharField(max_length=100, unique=True, help_text="host:process")
    at = models.DateTimeField(default=clock.now)
    skew = models.DurationField(default=timedelta)


class Breaker(models.Model):
    """The circuit breaker of one host of a vendor, shared by all processes.

    `failures` counts them in a row. `opened`: since when the host does not do its work, or (`cause`
    "credentials") refuses the operator's credentials. `retry_at`: nobody calls the host before; then one
    call probes it. `failing`: the kinds of calls (method and path template) that failed and have not
    worked since. `asked_until`: the vendor asked us to wait until then.
    """

    class Cause(models.TextChoices):
        SILENT = "silent", "not answering"
        FAULTY = "faulty", "reports faults of its own"
        BUSY = "busy", "asks us to wait"
        CREDENTIALS = "credentials", "refuses our credentials"

    vendor = models.SlugField(max_length=40)
    host = models.CharField(max_length=255)
    failures = models.PositiveIntegerField(default=0)
    cause = models.CharField(max_length=20, choices=Cause, blank=True)
    opened = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    failing = models.JSONField(default=list, blank=True)
    asked_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["vendor", "host"], name="one_breaker_a_host")
        ]

    def __str__(self) -> str:
        return f"{self.vendor} · {self.host}"
