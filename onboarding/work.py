"""Rows by which workers share their work: leases, and slots in time."""

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
