"""Merchants, their members with roles, and invitations to join."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from onboarding import clock

from .outbox import Mailed
from .references import reference
from .users import User

INVITATION_DAYS = 7
OPEN = Q(accepted=None, revoked=None)  # an invitation that can still be accepted


class Merchant(models.Model):
    """A business. `reference` is what vendors know it by; it is never used again.

    `closing_since`: it is being closed, and has no members any more. `closed_at`: its shops are
    disconnected, vendors were asked, and everything that it had is erased; the empty row stays.
    """

    reference = models.CharField(max_length=20, unique=True, default=reference, editable=False)
    name = models.CharField(max_length=200)
    language = models.CharField(max_length=10, default="en")
    created = models.DateTimeField(default=clock.now, editable=False)
    closing_since = models.DateTimeField(null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    members = models.ManyToManyField(User, through="Membership", related_name="merchants")

    class Meta:
        indexes = [
            models.Index(
                fields=["closing_since"],
                condition=Q(closing_since__isnull=False, closed_at=None),
                name="merchant_closing",
            )
        ]

    def __str__(self) -> str:
        return gettext("a closed business") if self.closed_at else self.name

    def get_absolute_url(self) -> str:
        return reverse("home", args=[self.reference])


def unguessable() -> str:
    """128 random bits in hex."""
    return secrets.token_hex(16)


def invitation_expiry() -> datetime:
    return clock.now() + timedelta(days=INVITATION_DAYS)


class Membership(models.Model):
    """A user's role in a merchant's team.

    `may_see_secrets`: an owner has given this member the right to see, download and forget a shop's
    keys and secrets. Owners always have it.
    """

    class Role(models.TextChoices):
        OWNER = "owner", gettext_lazy("Owner")
        MEMBER = "member", gettext_lazy("Member")

    merchant = models.ForeignKey("Merchant", models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    may_see_secrets = models.BooleanField(gettext_lazy("may see secrets"), default=False)
    created = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["merchant", "user"], name="one_membership")]

    def __str__(self) -> str:
        return f"{self.user} · {self.merchant}"

    @classmethod
    def active(cls, merchant_id: int) -> QuerySet[Membership]:
        """Those of a business whose user can sign in."""
        return cls.objects.filter(merchant=merchant_id, user__is_active=True)

    @property
    def owns(self) -> bool:
        return self.role == self.Role.OWNER

    @property
    def sees_secrets(self) -> bool:
        return self.owns or self.may_see_secrets


class Invitation(Mailed):
    """An invitation by mail to join a merchant's team; `email` is in lower case.

    `reference` is part of the mailed link, so it ends up in logs, proxies and histories. It only opens a
    page that says who invites to what: to accept, one has to be signed in with the invited address,
    verified. So it is not a secret, and is stored as it is.
    """

    merchant = models.ForeignKey("Merchant", models.CASCADE, related_name="invitations")
    reference = models.CharField(max_length=32, unique=True, default=unguessable, editable=False)
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Membership.Role, default=Membership.Role.MEMBER)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField(default=invitation_expiry)
    accepted = models.DateTimeField(null=True, blank=True)
    revoked = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created"]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(mailed=None), name="invitation_unsent")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "email"],
                condition=Q(accepted=None, revoked=None),
                name="one_open_invitation",
            )
        ]

    def __str__(self) -> str:
        return f"{self.email} · {self.merchant}"

    @property
    def expired(self) -> bool:
        return self.expires_at <= clock.now()

    def get_absolute_url(self) -> str:
        return reverse("invitation", args=[self.reference])
