"""Attempts: where each stands, its timeline, and the trips to the vendor's pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy

from onboarding.models import Attempt

from . import calls, rows
from .connections import STANDS, Standing
from .lists import BegunFilter, Rows, StatusFilter, TurnFilter


@admin.register(Attempt)
class AttemptAdmin(Standing):
    secret = (
        *rows.ATTEMPT_SECRETS,
        *(f"connection__{name}" for name in (*rows.CONNECTION_SECRETS, *rows.OF_ITS_ACCOUNT)),
    )
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
    search_help_text = gettext_lazy("The reference of an attempt or of a connection, in full.")
    fieldsets = (
        (gettext_lazy("Where it stands"), {"fields": (*STANDS, "tries", "deadline", "ended")}),
        (
            gettext_lazy("What it is"),
            {"fields": ("connection_link", "purpose", "user", "reference", "created")},
        ),
    )

    def columns(self, term: str) -> Iterable[Rows]:
        yield Attempt.objects.filter(reference=term.lower())
        yield Attempt.objects.filter(connection__reference=term.lower())

    @admin.display(description=gettext_lazy("connection"))
    def connection_link(self, row: Attempt) -> str:
        return rows.link(row.connection)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        attempt: Attempt | None = self.get_object(request, unquote(object_id))
        if attempt is not None:
            extra_context = {
                "timeline": rows.timeline(attempt.events.all()),
                "hops": rows.hops(attempt),
                "calls": calls.calls(attempt.calls.all()),
                **(extra_context or {}),
            }
        return super().change_view(request, object_id, form_url, extra_context)
