"""Mails as their readers see them: in which groups they can be switched off."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy


class MailGroup(models.TextChoices):
    """What a person can switch off. Whatever belongs to no group is always sent."""

    TURN = "turn", gettext_lazy("When it’s your turn")
    PROBLEMS = "problems", gettext_lazy("When a shop stops working, or its connection ends")
    REMINDERS = "reminders", gettext_lazy("Reminders about a connection you haven’t finished")
