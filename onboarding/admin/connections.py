"""Connections and attempts: where each stands, its timeline, and "ask the vendor now"."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.text import Truncator
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from .. import runner
from ..models import Attempt, Connection
from . import rows
from .lists import (
    BegunFilter,
    ReadOnly,
    Rows,
    StatusFilter,
    TurnFilter,
    VendorFilter,
    ids,
    merchants_like,
)

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
class ConnectionAdmin(Standing):
    secret = (*rows.CONNECTION_SECRETS, "account__memo")
    list_display = (
        "name",
        "merchant_link",
        "vendor_name",
        "connector",
        "status_now",
        "whose_turn",
        "facts",
    )
    list_filter = (StatusFilter, TurnFilter, VendorFilter, BegunFilter)
    list_select_related = ("account__merchant", "connector")
    search_fields = ("reference", "name", "key", "shop", "account__merchant__name")
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
                    "shop",
                )
            },
        ),
        (
            gettext_lazy("Evidence"),
            {
                "fields": (
                    "proof",
                    "returned_at",
                    "told_at",
                    "connected_at",
                    "confirmed_at",
                    "checked_at",
                    "expires",
                    "created",
                )
            },
        ),
    )

    def columns(self, term: str) -> Iterable[Rows]:
        shops = Connection.objects.all()
        yield shops.filter(reference=term.lower())
        yield shops.filter(key=term)
        yield shops.filter(shop=term)
        yield shops.filter(name__icontains=term)
        yield shops.filter(account__merchant_id__in=merchants_like(term))

    @admin.display(description=gettext_lazy("merchant"))
    def merchant_link(self, row: Connection) -> str:
        return rows.link(row.account.merchant)

    @admin.display(description=gettext_lazy("vendor"))
    def vendor_name(self, row: Connection) -> str:
        return rows.vendor_name(row.vendor)

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
        if not runner.ask_now(shop):
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
        if not self.may_act(request):
            raise PermissionDenied
        shop: Connection | None = self.get_object(request, unquote(object_id))
        if shop is None:
            raise Http404
        asked = self._ask(request, shop)
        self._say(request, int(asked), int(not asked))
        return redirect("admin:onboarding_connection_change", shop.pk)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.ask_view))
        address = path("<path:object_id>/ask/", view, name="onboarding_connection_ask")
        return [address, *super().get_urls()]

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
                "unsure": rows.unsure(shop.account),
                "may_act": self.may_act(request),
                **(extra_context or {}),
            }
        return super().change_view(request, object_id, form_url, extra_context)


@admin.register(Attempt)
class AttemptAdmin(Standing):
    secret = (
        *rows.ATTEMPT_SECRETS,
        *(f"connection__{name}" for name in (*rows.CONNECTION_SECRETS, "account__memo")),
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
                **(extra_context or {}),
            }
        return super().change_view(request, object_id, form_url, extra_context)
