"""Mails of the account pages: a code that somebody waits for, or word of what has changed."""

from __future__ import annotations

from django.db import models
from django.db.models import Index, Q

from onboarding import clock

from .memo import MemoField
from .outbox import ENDED, Mailed, MailState


class AccountMail(Mailed):
    """A composed mail to one person. It is never sent after `expires_at`, when a code in it is over.

    `content`: the whole mail, encrypted; None once it is sent or refused. `failed`: when a try has last
    failed. No column tells whom it is for.
    """

    content = MemoField(null=True, editable=False)  # type: ignore[misc]
    created = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField()
    failed = models.DateTimeField(null=True, editable=False)

    class Meta:
        indexes = [
            Index(fields=["expires_at"], name="account_mail_expires"),
            Index(
                fields=["mail_retry_at"],
                condition=Q(mailed=None, mail_refused=False),
                name="account_mail_unsent",
            ),
        ]

    def __str__(self) -> str:
        return f"account mail {self.pk}"

    @property
    def is_of_use(self) -> bool:
        return bool(self.expires_at > clock.now())

    @staticmethod
    def also_after_try(state: MailState) -> dict[str, object]:
        return {"content": None} if state in ENDED else {"failed": clock.now()}
