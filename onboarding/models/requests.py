"""Requests for shop systems that are not offered: who asked, for what, and the mail when it is."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Index, Q

from onboarding import clock

from .outbox import Mailed


class ConnectorRequest(Mailed):
    """Somebody asked for a shop system: a row for each name and address, and one mail when it is offered.

    `key`: what names are compared by (catalogue/names.py). `platform`: its slug, where staff have said which
    shop system the name stands for. `country` is as it was typed, and may be empty.
    """

    name = models.CharField(max_length=100)
    key = models.CharField(max_length=100, editable=False)
    email = models.EmailField()
    country = models.CharField(max_length=60, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    language = models.CharField(max_length=10, default="en", editable=False)
    platform = models.SlugField(
        max_length=60, blank=True, help_text="the shop system that this name stands for"
    )
    created = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "email"], name="one_request_of_an_address")
        ]
        indexes = [
            Index(fields=["key"], condition=Q(mailed=None), name="request_unsent"),
            Index(fields=["email"], name="request_email"),
        ]

    def __str__(self) -> str:
        return self.name
