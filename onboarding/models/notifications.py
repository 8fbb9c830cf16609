"""Mails that are due: alerts to staff, warnings, the waitlist, attempts. Each row is one mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Exists, Index, OuterRef, Q, QuerySet

from onboarding import clock

from .memo import MemoField
from .merchants import Membership
from .outbox import WANTED, Mailed, MailState
from .status import Status

if TYPE_CHECKING:
    from .connections import Attempt

TASK = "task"  # the cause of an alert: staff have to do something by hand


class Alert(Mailed):
    """An alert to staff: one mail for each vendor and cause, until it clears."""

    vendor = models.SlugField(max_length=40)
    cause = models.CharField(max_length=100)
    opened = models.DateTimeField(default=clock.now)
    cleared = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["vendor", "cause"], condition=Q(cleared=None), name="one_open_alert"
            )
        ]

    def __str__(self) -> str:
        return f"{self.vendor}: {self.cause}"

    @classmethod
    def open(cls, vendor: str, cause: str) -> None:
        """Open the alert for this vendor and cause, unless it is open."""
        cls.objects.get_or_create(vendor=vendor, cause=cause, cleared=None)


class ExpiryWarning(Mailed):
    """A warning before a connection expires. A renewal has another expiry, so it has its own warnings."""

    connection = models.ForeignKey("Connection", models.CASCADE, related_name="expiry_warnings")
    kind = models.CharField(max_length=10)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind", "expires_at"], name="one_warning_of_an_end"
            )
        ]
        indexes = [
            Index(fields=["expires_at"], condition=Q(mailed=None), name="expiry_warning_unsent")
        ]

    def __str__(self) -> str:
        return f"{self.connection}: {self.kind}"


class PromisedMail(Mailed):
    """What we promised a merchant when an attempt became staff's turn, or when they had waited long: a mail
    when it is done, or when it is their turn again."""

    attempt = models.OneToOneField("Attempt", models.CASCADE, related_name="promised_mail")
    promised = models.DateTimeField(default=clock.now)

    @classmethod
    def promise(cls, attempt: Attempt) -> None:
        """Promise the mail once more if it was sent for an earlier turn of staff."""
        row, is_new = cls.objects.get_or_create(attempt=attempt)
        if not is_new and row.mail_state != MailState.WAITING:
            cls.objects.filter(pk=row.pk).update(promised=clock.now(), **WANTED)

    @classmethod
    def is_promised(cls, attempt: Attempt) -> bool:
        """Whether the mail will still be sent: a page says so only then."""
        row = cls.objects.filter(attempt=attempt).first()
        return row is not None and row.mail_state == MailState.WAITING

    class Meta:
        indexes = [
            Index(fields=["promised"], condition=Q(mailed=None), name="promised_mail_unsent")
        ]

    def __str__(self) -> str:
        return str(self.attempt)


class AttemptMail(Mailed):
    """A mail about an attempt, at most one of each kind.

    `WAY_BACK`: the link to the attempt's page, to `user`, who left for a vendor that sends nobody back.
    `CONFIRMED`: the shop that was set up is confirmed now, to all members.
    """

    class Kind(models.TextChoices):
        WAY_BACK = "way_back", "the way back"
        CONFIRMED = "confirmed", "confirmed"

    attempt = models.ForeignKey("Attempt", models.CASCADE, related_name="mails")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", null=True)
    kind = models.CharField(max_length=20, choices=Kind)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["attempt", "kind"], name="one_mail_of_an_attempt")
        ]
        indexes = [Index(fields=["kind"], condition=Q(mailed=None), name="attempt_mail_unsent")]

    def __str__(self) -> str:
        return f"{self.attempt}: {self.kind}"

    @classmethod
    def wanted(cls) -> QuerySet[AttemptMail]:
        """Those that are still of use, sent or not: no way back to what has ended or is no longer theirs,
        and no word of a shop that is no longer connected."""
        merchant = OuterRef("attempt__connection__account__merchant")
        is_member = Exists(Membership.objects.filter(merchant=merchant, user=OuterRef("user")))
        is_needed = Q(attempt__ended=None, user__is_active=True) & is_member
        way_back = Q(kind=cls.Kind.WAY_BACK) & is_needed
        confirmed = Q(kind=cls.Kind.CONFIRMED, attempt__connection__status=Status.CONNECTED)
        return cls.objects.filter(confirmed | way_back)


class GuessWarning(Mailed):
    """Strangers have entered many wrong codes for somebody's address."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [Index(fields=["at"], condition=Q(mailed=None), name="guess_warning_unsent")]

    def __str__(self) -> str:
        return str(self.user)


class WaitlistEntry(Mailed):
    """Somebody on the waitlist of a vendor that is down: one mail when it is back, with a link to resume.

    `typed`: what was entered in the form, without secrets; the form shows it again when they resume.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    merchant = models.ForeignKey("Merchant", models.CASCADE, related_name="+")
    connector = models.ForeignKey("Connector", models.CASCADE, related_name="+")
    typed = MemoField(default=dict, editable=False)
    asked = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name_plural = "waitlist entries"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "merchant", "connector"],
                condition=Q(mailed=None),
                name="one_waitlist_entry",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.connector}"
