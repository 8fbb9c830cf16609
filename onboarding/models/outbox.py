"""The outbox: the base class of rows that are due until their mail has been sent."""

from __future__ import annotations

from django.db import models


class Mailed(models.Model):
    """A row that one mail is sent for.

    `mailed`: when it was sent. `mail_retry_at`: until then a process is sending it, or waits after a
    failure. If that process dies, `mailed` stays NULL: two mails are better than none. `mail_tries`
    counts the tries.
    """

    mailed = models.DateTimeField(null=True, blank=True)
    mail_retry_at = models.DateTimeField(null=True, blank=True, editable=False)
    mail_tries = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        abstract = True
