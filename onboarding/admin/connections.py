"""Connections: where each stands, its timeline, "ask the vendor now", and staff's tasks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.text import Truncator
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from onboarding import journey, registry
from onboarding.journey import staff_actions
from onboarding.models import Connection

from . import calls, rows
from .lists import (
    BegunFilter,
    ReadOnly,
    Rows,
    StatusFilter,
    TaskFilter,
    TurnFilter,
    VendorFilter,
    ids,
    merchants_like,
)
from .vendor_actions import Desk

ASKED = 100  # shops at once: a vendor has limits

STANDS = (
    "status_now",
    "whose_turn",
    "reads",
    "cause",
    "detail",
    "waits_since",
    "asked_again",
)


class Standing(ReadOnly):
    """Columns that connections and attempts share."""

    @admin.display(description=gettext_lazy("status"))
    def status_now(self, row: Any) -> str:
        return rows.status(row)

    @admin.display(description=gettext_lazy("whose turn"))
    def whose_turn(self, row: Any) -> str:
        return str(rows.turn(row))

    @admin.display(description=gettext_lazy("the merchant reads"))
    def reads(self, row: Any) -> str:
        return row.sentence or "–"

    @admin.display(description=gettext_lazy("for staff"))
    def facts(self, row: Any) -> str:
        detail = Truncator(row.detail).chars(120)
        return ": ".join(part for part in (row.cause, detail) if part) or "–"

    @admin.display(description=gettext_lazy("since"))
    def waits_since(self, row: Any) -> str:
        return rows.moment(rows.driver(row).since)

    @admin.display(description=gettext_lazy("the vendor is asked again"))
    def asked_again(self, row: Any) -> str:
        return rows.moment(rows.driver(row).due_at)


@admin.register(Connection)
class ConnectionAdmin(Desk, Standing):
    secret = (*rows.CONNECTION_SECRETS, *rows.OF_ITS_ACCOUNT)
    list_display = (
        "name",
        "merchant_link",
        "vendor_name",
        "connector",
        "status_now",
        "whose_turn",
        "facts",
    )
    list_filter = (StatusFilter, TurnFilter, TaskFilter, VendorFilter, BegunFilter)
    list_select_related = ("account__merchant", "connector")
    search_fields = ("reference", "name", "key", "shop_id", "account__merchant__name")
    search_help_text = gettext_lazy(
        "A reference or an id at the vendor in full; a part of the shop’s or the merchant’s name;"
        " the beginning of a member’s e-mail address."
    )
    actions = ("ask_now",)
    fieldsets = (
        (gettext_lazy("Where it stands"), {"fields": STANDS}),
        (
            gettext_lazy("What it is"),
            {
                "fields": (
                    "merchant_link",
                    "name",
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
                    "checked_at",
                    "expires_at",
                    "created",
                )
            },
        ),
    )

    def columns(self, term: str) -> Iterable[Rows]:
        shops = Connection.objects.all()
        yield shops.filter(reference=term.lower())
        yield shops.filter(key=term)
        yield shops.filter(shop_id=term)
        yield shops.filter(name__icontains=term)
        yield shops.filter(account__merchant_id__in=merchants_like(term))

    @admin.display(description=gettext_lazy("merchant"))
    def merchant_link(self, row: Connection) -> str:
        return rows.link(row.account.merchant)

    @admin.display(description=gettext_lazy("vendor"))
    def vendor_name(self, row: Connection) -> str:
        return registry.vendor_name(row.vendor)

    @admin.display(description=gettext_lazy("connector"))
    def connector_link(self, row: Connection) -> str:
        return rows.link(row.connector)

    @admin.display(description=gettext_lazy("account"))
    def account_link(self, row: Connection) -> str:
        return rows.link(row.account)

    @admin.display(description=gettext_lazy("what we know, and how"))
    def proof(self, row: Connection) -> str:
        return row.proof or "–"

    # -- ask the vendor now ----------------------------------------------------------------------

    def has_ask_permission(self, request: HttpRequest) -> bool:
        return self.may_act(request)

    @admin.action(description=gettext_lazy("Ask the vendor now"), permissions=["ask"])
    def ask_now(self, request: HttpRequest, queryset: Rows) -> None:
        chosen = Connection.objects.filter(pk__in=ids(queryset)[: ASKED + 1])
        if len(shops := list(chosen.defer(*rows.CONNECTION_SECRETS))) > ASKED:
            text = gettext("Choose at most %(most)s shops at once.") % {"most": ASKED}
            self.message_user(request, text, messages.ERROR)
            return
        asked = [shop for shop in shops if self._ask(request, shop)]
        self._say(request, len(asked), len(shops) - len(asked))

    def _ask(self, request: HttpRequest, shop: Connection) -> bool:
        if not staff_actions.ask_now(shop):
            return False
        self.log_change(request, shop, "Asked the vendor now.")
        return True

    def _say(self, request: HttpRequest, asked: int, idle: int) -> None:
        if asked:
            one, many = (
                "The vendor is asked about %(n)s shop.",
                "The vendor is asked about %(n)s shops.",
            )
            text = ngettext(one, many, asked) % {"n": asked}
            self.message_user(request, f"{text} {gettext('Reload in a few seconds.')}")
        if idle:
            one = "%(n)s shop has nothing to ask about: it is disconnected or was never begun."
            many = "%(n)s shops have nothing to ask about: disconnected or never begun."
            self.message_user(request, ngettext(one, many, idle) % {"n": idle}, messages.WARNING)

    def ask_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button on a connection's page; only a POST comes here."""
        shop: Connection = self.acted_on(request, object_id)
        asked = self._ask(request, shop)
        self._say(request, int(asked), int(not asked))
        return redirect("admin:onboarding_connection_change", shop.pk)

    def done_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """ "It is done": only for the task that stood on the page."""
        shop: Connection = self.acted_on(request, object_id)
        if not shop.task or request.POST.get("task") != shop.task:
            text = gettext("The task has changed since you opened the page. Read it again.")
            self.message_user(request, text, messages.WARNING)
        elif journey.task_done(shop.pk):
            self.log_change(request, shop, f"Task done: {shop.task}")
            self.message_user(request, gettext("The task is done."), messages.SUCCESS)
        return redirect("admin:onboarding_connection_change", shop.pk)

    def get_urls(self) -> list[URLPattern]:
        views = {"ask": self.ask_view, "done": self.done_view}
        addresses = [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(require_POST(view)),
                name=f"onboarding_connection_{name}",
            )
            for name, view in views.items()
        ]
        return [*addresses, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        shop: Connection | None = self.get_object(request, unquote(object_id))
        if shop is not None:
            extra_context = {
                "timeline": rows.timeline(shop.events.all()),
                "attempts": rows.attempts(shop.attempts.all()),
                "calls": calls.calls(shop.calls.all()),
                "unsure": rows.unsure(shop.account),
                "may_act": self.may_act(request),
                "desk": self.panel(shop),
                **(extra_context or {}),
            }
        return super().change_view(request, object_id, form_url, extra_context)
