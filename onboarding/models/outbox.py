"""The outbox: a row of this kind is due until its mail has been sent."""

from __future__ import annotations

from django.db import models


class Mailed(models.Model):
    """A row that is told by one mail.

    `mail_retry_at`: until then somebody is at it, or it failed and rests. A process that dies in between
    leaves `mailed` NULL: rather two mails than none. `mail_tries`: how often somebody was.
    """

    mailed = models.DateTimeField(null=True, blank=True)
    mail_retry_at = models.DateTimeField(null=True, blank=True, editable=False)
    mail_tries = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        abstract = True
