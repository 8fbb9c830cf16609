"""Alerts mailed to staff: one for each vendor and cause, open until it clears."""

from __future__ import annotations

from django.contrib import admin

from onboarding.models import Alert

from .base import ReadOnlyAdmin


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = ("vendor", "cause", "opened", "mailed", "cleared")
    fields = ("vendor", "cause", "opened", "mailed", "cleared")
