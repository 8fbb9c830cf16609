"""Attempts: their status, timeline, calls and redirects to the vendor's pages."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from onboarding.models import Attempt
from onboarding.models.status import shown

from .base import ATTEMPT_SECRETS, CONNECTION_SECRETS, ReadOnlyAdmin
from .calls import calls_table
from .changelist import AnyQuerySet, BegunFilter, StatusFilter, TurnFilter
from .columns import STATUS_FIELDS, StatusColumns
from .tables import NOTHING, hops_table, link, timeline


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin, StatusColumns):
    deferred = (*ATTEMPT_SECRETS, *(f"connection__{name}" for name in CONNECTION_SECRETS))
    list_display = (
        "connection",
        "purpose",
        "status_now",
        "whose_turn",
        "facts",
        "user",
        "created",
        "ended",
    )
    list_filter = (StatusFilter, TurnFilter, BegunFilter)
    list_select_related = ("connection__account__merchant", "user")
    search_fields = ("reference",)
    search_help_text = gettext_lazy("The full reference of an attempt or a connection.")
    fieldsets = (
        (
            gettext_lazy("Status"),
            {"fields": (*STATUS_FIELDS, "tries", "deadline", "ended", "ending")},
        ),
        (
            gettext_lazy("Details"),
            {"fields": ("connection_link", "purpose", "user", "reference", "created")},
        ),
        (gettext_lazy("What was found"), {"fields": ("found", "found_address", "found_account")}),
    )

    def search_querysets(self, term: str) -> Iterable[AnyQuerySet]:
        yield Attempt.objects.filter(reference=term.lower())
        yield Attempt.objects.filter(connection__reference=term.lower())

    @admin.display(description=gettext_lazy("connection"))
    def connection_link(self, attempt: Attempt) -> str:
        return link(attempt.connection)

    @admin.display(description=gettext_lazy("another shop than was meant"))
    def found(self, attempt: Attempt) -> str:
        return shown(attempt.found_evidence) or NOTHING

    def page_context(self, request: HttpRequest, attempt: Attempt) -> dict[str, object]:
        return {
            "timeline": timeline(attempt.events.all()),
            "tables": [calls_table(attempt.calls.all()), hops_table(attempt.hops.all())],
        }
