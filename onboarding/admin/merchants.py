"""Merchants with their members, and users. Nobody sets another's password or address."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy

from onboarding.models import Account, Connection, Membership, Merchant, User

from . import rows
from .lists import List, Rows, ids, merchants_like


class Members(admin.TabularInline):  # type: ignore[type-arg]  # no subscript at run time
    model = Membership
    autocomplete_fields = ("user",)
    extra = 0
    verbose_name = gettext_lazy("member")
    verbose_name_plural = gettext_lazy("members")

    def formfield_for_choice_field(self, *args: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_choice_field(*args, **kwargs)
        if field is not None:
            field.widget.attrs["aria-label"] = str(field.label)
        return field

    def get_queryset(self, request: HttpRequest) -> Rows:
        return super().get_queryset(request).select_related("user", "merchant")


@admin.register(Merchant)
class MerchantAdmin(List):
    list_display = ("name", "reference", "language", "created")
    search_fields = ("name", "reference")
    search_help_text = gettext_lazy(
        "A reference in full; a part of the name; the beginning of a member’s e-mail address."
    )
    fields = ("name", "language", "reference", "created")
    readonly_fields = ("reference", "created")
    inlines = (Members,)

    def columns(self, term: str) -> Iterable[Rows]:
        yield Merchant.objects.filter(pk__in=merchants_like(term))

    def has_delete_permission(self, request: HttpRequest, obj: Merchant | None = None) -> bool:
        """A reference is known at vendors: it is never used again, so its merchant stays."""
        return False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        merchant: Merchant | None = self.get_object(request, unquote(object_id))
        if merchant is not None:
            shops = Connection.objects.filter(account__merchant=merchant)
            accounts = Account.objects.filter(merchant=merchant).select_related("merchant")
            extra_context = {
                "connections": rows.connections(shops),
                "accounts": accounts.defer(*rows.ACCOUNT_SECRETS),
                **(extra_context or {}),
            }
        return super().change_view(request, object_id, form_url, extra_context)


POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")


@admin.register(User)
class UserAdmin(List):
    list_display = ("email", "name", "is_staff", "is_active", "date_joined", "last_login")
    search_fields = ("email", "name")
    search_help_text = gettext_lazy("The beginning of an e-mail address, or a part of a name.")
    fields = (
        "email",
        "addresses",
        "name",
        "language",
        "is_active",
        "date_joined",
        "last_login",
        *POWERS,
    )
    filter_horizontal = ("groups", "user_permissions")

    def columns(self, term: str) -> Iterable[Rows]:
        yield User.objects.filter(email__startswith=term.lower())
        yield User.objects.filter(name__icontains=term)
        other = EmailAddress.objects.filter(email__startswith=term.lower())
        yield User.objects.filter(pk__in=ids(other, "user_id"))

    @admin.display(description=gettext_lazy("addresses"))
    def addresses(self, row: User) -> str:
        """Which addresses sign this user in. Verified: a code that was sent there came back."""
        known = EmailAddress.objects.filter(user=row).order_by("-primary", "email")
        said = [f"{each.email} ({'' if each.verified else 'not '}verified)" for each in known]
        return "\n".join(said) or "–"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """An address belongs to who reads its mail; only superusers hand out power."""
        fixed = ("addresses", "date_joined", "last_login", *(("email",) if obj else ()))
        return fixed if request.user.is_superuser else (*fixed, *POWERS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        above = obj is not None and obj.is_superuser and not request.user.is_superuser
        return not above and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Their name stands in timelines and in the log: switched off, not deleted."""
        return False

    def save_model(
        self, request: HttpRequest, obj: User, form: ModelForm[Any], change: bool
    ) -> None:
        if not change:
            obj.email = obj.email.strip().lower()
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)
