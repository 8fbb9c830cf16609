"""Lists that stay fast with a million rows. What was measured stands in docs/stack.md.

No count beyond a cap, no DISTINCT for a filter, no OR across a join: a search first collects the
ids that each column gives, then asks for those.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import cached_property
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy

from onboarding.models import Membership, Merchant
from onboarding.models.status import Status

COUNTED = 10_000  # rows; a list that is longer says so many and pages no further
FOUND = 1_000  # rows that each column may add to a search
Rows = QuerySet[Any, Any]


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # no subscript at run time
    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        found: int = rows.order_by()[:COUNTED].count()
        return found


class List(admin.ModelAdmin):  # type: ignore[type-arg]  # no subscript at run time
    """What all our lists have in common. `secret` names the columns that are not even read."""

    secret: tuple[str, ...] = ()
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator
    list_per_page = 50
    ordering: ClassVar[tuple[str, ...]] = ("-pk",)
    sortable_by = ()
    view_on_site = False

    def get_queryset(self, request: HttpRequest) -> Rows:
        rows = super().get_queryset(request)
        if self.list_select_related:
            rows = rows.select_related(*self.list_select_related)  # type: ignore[misc]
        return rows.defer(*self.secret)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Nothing is deleted by the dozen."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def columns(self, term: str) -> Iterable[Rows]:
        """The rows that a search term finds, column by column."""
        return ()

    def get_search_results(
        self, request: HttpRequest, queryset: Rows, search_term: str
    ) -> tuple[Rows, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found = {pk for rows in self.columns(term) for pk in ids(rows)}
        return queryset.filter(pk__in=found), False


class ReadOnly(List):
    """Rows that the journey writes: staff read them."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def may_act(self, request: HttpRequest) -> bool:
        """Whether this member of staff may press buttons here, though nobody may type."""
        return super().has_change_permission(request)

    def acted_on(self, request: HttpRequest, object_id: str) -> Any:
        """The row that a button is about: 403 for those who only read, 404 where there is none."""
        if not self.may_act(request):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        return row


def ids(rows: Rows, column: str = "pk") -> list[int]:
    return list(rows.order_by().values_list(column, flat=True)[:FOUND])


def merchants_like(term: str) -> list[int]:
    """Merchants by a part of the name, their reference, or the beginning of a member's address."""
    members = Membership.objects.filter(user__email__startswith=term.lower())
    exact = Merchant.objects.filter(reference=term.lower())
    named = Merchant.objects.filter(name__icontains=term)
    return [*ids(exact), *ids(named), *ids(members, "merchant_id")]


class Fixed(admin.SimpleListFilter):
    """A filter whose choices are known without asking the database."""

    choices_there: tuple[tuple[str, Any], ...] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(self.choices_there)

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        if (value := self.value()) is None:
            return queryset
        return queryset.filter(**{str(self.parameter_name): value})


FIRST = (Status.ON_IT, Status.ACTION_NEEDED)


class StatusFilter(Fixed):
    title = gettext_lazy("status")
    parameter_name = "status__exact"
    choices_there = tuple(
        (str(status.value), status.label)
        for status in (*FIRST, *(each for each in Status if each not in FIRST))
    )


TURNS = {
    "": "–",
    "merchant": gettext_lazy("the merchant"),
    "vendor": gettext_lazy("the vendor"),
    "us": gettext_lazy("Gangway, by itself"),
    "staff": gettext_lazy("staff"),
}


class TurnFilter(Fixed):
    title = gettext_lazy("whose turn")
    parameter_name = "turn"
    choices_there = tuple((turn, TURNS[turn]) for turn in ("staff", "merchant", "vendor", "us"))


class VendorFilter(Fixed):
    title = gettext_lazy("vendor")
    parameter_name = "vendor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(slug, vendor.name) for slug, vendor in settings.VENDORS.offered.items()]


class BegunFilter(Fixed):
    title = gettext_lazy("time of beginning")
    parameter_name = "begun"
    choices_there = (
        ("1", gettext_lazy("in the last 24 hours")),
        ("7", gettext_lazy("in the last 7 days")),
    )

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        if self.value() not in ("1", "7"):
            return queryset
        since = timezone.now() - timedelta(days=int(str(self.value())))
        return queryset.filter(created__gte=since)


class UnsureFilter(Fixed):
    title = gettext_lazy("lost answers")
    parameter_name = "unsure"
    choices_there = (("1", gettext_lazy("only accounts that wait for staff")),)

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        return queryset.exclude(unsure="") if self.value() else queryset


class TaskFilter(Fixed):
    title = gettext_lazy("tasks")
    parameter_name = "task"
    choices_there = (("1", gettext_lazy("only shops with a task for staff")),)

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        return queryset.exclude(task="") if self.value() else queryset
