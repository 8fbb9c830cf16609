"""Connections: their status and timeline, "ask the vendor now", and tasks for staff."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext, gettext_lazy, ngettext

from onboarding import journey, registry
from onboarding.methods import require_post
from onboarding.models import Connection

from .base import CONNECTION_SECRETS, staff_user
from .calls import calls_table
from .changelist import (
    AnyQuerySet,
    BegunFilter,
    StatusFilter,
    TaskFilter,
    TurnFilter,
    VendorFilter,
    ids,
    merchants_like,
)
from .columns import STATUS_FIELDS, OwnerColumns, StatusColumns
from .tables import NOTHING, attempts_table, link, timeline
from .unsure import unsure_creation
from .vendor_actions import VendorActionsAdmin

MOST_AT_ONCE = 100  # connections that one action asks about: vendors have rate limits


@admin.register(Connection)
class ConnectionAdmin(VendorActionsAdmin, StatusColumns, OwnerColumns):
    deferred = CONNECTION_SECRETS
    list_display = (
        "name",
        "address",
        "merchant_link",
        "vendor_name",
        "connector",
        "status_now",
        "whose_turn",
        "facts",
    )
    list_filter = (StatusFilter, TurnFilter, TaskFilter, VendorFilter, BegunFilter)
    list_select_related = ("account__merchant", "connector")
    search_fields = (
        *("reference", "name", "address", "account_label", "key", "shop_id"),
        "account__merchant__name",
    )
    search_help_text = gettext_lazy(
        "A full reference or ID at the vendor, part of the shop’s name, its address, its account at the"
        " vendor or the merchant’s name, or the start of a member’s email address."
    )
    actions = ("ask_now",)
    fieldsets = (
        (gettext_lazy("Status"), {"fields": STATUS_FIELDS}),
        (
            gettext_lazy("Details"),
            {
                "fields": (
                    "merchant_link",
                    "name",
                    "address",
                    "account_label",
                    "vendor_name",
                    "connector_link",
                    "account_link",
                    "reference",
                    "key",
                    "shop_id",
                )
            },
        ),
        (
            gettext_lazy("Evidence"),
            {
                "fields": (
                    "proof",
                    "returned_at",
                    "merchant_finished_at",
                    "connected_at",
                    "confirmed_at",
                    "confirmed_by",
                    "checked_at",
                    "expires_at",
                    "created",
                )
            },
        ),
    )

    def search_querysets(self, term: str) -> Iterable[AnyQuerySet]:
        connections = Connection.objects.all()
        yield connections.filter(reference=term.lower())
        yield connections.filter(key=term)
        yield connections.filter(shop_id=term)
        yield connections.filter(name__icontains=term)
        yield connections.filter(address__icontains=term)
        yield connections.filter(account_label__icontains=term)
        yield connections.filter(account__merchant_id__in=merchants_like(term))

    @admin.display(description=gettext_lazy("connector"))
    def connector_link(self, connection: Connection) -> str:
        return link(connection.connector)

    @admin.display(description=gettext_lazy("account"))
    def account_link(self, connection: Connection) -> str:
        return link(connection.account)

    @admin.display(description=gettext_lazy("evidence"))
    def proof(self, connection: Connection) -> str:
        return connection.proof or NOTHING

    @admin.display(description=gettext_lazy("confirmed by"))
    def confirmed_by(self, connection: Connection) -> str:
        by_vendor = registry.vendor_name(connection.vendor) if connection.confirmed_at else NOTHING
        return str(connection.confirmed_by or by_vendor)

    # -- ask the vendor now ----------------------------------------------------------------------

    def has_ask_permission(self, request: HttpRequest) -> bool:
        return self.may_act(request)

    @admin.action(description=gettext_lazy("Ask the vendor now"), permissions=["ask"])
    def ask_now(self, request: HttpRequest, queryset: AnyQuerySet) -> None:
        chosen = Connection.objects.filter(pk__in=ids(queryset)[: MOST_AT_ONCE + 1])
        connections = list(chosen.defer(*CONNECTION_SECRETS))
        if len(connections) > MOST_AT_ONCE:
            text = gettext("Choose at most %(most)s shops at once.") % {"most": MOST_AT_ONCE}
            self.message_user(request, text, messages.ERROR)
            return
        asked = sum(self._ask(request, connection) for connection in connections)
        self._report(request, asked, len(connections) - asked)

    def _ask(self, request: HttpRequest, connection: Connection) -> bool:
        """False when there is nothing to ask about."""
        if not journey.ask_now(connection):
            return False
        self.log_change(request, connection, "Asked the vendor now.")
        return True

    def _report(self, request: HttpRequest, asked: int, not_asked: int) -> None:
        if asked:
            said = ngettext(
                "We are asking the vendor about %(n)s shop. Reload in a few seconds.",
                "We are asking the vendor about %(n)s shops. Reload in a few seconds.",
                asked,
            )
            self.message_user(request, said % {"n": asked})
        if not_asked:
            said = ngettext(
                "%(n)s shop was skipped: it is disconnected or was never started.",
                "%(n)s shops were skipped: they are disconnected or were never started.",
                not_asked,
            )
            self.message_user(request, said % {"n": not_asked}, messages.WARNING)

    def ask_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button on a connection's page, a POST."""
        connection: Connection = self.object_to_act_on(request, object_id)
        asked = self._ask(request, connection)
        self._report(request, int(asked), int(not asked))
        return redirect("admin:onboarding_connection_change", connection.pk)

    def done_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button "It is done", a POST: only for the task that the page showed."""
        connection: Connection = self.object_to_act_on(request, object_id)
        if not connection.task or request.POST.get("task") != connection.task:
            text = gettext("The task has changed since you opened this page. Read it again.")
            self.message_user(request, text, messages.WARNING)
        elif journey.complete_task(connection.pk, staff_user(request)):
            self.log_change(request, connection, f"Task done: {connection.task}")
            self.message_user(request, gettext("The task is done."), messages.SUCCESS)
        return redirect("admin:onboarding_connection_change", connection.pk)

    def confirm_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button "It is connected", a POST, for a shop whose vendor cannot be asked."""
        connection: Connection = self.object_to_act_on(request, object_id)
        if journey.confirm(connection.pk, staff_user(request)):
            self.log_change(request, connection, "Confirmed: it is connected.")
            sentence = gettext("Confirmed. The merchant gets an email.")
            self.message_user(request, sentence, messages.SUCCESS)
        else:
            sentence = gettext("Nothing was changed: this shop no longer needs confirming.")
            self.message_user(request, sentence, messages.WARNING)
        return redirect("admin:onboarding_connection_change", connection.pk)

    def get_urls(self) -> list[URLPattern]:
        views = {"ask": self.ask_view, "done": self.done_view, "confirm": self.confirm_view}
        urls = [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(require_post(view)),
                name=f"onboarding_connection_{name}",
            )
            for name, view in views.items()
        ]
        return [*urls, *super().get_urls()]

    def page_context(self, request: HttpRequest, connection: Connection) -> dict[str, object]:
        return {
            "unsure": unsure_creation(connection.account),
            "may_act": self.may_act(request),
            "vendor": registry.vendor_name(connection.vendor),
            "action_lists": [self.action_list(connection)],
            "timeline": timeline(connection.events.all()),
            "tables": [
                attempts_table(connection.attempts.all()),
                calls_table(connection.calls.all()),
            ],
        }
