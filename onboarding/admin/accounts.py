"""Accounts of merchants at vendors."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from onboarding.models import Account

from .base import ACCOUNT_SECRETS
from .changelist import AnyQuerySet, UnsureFilter, VendorFilter, merchants_like
from .columns import OwnerColumns
from .staff_answers import StaffAnswersAdmin
from .tables import NOTHING, connections_table
from .unsure import UnsureAdmin, unsure_creation


@admin.register(Account)
class AccountAdmin(UnsureAdmin, StaffAnswersAdmin, OwnerColumns):
    deferred = ACCOUNT_SECRETS
    list_display = ("merchant", "vendor_name", "label", "key", "announced", "unsure")
    list_filter = (UnsureFilter, VendorFilter)
    list_select_related = ("merchant",)
    search_fields = ("key", "label", "merchant__name")
    search_help_text = gettext_lazy(
        "The full ID at the vendor, part of the account’s label or the merchant’s name, or the start of a"
        " member’s email address."
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "merchant_link",
                    "vendor_name",
                    "label",
                    "key",
                    "being_made",
                    "answer_lost",
                )
            },
        ),
    )

    def search_querysets(self, term: str) -> Iterable[AnyQuerySet]:
        yield Account.objects.filter(key=term)
        yield Account.objects.filter(label__icontains=term)
        yield Account.objects.filter(merchant_id__in=merchants_like(term))

    @admin.display(description=gettext_lazy("being created"))
    def being_made(self, account: Account) -> str:
        return account.announced or NOTHING

    @admin.display(description=gettext_lazy("answer lost"))
    def answer_lost(self, account: Account) -> str:
        return account.unsure or NOTHING

    def page_context(self, request: HttpRequest, account: Account) -> dict[str, object]:
        return {
            "unsure": unsure_creation(account),
            "may_act": self.may_act(request),
            "action_lists": [self.action_list(account)],
            "tables": [connections_table(account.connections.all())],
        }
