"""Mails that are due: alerts to staff, notices to merchants, warnings, the waitlist. Each row is one mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Index, Q, QuerySet

from onboarding import clock

from .mails import MailGroup
from .memo import MemoField
from .outbox import MAX_TRIES, Mailed, MailState

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


class Notice(Mailed):
    """One mail to one person about one occasion.

    `at`: when the occasion came, or the end that a warning is about. `not_before`: when the mail's turn
    comes. Without it the row is a promise: what its reader waits for has not happened yet. `step`: which of
    several mails about the same thing it is ("1 hour", "7 days"). `key` makes it once.
    `dropped` and `why`: it is not sent, because it was no longer true or not wanted when its turn came.
    `told_in`: several problems of one business are one mail; this is the row that it was sent for.
    `came_back`: when the team went on after a reminder.
    `asked_again`: when staff had it sent again. Then only what it tells can hold it back, if it is over.
    """

    class Kind(models.TextChoices):
        READY = "ready", "ready to continue"
        ACTION_NEEDED = "action_needed", "action needed"
        STAFF_DONE = "staff_done", "staff have done their part"
        CONNECTED = "connected", "connected"
        WAY_BACK = "way_back", "the way back"
        BROKEN = "broken", "it broke"
        HEALED = "healed", "it healed by itself"
        ENDS = "ends", "it ends soon"
        UNFINISHED = "unfinished", "not finished"

    class Why(models.TextChoices):
        """Why a mail was not sent."""

        SEEN = "seen", "they have seen it"
        OVER = "over", "it is no longer so"
        LEFT = "left", "they are no member any more"
        NOT_WANTED = "not_wanted", "they do not want such mails"

    # The answer to somebody's own wait. The shop's page tells them the rest.
    OF_A_TURN = (Kind.READY, Kind.ACTION_NEEDED, Kind.STAFF_DONE, Kind.CONNECTED)
    GROUPS: ClassVar[dict[str, MailGroup]] = {
        **dict.fromkeys((*OF_A_TURN, Kind.WAY_BACK), MailGroup.TURN),
        **dict.fromkeys((Kind.BROKEN, Kind.HEALED, Kind.ENDS), MailGroup.PROBLEMS),
        Kind.UNFINISHED: MailGroup.REMINDERS,
    }
    # Several of one business are told in one mail.
    TOLD_TOGETHER = (Kind.BROKEN, Kind.HEALED, Kind.ENDS)

    kind = models.CharField(max_length=20, choices=Kind)
    step = models.CharField(max_length=20, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices", db_index=False
    )
    connection = models.ForeignKey(
        "Connection", models.CASCADE, related_name="notices", db_index=False
    )
    attempt = models.ForeignKey(
        "Attempt", models.CASCADE, null=True, blank=True, related_name="notices"
    )
    at = models.DateTimeField(default=clock.now)
    not_before = models.DateTimeField(null=True, blank=True)
    key = models.CharField(max_length=120, unique=True)
    created = models.DateTimeField(default=clock.now)
    dropped = models.DateTimeField(null=True, blank=True)
    why = models.CharField(max_length=20, choices=Why, blank=True)
    told_in = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="also_told"
    )
    came_back = models.DateTimeField(null=True, blank=True)
    asked_again = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            Index(
                fields=["not_before"],
                condition=Q(
                    mailed=None, dropped=None, mail_refused=False, not_before__isnull=False
                ),
                name="notice_due",
            ),
            # what somebody got of late
            Index(fields=["user", "mailed"], name="notice_mailed"),
            Index(fields=["created"], name="notice_created"),
            # a table of long ago had the name that Django would give it
            Index(fields=["connection"], name="notice_connection"),
        ]

    def __str__(self) -> str:
        return f"{self.connection}: {self.get_kind_display()}"

    @property
    def group(self) -> MailGroup:
        return self.GROUPS[self.kind]

    @property
    def is_of_use(self) -> bool:
        return self.dropped is None and self.not_before is not None

    @classmethod
    def unsent(cls) -> QuerySet[Notice]:
        """Those that may still be sent, due or not."""
        tried = {"mail_refused": False, "mail_tries__lt": MAX_TRIES}
        return cls.objects.filter(mailed=None, dropped=None, **tried)

    @classmethod
    def promised(cls, attempt: Attempt) -> Notice | None:
        """The mail that somebody will get when the wait of this attempt is over."""
        return cls.unsent().filter(attempt=attempt, kind__in=cls.OF_A_TURN, not_before=None).first()


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
    `dropped`: when the vendor was back and they did not want that mail.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    merchant = models.ForeignKey("Merchant", models.CASCADE, related_name="+")
    connector = models.ForeignKey("Connector", models.CASCADE, related_name="+")
    typed = MemoField(default=dict, editable=False)
    asked = models.DateTimeField(default=clock.now)
    dropped = models.DateTimeField(null=True, blank=True, editable=False)

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

    @property
    def is_of_use(self) -> bool:
        return self.dropped is None

    @property
    def is_waiting(self) -> bool:
        """Whether the vendor has not been back since."""
        return self.is_of_use and self.mail_state == MailState.WAITING
