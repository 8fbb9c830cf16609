"""The waitlist: who is waiting for which vendor, since when, and when they were mailed."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from onboarding.models import WaitlistEntry

from .base import ReadOnlyAdmin
from .changelist import AnyQuerySet, FixedFilter, merchants_like


class WaitingFilter(FixedFilter):
    title = gettext_lazy("who is waiting")
    parameter_name = "waiting"
    fixed_choices = (("1", gettext_lazy("not emailed yet")),)

    def queryset(self, request: HttpRequest, queryset: AnyQuerySet) -> AnyQuerySet:
        return queryset.filter(mailed=None, dropped=None) if self.value() else queryset


@admin.register(WaitlistEntry)
class WaitlistEntryAdmin(ReadOnlyAdmin):
    """Without what people had typed: that is not for staff."""

    deferred = ("typed",)
    list_display = ("user", "merchant", "connector", "vendor", "asked", "mailed")
    list_filter = (WaitingFilter,)
    list_select_related = ("user", "merchant", "connector")
    fields = list_display
    search_fields = ("user__email",)
    search_help_text = gettext_lazy("A merchant’s name, or the start of an email address.")

    def search_querysets(self, term: str) -> Iterable[AnyQuerySet]:
        yield WaitlistEntry.objects.filter(merchant__in=merchants_like(term))
        yield WaitlistEntry.objects.filter(user__email__startswith=term.lower())

    @admin.display(description=gettext_lazy("vendor"))
    def vendor(self, entry: WaitlistEntry) -> str:
        return entry.connector.vendor
