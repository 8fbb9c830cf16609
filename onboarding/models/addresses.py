"""Addresses that were added to an account, and those that may undo being replaced or removed."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.crypto import salted_hmac

from onboarding import clock

from .merchants import unguessable
from .outbox import Mailed

UNDO_DAYS = 7
SALT = "onboarding.former-address"


def undo_expiry() -> datetime:
    return clock.now() + timedelta(days=UNDO_DAYS)


class AddedAddress(models.Model):
    """An address that was added after the account was made, and when: allauth does not store that."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    email = models.EmailField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "email"], name="one_added_address")]

    def __str__(self) -> str:
        return self.email


class FormerAddress(Mailed):
    """An address that was removed or is no longer the main one. Its mailbox may undo that until `expires_at`.

    `reference` is part of the mailed link. The link's other part, a keyed hash, is made from it and is
    stored nowhere (people/former_addresses.py). `ended`: when it was used, or made useless by another one.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="former_addresses"
    )
    reference = models.CharField(max_length=32, unique=True, default=unguessable, editable=False)
    email = models.EmailField()
    was_removed = models.BooleanField()
    at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(default=undo_expiry)
    ended = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.email

    @property
    def key(self) -> str:
        """The part of the link that shows who reads the mailbox: a keyed hash, stored nowhere."""
        return salted_hmac(SALT, f"{self.reference} {self.email}", algorithm="sha256").hexdigest()

    def get_absolute_url(self) -> str:
        """The page's address. The key is in the query, which no log contains."""
        return f"{reverse('take-back', args=[self.reference])}?key={self.key}"
