"""Requests for shop systems that are not offered: the demand by name and country, what a name stands for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from django import forms
from django.contrib import admin
from django.db.models import Count, Max, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Lower
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, gettext_lazy

from onboarding.catalogue import requests
from onboarding.models import ConnectorRequest

from .base import BaseAdmin
from .changelist import AnyQuerySet
from .tables import NOTHING, Table
from .waitlist import WaitingFilter

MOST_WANTED = 30  # names in the table of demand


@admin.register(ConnectorRequest)
class ConnectorRequestAdmin(BaseAdmin):
    """Staff say which shop system a name stands for; the rest is as people asked."""

    list_display = (
        "name",
        "people",
        "in_country",
        "country",
        "email",
        "created",
        "mailed",
        "platform",
    )
    list_filter = (WaitingFilter,)
    fields = ("name", "platform", "country", "email", "created", "mailed")
    readonly_fields = ("name", "country", "email", "created", "mailed")
    search_fields = ("name", "country", "email")
    search_help_text = gettext_lazy(
        "A shop system, a country, or the beginning of an email address."
    )

    def get_queryset(self, request: HttpRequest) -> AnyQuerySet:
        rows: AnyQuerySet = super().get_queryset(request)
        same = ConnectorRequest.objects.filter(key=OuterRef("key")).order_by()
        there = same.filter(country=OuterRef("country"))
        counted: AnyQuerySet = rows.annotate(people=_count(same), in_country=_count(there))
        return counted

    def search_querysets(self, term: str) -> Iterable[AnyQuerySet]:
        for column in ("name__icontains", "country__icontains", "email__startswith"):
            yield ConnectorRequest.objects.filter(**{column: term.lower()})

    @admin.display(description=gettext_lazy("people who asked"))
    def people(self, row: ConnectorRequest) -> int:
        return row.people  # type: ignore[attr-defined,no-any-return]  # of the query set

    @admin.display(description=gettext_lazy("of this country"))
    def in_country(self, row: ConnectorRequest) -> int | str:
        return row.in_country if row.country else NOTHING  # type: ignore[attr-defined]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"demand": demand(), **(extra_context or {})})

    def save_model(
        self,
        request: HttpRequest,
        obj: ConnectorRequest,
        form: forms.ModelForm[ConnectorRequest],
        change: bool,
    ) -> None:
        """It holds for everybody who asked by this name; those who wait are mailed by the next sweep."""
        requests.stands_for(obj, obj.platform)


def _count(rows: AnyQuerySet) -> Coalesce:
    counted = rows.values("key").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), 0)


def demand() -> Table:
    """The names that most people wait for, and from which countries."""
    rows = ConnectorRequest.objects.order_by()
    waiting = Count("pk", filter=Q(mailed=None))
    found = rows.values("key").annotate(
        spelt=Max("name"), is_platform=Max("platform"), asked=Count("pk"), waiting=waiting
    )
    wanted = list(found.order_by("-waiting", "-asked", "key")[:MOST_WANTED])
    countries = _countries([row["key"] for row in wanted])
    return Table(
        id="demand",
        title=gettext("Demand"),
        columns=(
            gettext("Shop system"), gettext("Waiting"), gettext("Asked"), gettext("Countries"),
            gettext("Stands for"),
        ),
        rows=[
            (row["spelt"], str(row["waiting"]), str(row["asked"]), countries[row["key"]] or NOTHING,
             row["is_platform"] or NOTHING)
            for row in wanted
        ],
        empty=gettext("Nobody has asked for a shop system yet."),
    )  # fmt: skip


def _countries(keys: list[str]) -> dict[str, str]:
    """Each name's countries with their numbers, the most first: "Germany 3, Sweden 1"."""
    rows = ConnectorRequest.objects.filter(key__in=keys).exclude(country="").order_by()
    counted = rows.values_list("key", Lower("country")).annotate(Max("country"), Count("pk"))
    found: dict[str, Counter[str]] = {key: Counter() for key in keys}
    for key, _, country, number in counted:
        found[key][country] = number
    return {
        key: ", ".join(f"{country} {number}" for country, number in counter.most_common())
        for key, counter in found.items()
    }
