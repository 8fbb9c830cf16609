"""The security log: who signed in, what was refused, what changed. Nobody edits it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from onboarding import clock
from onboarding.models import Merchant, SecurityEvent, User

from .base import ReadOnlyAdmin
from .changelist import AnyQuerySet, FixedFilter, ids, merchants_like
from .tables import NOTHING, exact_moment, link

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class KindFilter(FixedFilter):
    title = gettext_lazy("event")
    parameter_name = "kind"
    fixed_choices = tuple(SecurityEvent.Kind.choices)


class SinceFilter(FixedFilter):
    title = gettext_lazy("time")
    parameter_name = "hours"
    fixed_choices = (
        ("1", gettext_lazy("in the last hour")),
        ("24", gettext_lazy("in the last 24 hours")),
        ("168", gettext_lazy("in the last 7 days")),
    )

    def queryset(self, request: HttpRequest, queryset: AnyQuerySet) -> AnyQuerySet:
        if self.value() is None:
            return queryset
        return queryset.filter(at__gte=clock.now() - timedelta(hours=int(str(self.value()))))


class RowFilter(FixedFilter):
    """Whose events: set by a link on that row's page, and shown while it is set."""

    model: type[Model]

    def lookups(
        self, request: HttpRequest, model_admin: object
    ) -> list[tuple[str, str | _StrPromise]]:
        value = str(self.used_parameters.get(self.parameter_name or "", ""))
        if not re.fullmatch("[0-9]{1,18}", value):
            return []
        return [(value, str(row)) for row in self.model._default_manager.filter(pk=value)]


class PersonFilter(RowFilter):
    title = gettext_lazy("person")
    parameter_name = "user"
    model = User


class BusinessFilter(RowFilter):
    title = gettext_lazy("business")
    parameter_name = "merchant"
    model = Merchant


def events_link(row: User | Merchant) -> SafeString:
    """A link to the events of a person or a business."""
    page = reverse("admin:onboarding_securityevent_changelist")
    return format_html(
        '<a href="{}?{}={}">{}</a>', page, row._meta.model_name, row.pk, gettext("Security log")
    )


@admin.register(SecurityEvent)
class SecurityEventAdmin(ReadOnlyAdmin):
    list_display = ("when", "event", "person", "done_by", "business", "address", "detail")
    list_display_links = ("when",)
    list_filter = (KindFilter, SinceFilter, PersonFilter, BusinessFilter)
    list_select_related = ("user", "by", "merchant")
    fields = (*list_display, "reference")
    readonly_fields = fields
    search_fields = ("user__email",)
    search_help_text = gettext_lazy(
        "A merchant’s name, the start of an email address, an IP address, or a request’s reference."
    )

    def search_querysets(self, term: str) -> Iterable[AnyQuerySet]:
        people = ids(User.objects.filter(email__startswith=term.lower()))
        yield SecurityEvent.objects.filter(user__in=people)
        yield SecurityEvent.objects.filter(by__in=people)
        yield SecurityEvent.objects.filter(merchant__in=merchants_like(term))
        yield SecurityEvent.objects.filter(reference=term.upper())
        if address := _address(term):
            yield SecurityEvent.objects.filter(address=address)

    @admin.display(description=gettext_lazy("when"))
    def when(self, event: SecurityEvent) -> str:
        return exact_moment(event.at)

    @admin.display(description=gettext_lazy("event"))
    def event(self, event: SecurityEvent) -> str:
        return str(event)

    @admin.display(description=gettext_lazy("person"))
    def person(self, event: SecurityEvent) -> str:
        return link(event.user)

    @admin.display(description=gettext_lazy("by"))
    def done_by(self, event: SecurityEvent) -> str:
        return link(event.by) if event.by else NOTHING

    @admin.display(description=gettext_lazy("business"))
    def business(self, event: SecurityEvent) -> str:
        return link(event.merchant)


def _address(term: str) -> str:
    try:
        return str(ip_address(term))
    except ValueError:
        return ""
