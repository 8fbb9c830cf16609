"""Accounts at vendors, and the decision that only people can take: was it made, or not?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext, gettext_lazy

from onboarding import journey, registry
from onboarding.models import Account
from vendors.contract import VendorError

from . import rows
from .lists import Rows, UnsureFilter, VendorFilter, merchants_like
from .staff_answers import Knowledge
from .vendor_actions import refusal


class Found(forms.Form):
    """The id at the vendor of something that does exist."""

    found = forms.CharField(
        max_length=200,
        strip=True,
        error_messages={"required": gettext_lazy("Enter the id that it has there.")},
    )


@admin.register(Account)
class AccountAdmin(Knowledge):
    secret = rows.ACCOUNT_SECRETS
    list_display = ("merchant", "vendor_name", "key", "announced", "unsure")
    list_filter = (UnsureFilter, VendorFilter)
    list_select_related = ("merchant",)
    search_fields = ("key", "merchant__name")
    search_help_text = gettext_lazy(
        "An id at the vendor in full; a part of the merchant’s name; the beginning of a member’s"
        " e-mail address."
    )
    fieldsets = ((None, {"fields": ("merchant_link", "vendor_name", "key", "under_way", "lost")}),)

    def columns(self, term: str) -> Iterable[Rows]:
        yield Account.objects.filter(key=term)
        yield Account.objects.filter(merchant_id__in=merchants_like(term))

    @admin.display(description=gettext_lazy("merchant"))
    def merchant_link(self, row: Account) -> str:
        return rows.link(row.merchant)

    @admin.display(description=gettext_lazy("vendor"))
    def vendor_name(self, row: Account) -> str:
        return registry.vendor_name(row.vendor)

    @admin.display(description=gettext_lazy("being made now"))
    def under_way(self, row: Account) -> str:
        return row.announced or "–"

    @admin.display(description=gettext_lazy("answer lost"))
    def lost(self, row: Account) -> str:
        return row.unsure or "–"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        account: Account | None = self.get_object(request, unquote(object_id))
        if account is not None:
            extra_context = {
                "connections": rows.connections(account.connections.all()),
                "unsure": rows.unsure(account),
                "may_act": self.may_act(request),
                "desk": self.panel(account),
                **(extra_context or {}),
            }
        return super().change_view(request, object_id, form_url, extra_context)

    # -- the two buttons -------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.resolve_view)
        address = path("<path:object_id>/resolve/", view, name="onboarding_account_resolve")
        return [address, *super().get_urls()]

    def resolve_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A GET shows the facts and the buttons; a POST is one of the buttons."""
        account: Account = self.acted_on(request, object_id)
        doubt = rows.unsure(account)
        if doubt is None:
            self.message_user(request, gettext("Nothing is unsure here any more."))
            return redirect("admin:onboarding_account_change", account.pk)
        problem = self._pressed(request, account, doubt) if request.method == "POST" else ""
        if request.method == "POST" and not problem:
            return redirect("admin:onboarding_account_change", account.pk)
        return self._resolve_page(request, account, doubt, problem)

    def _pressed(self, request: HttpRequest, account: Account, doubt: dict[str, Any]) -> str:
        """What is wrong with the answer; empty when it was taken."""
        if request.POST.get("seen") != doubt["seen"]:
            return gettext("Something changed since you opened the page. Read the facts again.")
        if not doubt["decidable"]:
            return gettext("This cannot be decided here: the vendor is switched off.")
        if request.POST.get("answer") == "missing":
            return self._decide(request, account, doubt, None)
        form = Found(request.POST)
        if not form.is_valid():
            return str(form.errors["found"][0])
        return self._decide(request, account, doubt, form.cleaned_data["found"])

    def _decide(
        self, request: HttpRequest, account: Account, doubt: dict[str, Any], found: str | None
    ) -> str:
        outcome = journey.resolve(account.pk, found)
        if isinstance(outcome, VendorError):
            return refusal(outcome)
        answer = "it does not exist" if found is None else f"it exists, its id is {found}"
        self.log_change(request, account, f"Lost answer, {doubt['creation']}: {answer}.")
        text = gettext("Saved. The connection goes on by itself within a few seconds.")
        self.message_user(request, text, messages.SUCCESS)
        return ""

    def _resolve_page(
        self, request: HttpRequest, account: Account, doubt: dict[str, Any], problem: str
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Was it made, or not?"),
            "opts": self.opts,
            "original": account,
            "unsure": doubt,
            "may_act": True,
            "problem": problem,
            "typed": request.POST.get("found", ""),
        }
        status = 422 if problem else 200
        return render(request, "admin/onboarding/account/resolve.html", context, status=status)
