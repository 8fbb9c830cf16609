"""What staff were told by mail: one for each vendor and cause, until it clears."""

from __future__ import annotations

from django.contrib import admin

from onboarding.models import Alert

from .lists import ReadOnly


@admin.register(Alert)
class AlertAdmin(ReadOnly):
    list_display = ("vendor", "cause", "opened", "mailed", "cleared")
    fields = ("vendor", "cause", "opened", "mailed", "cleared")
