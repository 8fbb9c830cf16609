"""Who waits for which vendor since when, and when they were told that it is back."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from onboarding.models import WaitlistEntry

from .lists import Fixed, ReadOnly, Rows, merchants_like


class WaitingFilter(Fixed):
    title = gettext_lazy("who waits")
    parameter_name = "waiting"
    choices_there = (("1", gettext_lazy("only those who were not told yet")),)

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        return queryset.filter(mailed=None) if self.value() else queryset


@admin.register(WaitlistEntry)
class StandbyAdmin(ReadOnly):
    """Not what they typed: that is theirs."""

    secret = ("typed",)
    list_display = ("user", "merchant", "connector", "vendor", "asked", "mailed")
    list_filter = (WaitingFilter,)
    list_select_related = ("user", "merchant", "connector")
    fields = list_display
    search_fields = ("user__email",)
    search_help_text = gettext_lazy("A merchant, or the beginning of an e-mail address.")

    def columns(self, term: str) -> Iterable[Rows]:
        yield WaitlistEntry.objects.filter(merchant__in=merchants_like(term))
        yield WaitlistEntry.objects.filter(user__email__startswith=term.lower())

    @admin.display(description=gettext_lazy("vendor"))
    def vendor(self, row: WaitlistEntry) -> str:
        return row.connector.vendor
