"""Alerts mailed to staff: one for each vendor and cause, open until it clears."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy

from onboarding.models import Alert
from onboarding.notifications.causes import explain

from .base import ReadOnlyAdmin


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = ("what", "vendor", "opened", "mailed", "cleared")
    fields = ("what", "to_do", "vendor", "cause", "opened", "mailed", "cleared")

    @admin.display(description=gettext_lazy("what happened"))
    def what(self, alert: Alert) -> str:
        return explain(alert.vendor, alert.cause).what

    @admin.display(description=gettext_lazy("what to do"))
    def to_do(self, alert: Alert) -> str:
        return explain(alert.vendor, alert.cause).to_do
