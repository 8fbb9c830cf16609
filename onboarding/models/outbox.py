"""The outbox: the base class of rows that are due until their mail has been sent."""

from __future__ import annotations

from django.db import models

MAX_TRIES = 80  # three days; then an alert tells staff


# The fields of a row whose mail is wanted once more.
WANTED = {"mailed": None, "mail_retry_at": None, "mail_tries": 0, "mail_refused": False}


class MailState(models.TextChoices):
    """What became of the mail of a row."""

    SENT = "sent"
    WAITING = "waiting"  # for its first try or the next one
    REFUSED = "refused"
    GIVEN_UP = "given up"


ENDED = {MailState.SENT, MailState.REFUSED}  # nothing more is tried


class Mailed(models.Model):
    """A row that one mail is sent for.

    `mailed`: when it was sent. `mail_retry_at`: until then a process is sending it, or waits after a
    failure. If that process dies, `mailed` stays NULL: two mails are better than none. `mail_tries`
    counts the tries. `mail_refused`: the mail server refuses the address for good, so there are no more.
    """

    mailed = models.DateTimeField(null=True, blank=True)
    mail_retry_at = models.DateTimeField(null=True, blank=True, editable=False)
    mail_tries = models.PositiveIntegerField(default=0, editable=False)
    mail_refused = models.BooleanField(default=False, editable=False)

    class Meta:
        abstract = True

    @property
    def mail_state(self) -> MailState:
        if self.mailed:
            return MailState.SENT
        if self.mail_refused:
            return MailState.REFUSED
        return MailState.GIVEN_UP if self.mail_tries >= MAX_TRIES else MailState.WAITING

    @property
    def is_of_use(self) -> bool:
        """Whether its mail may still be sent."""
        return True

    @staticmethod
    def also_after_try(state: MailState) -> dict[str, object]:
        """Fields of the row that change with a try: SENT, REFUSED, or WAITING for the next one."""
        return {}
