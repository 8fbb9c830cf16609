"""Changelists that stay fast with a million rows: a capped paginator, search by ids, filters.

No count goes beyond a cap, no filter needs DISTINCT, and no search needs OR across a join: it collects
the ids that each column finds, then queries for those.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext, gettext_lazy

from onboarding import clock
from onboarding.models import Membership, Merchant
from onboarding.models.status import Status

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

COUNTED = 10_000  # rows; a longer list says “more than” and has no further pages
FOUND = 1_000  # rows that each column may add to a search
AnyQuerySet = QuerySet[Any, Any]  # Any: one signature for the query sets of all models


class AtLeast(int):
    """A count that stopped there. Django's templates show it in several places, always as text."""

    def __str__(self) -> str:
        number = number_format(int(self), force_grouping=True)
        return gettext("more than %(number)s") % {"number": number}


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # no subscript at run time
    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        found: int = rows.order_by()[: COUNTED + 1].count()
        return found if found <= COUNTED else AtLeast(COUNTED)


def ids(rows: AnyQuerySet, column: str = "pk") -> list[int]:
    """At most FOUND ids."""
    return list(rows.order_by().values_list(column, flat=True)[:FOUND])


def merchants_like(term: str) -> list[int]:
    """Ids of merchants, by a part of the name, the reference, or the beginning of a member's address."""
    members = Membership.objects.filter(user__email__startswith=term.lower())
    exact = Merchant.objects.filter(reference=term.lower())
    named = Merchant.objects.filter(name__icontains=term)
    return [*ids(exact), *ids(named), *ids(members, "merchant_id")]


class FixedFilter(admin.SimpleListFilter):
    """A filter whose choices are known without a query. Any other value is ignored."""

    fixed_choices: tuple[tuple[str, str | _StrPromise], ...] = ()

    def lookups(
        self, request: HttpRequest, model_admin: object
    ) -> list[tuple[str, str | _StrPromise]]:
        return list(self.fixed_choices)

    def value(self) -> str | None:
        value = super().value()
        return value if value in {choice for choice, _ in self.lookup_choices} else None

    def queryset(self, request: HttpRequest, queryset: AnyQuerySet) -> AnyQuerySet:
        if (value := self.value()) is None:
            return queryset
        return queryset.filter(**{str(self.parameter_name): value})


LISTED_FIRST = (Status.ON_IT, Status.ACTION_NEEDED, Status.REPORTED)


class StatusFilter(FixedFilter):
    title = gettext_lazy("status")
    parameter_name = "status__exact"
    fixed_choices = tuple(
        (str(status.value), status.label)
        for status in (*LISTED_FIRST, *(each for each in Status if each not in LISTED_FIRST))
    )


TURNS: dict[str, str | _StrPromise] = {
    "": "–",
    "merchant": gettext_lazy("the merchant"),
    "vendor": gettext_lazy("the vendor"),
    "us": gettext_lazy("Gangway"),
    "staff": gettext_lazy("staff"),
}


class TurnFilter(FixedFilter):
    title = gettext_lazy("whose turn")
    parameter_name = "turn"
    fixed_choices = tuple((turn, TURNS[turn]) for turn in ("staff", "merchant", "vendor", "us"))


class VendorFilter(FixedFilter):
    title = gettext_lazy("vendor")
    parameter_name = "vendor"

    def lookups(
        self, request: HttpRequest, model_admin: object
    ) -> list[tuple[str, str | _StrPromise]]:
        return [(slug, vendor.name) for slug, vendor in settings.VENDORS.offered.items()]


class BegunFilter(FixedFilter):
    title = gettext_lazy("started")
    parameter_name = "begun"
    fixed_choices = (
        ("1", gettext_lazy("in the last 24 hours")),
        ("7", gettext_lazy("in the last 7 days")),
    )

    def queryset(self, request: HttpRequest, queryset: AnyQuerySet) -> AnyQuerySet:
        if self.value() is None:
            return queryset
        since = clock.now() - timedelta(days=int(str(self.value())))
        return queryset.filter(created__gte=since)


class UnsureFilter(FixedFilter):
    title = gettext_lazy("lost answers")
    parameter_name = "unsure"
    fixed_choices = (("1", gettext_lazy("accounts that wait for staff")),)

    def queryset(self, request: HttpRequest, queryset: AnyQuerySet) -> AnyQuerySet:
        return queryset.exclude(unsure="") if self.value() else queryset


class TaskFilter(FixedFilter):
    title = gettext_lazy("tasks")
    parameter_name = "task"
    fixed_choices = (("1", gettext_lazy("shops with a task for staff")),)

    def queryset(self, request: HttpRequest, queryset: AnyQuerySet) -> AnyQuerySet:
        return queryset.exclude(task="") if self.value() else queryset
