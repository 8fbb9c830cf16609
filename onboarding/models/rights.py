"""What closing an account or a business leaves to do: mails that are due, and what to ask of vendors."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Index, Q
from django.urls import reverse

from onboarding import clock

from .memo import MemoField
from .merchants import unguessable
from .outbox import Mailed


class ErasureTask(models.Model):
    """What staff ask a vendor to delete, by hand, because no call does it.

    It is about a business that is being closed or, with `user`, about somebody who has closed their
    account. `text` has the ids at the vendor; it is emptied when the task is done.
    """

    merchant = models.ForeignKey("Merchant", models.CASCADE, related_name="erasure_tasks")
    vendor = models.SlugField(max_length=40)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    text = models.TextField()
    created = models.DateTimeField(default=clock.now)
    done = models.DateTimeField(null=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "vendor"],
                condition=Q(user=None),
                name="one_erasure_task_of_a_business",
            ),
            models.UniqueConstraint(
                fields=["merchant", "vendor", "user"], name="one_erasure_task_of_a_person"
            ),
        ]
        indexes = [Index(fields=["vendor"], condition=Q(done=None), name="erasure_task_open")]

    def __str__(self) -> str:
        return f"{self.vendor} · {self.merchant.reference}"


class ClosingMail(Mailed):
    """A mail about an account or a business that was closed, or a team whose owners have changed.

    `reader`: the address and what the mail names, such as the business; it becomes NULL as soon as the mail
    is sent or given up. `facts`: what the receipt's page says, without a name. `reference` opens that
    page to whoever has it: it holds nothing personal.
    """

    class Kind(models.TextChoices):
        ACCOUNT_CLOSED = "account_closed", "receipt of a closed account"
        CLOSING = "business_closing", "a business is being closed"
        BUSINESS_CLOSED = "business_closed", "receipt of a closed business"
        OWNER_LEFT = "owner_left", "an owner has left"
        NEW_OWNER = "new_owner", "an owner has left, and this member is an owner now"

    RECEIPTS = (Kind.ACCOUNT_CLOSED, Kind.BUSINESS_CLOSED)

    kind = models.CharField(max_length=20)  # of Kind: a new kind needs no migration
    reference = models.CharField(max_length=32, unique=True, default=unguessable, editable=False)
    reader = MemoField(null=True, default=None, editable=False)  # type: ignore[misc]
    merchant = models.ForeignKey("Merchant", models.SET_NULL, null=True, related_name="+")
    facts = models.JSONField(default=dict)
    created = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            Index(fields=["created"], condition=Q(mailed=None), name="closing_mail_unsent"),
        ]

    def __str__(self) -> str:
        return f"{self.Kind(self.kind).label} {self.reference[:8]}"

    def get_absolute_url(self) -> str:
        return reverse("receipt", args=[self.reference])
