"""Mails as people see them: which groups they do not want, what became of each, and refused addresses."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Index, Q
from django.utils.translation import gettext_lazy

from onboarding import clock


class MailGroup(models.TextChoices):
    """What a person can switch off. Whatever belongs to no group is always sent."""

    TURN = "turn", gettext_lazy("When it’s your turn")
    PROBLEMS = "problems", gettext_lazy("When a shop stops working, or its connection ends")
    REMINDERS = "reminders", gettext_lazy("Reminders about a connection you haven’t finished")


class MailChoice(models.Model):
    """This person does not want mails of this group: about one business or, without one, about any."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="mail_choices")
    merchant = models.ForeignKey("Merchant", models.CASCADE, related_name="+", null=True)
    group = models.CharField(max_length=20)  # of MailGroup: a new group needs no migration

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "merchant", "group"], name="one_mail_choice_of_a_business"
            ),
            models.UniqueConstraint(
                fields=["user", "group"], condition=Q(merchant=None), name="one_mail_choice_of_all"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.group}"


class MailOutcome(models.TextChoices):
    """What became of a mail."""

    SENT = "sent", "sent"
    WAITING = "waiting", "waiting for its next try"
    REFUSED = "refused", "refused"
    GIVEN_UP = "given_up", "given up"
    NOT_WANTED = "not_wanted", "not wanted any more"


class MailRecord(models.Model):
    """A line of the mail log: one mail to one address, from its first try on. It has no word of the mail.

    `source` and `row`: the model and the primary key of the row that is mailed for, if it is still there.
    `tried`: when it was last tried. `reason`: why it has not left, in plain words.
    """

    to = models.EmailField()
    kind = models.CharField(max_length=40)  # of notifications/kinds.py
    language = models.CharField(max_length=10, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, related_name="+", null=True)
    merchant = models.ForeignKey("Merchant", models.SET_NULL, related_name="+", null=True)
    asked = models.DateTimeField(default=clock.now)
    tries = models.PositiveIntegerField(default=0)
    tried = models.DateTimeField(default=clock.now)
    sent = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=20, choices=MailOutcome, default=MailOutcome.WAITING)
    reason = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=40, editable=False)
    row = models.BigIntegerField(editable=False)

    class Meta:
        verbose_name = "email"
        verbose_name_plural = "emails"
        indexes = [
            Index(fields=["to"], name="mail_record_to"),
            Index(fields=["asked"], name="mail_record_asked"),
            Index(fields=["source", "row"], name="mail_record_row"),
            Index(fields=["tried"], condition=Q(outcome="waiting"), name="mail_record_waiting"),
        ]

    def __str__(self) -> str:
        return self.to


class RefusedAddress(models.Model):
    """An address of a person that a mail server has refused for good. The row goes when it works again.

    `answer`: what the mail server said, shortened.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="refused_addresses"
    )
    email = models.EmailField()
    at = models.DateTimeField(default=clock.now)
    answer = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "refused addresses"
        constraints = [
            models.UniqueConstraint(fields=["user", "email"], name="one_refused_address")
        ]
        indexes = [Index(fields=["email"], name="refused_address_email")]

    def __str__(self) -> str:
        return self.email
