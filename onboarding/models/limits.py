"""Rate limits that are counted in the database, by `people/limits.py`."""

from __future__ import annotations

from django.db import models


class RateLimit(models.Model):
    """How often something was done in a window of time. `key` says what, and holds nothing readable.

    `refused`: whether the security log has it already that there was too much of it in this window.
    """

    key = models.CharField(max_length=100, unique=True)
    used = models.PositiveIntegerField(default=0)
    refused = models.BooleanField(default=False)
    ends_at = models.DateTimeField(db_index=True)
