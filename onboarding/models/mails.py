"""Mails as their readers see them: which groups of them a person does not want."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy


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
