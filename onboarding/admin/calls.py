"""Calls to a vendor: the newest of a row, those of each hour, and its hosts' circuit breakers.

All of it is from the database alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext, gettext_lazy, ngettext

from onboarding import clock, registry
from onboarding.models import Breaker, Call, HourlyCalls
from onboarding.moments import whole_minute

from .base import ReadOnlyAdmin
from .changelist import VendorFilter
from .tables import Table, exact_moment, moment

LISTED = 30  # calls


def calls_table(calls: QuerySet[Call]) -> Table:
    """The newest calls, the newest first."""
    return Table(
        id="gw-calls",
        title=gettext("Calls to the vendor"),
        columns=(
            gettext("Call"),
            gettext("Answer"),
            gettext("Milliseconds"),
            gettext("When"),
            gettext("Reference"),
        ),
        rows=[_call_cells(call) for call in calls.order_by("-pk")[:LISTED]],
        empty=gettext("None yet."),
        note=ngettext(
            "Calls that went well are listed for a day, failures for longer.",
            "Calls that went well are listed for %(days)s days, failures for longer.",
            settings.CALL_DETAIL_DAYS,
        )
        % {"days": settings.CALL_DETAIL_DAYS},
    )


def _call_cells(call: Call) -> tuple[str, ...]:
    reference = "" if call.reference == "-" else call.reference
    return call.call, call.outcome, str(call.ms), exact_moment(call.at), reference


@admin.register(HourlyCalls)
class HourlyCallsAdmin(ReadOnlyAdmin):
    """What is left of calls that went well, once they are folded (background/folding.py)."""

    list_display = ("began", "vendor_name", "call", "answer", "number", "usual", "longest")
    list_filter = (VendorFilter,)
    fields = ("began", "vendor_name", "host", "call", "answer", "number", "usual", "longest")
    readonly_fields = fields
    ordering = ("-hour", "-pk")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        context = {"days": settings.CALL_DETAIL_DAYS, **(extra_context or {})}
        return super().changelist_view(request, context)

    @admin.display(description=gettext_lazy("hour from"))
    def began(self, row: HourlyCalls) -> str:
        return moment(row.hour)

    @admin.display(description=gettext_lazy("vendor"))
    def vendor_name(self, row: HourlyCalls) -> str:
        return registry.vendor_name(row.vendor)

    @admin.display(description=gettext_lazy("answer"))
    def answer(self, row: HourlyCalls) -> str:
        return row.outcome

    @admin.display(description=gettext_lazy("calls"))
    def number(self, row: HourlyCalls) -> str:
        return number_format(row.calls, force_grouping=True)

    @admin.display(description=gettext_lazy("milliseconds on average"))
    def usual(self, row: HourlyCalls) -> str:
        return number_format(round(row.total_ms / max(row.calls, 1)), force_grouping=True)

    @admin.display(description=gettext_lazy("at most"))
    def longest(self, row: HourlyCalls) -> str:
        return number_format(row.longest_ms, force_grouping=True)


def hourly_calls_url(vendor: str, request: HttpRequest) -> str:
    """The list of a vendor's hourly counts; "" for those who may not read it."""
    if not admin.site._registry[HourlyCalls].has_view_permission(request):
        return ""
    return f"{reverse('admin:onboarding_hourlycalls_changelist')}?vendor={vendor}"


def hosts_table(vendor: str) -> Table:
    """The hosts of a vendor that have ever failed."""
    now = clock.now()
    breakers = Breaker.objects.filter(vendor=vendor).order_by("host")
    return Table(
        id="gw-hosts",
        title=gettext("Vendor’s condition"),
        columns=(
            gettext("Host"),
            gettext("State"),
            gettext("Since"),
            gettext("Consecutive failures"),
            gettext("What fails"),
            gettext("Next try"),
        ),
        rows=[_host_cells(breaker, now) for breaker in breakers],
        empty=gettext("No problems so far."),
    )


def _host_cells(breaker: Breaker, now: datetime) -> tuple[str, ...]:
    next_call_at = breaker.retry_at if breaker.retry_at and breaker.retry_at > now else None
    return (
        breaker.host,
        _state(breaker, now),
        moment(breaker.opened),
        str(breaker.failures),
        ", ".join(breaker.failing),
        moment(next_call_at),
    )


def _state(breaker: Breaker, now: datetime) -> str:
    if breaker.cause and breaker.opened and breaker.retry_at is None:
        return gettext("It may work again. The next call will tell.")
    if breaker.cause:
        return _trouble(breaker, Breaker.Cause(breaker.cause), now)
    if breaker.retry_at and breaker.retry_at > now:
        return gettext("It asked us to wait.")
    return gettext("It answers.") if not breaker.failures else gettext("The last call failed.")


def _trouble(breaker: Breaker, cause: Breaker.Cause, now: datetime) -> str:
    match cause:
        case Breaker.Cause.SILENT:
            return gettext("Not answering.")
        case Breaker.Cause.FAULTY:
            return gettext("It reports faults of its own.")
        case Breaker.Cause.BUSY if breaker.asked_until and breaker.asked_until > now:
            return gettext("It asks us to wait until %(time)s.") % {
                "time": moment(whole_minute(breaker.asked_until))
            }
        case Breaker.Cause.BUSY:
            return gettext("It asks us to wait.")
        case Breaker.Cause.CREDENTIALS if breaker.opened:
            return gettext("It refuses our credentials.")
        case Breaker.Cause.CREDENTIALS:
            return gettext("It refused one call. We are testing whether it refuses all of them.")
    assert_never(cause)
