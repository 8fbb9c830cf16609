"""Merchants with their members, and users. Staff set nobody's password or address."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db.models import (
    BooleanField,
    CharField,
    Field,
    ManyToManyField,
    prefetch_related_objects,
)
from django.forms import (
    BaseInlineFormSet,
    CheckboxInput,
    ModelForm,
    ModelMultipleChoiceField,
    Select,
    TypedChoiceField,
)
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy

from onboarding.fields import NameField
from onboarding.models import Connection, Membership, Merchant, SecurityEvent, User
from onboarding.people import sessions

from . import permission_changes
from .base import ACCOUNT_SECRETS, BaseAdmin, FieldOptions
from .changelist import AnyQuerySet, ids, merchants_like
from .mail_log import mails_link
from .rights import BusinessRights, ClosingFilter, PersonRights
from .second_steps import SecondStepsAdmin, kinds
from .security_events import events_link
from .tables import NOTHING, connections_table
from .user_sessions import UserSessionsAdmin


class MemberForm(ModelForm):  # type: ignore[type-arg]  # no subscript at run time
    """A member that is there stays the same person: the usual widget would look each of them up again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # Any: Django's signature
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            label = {"aria-label": str(self.fields["user"].label)}
            known = [(self.instance.user_id, str(self.instance.user))]
            self.fields["user"].widget = Select(choices=known, attrs=label)


class MemberForms(BaseInlineFormSet):  # type: ignore[type-arg]  # no subscript at run time
    def get_deletion_widget(self) -> CheckboxInput:  # type: ignore[override]  # the stubs say: a class
        """Named by itself: in a table its only label would be the head of the column."""
        return CheckboxInput({"aria-label": gettext("Remove this member")})


class Members(admin.TabularInline):  # type: ignore[type-arg]  # no subscript at run time
    model = Membership
    form = MemberForm
    formset = MemberForms
    autocomplete_fields = ("user",)
    extra = 0
    formfield_overrides = {
        BooleanField: {"widget": CheckboxInput({"aria-label": gettext_lazy("may see secrets")})}
    }
    verbose_name = gettext_lazy("member")
    verbose_name_plural = gettext_lazy("members")

    def formfield_for_choice_field(  # Any: Django's signature
        self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: object
    ) -> TypedChoiceField | None:
        field: TypedChoiceField | None = super().formfield_for_choice_field(
            db_field, request, **kwargs
        )
        if field is not None:
            field.widget.attrs["aria-label"] = str(field.label)
        return field

    def get_queryset(self, request: HttpRequest) -> AnyQuerySet:
        return super().get_queryset(request).select_related("user", "merchant")


Kind = SecurityEvent.Kind
MAILED_NAMES: FieldOptions = {
    **BaseAdmin.formfield_overrides,
    CharField: {"form_class": NameField},
}


@admin.register(Merchant)
class MerchantAdmin(BusinessRights, BaseAdmin):
    formfield_overrides = MAILED_NAMES
    list_display = ("__str__", "reference", "language", "created", "closing")
    list_filter = (ClosingFilter,)
    search_fields = ("name", "reference")
    search_help_text = gettext_lazy(
        "A full reference, part of the name, or the start of a member’s email address."
    )
    fields = ("name", "language", "reference", "created", "closing", "security_log")
    readonly_fields = ("reference", "created", "closing", "security_log")
    inlines = (Members,)

    def has_change_permission(self, request: HttpRequest, obj: Merchant | None = None) -> bool:
        """Nobody joins a business that is being closed, and an empty one has nothing to change."""
        is_open = obj is None or obj.closing_since is None
        return is_open and super().has_change_permission(request, obj)

    def search_querysets(self, term: str) -> Iterable[AnyQuerySet]:
        yield Merchant.objects.filter(pk__in=merchants_like(term))

    def has_delete_permission(self, request: HttpRequest, obj: Merchant | None = None) -> bool:
        """Never: vendors know a merchant by its reference, which must not be used again."""
        return False

    @admin.display(description=gettext_lazy("events"))
    def security_log(self, merchant: Merchant) -> str:
        return events_link(merchant) if merchant.pk else NOTHING

    def save_formset(  # Any: Django's signature
        self, request: HttpRequest, form: Any, formset: Any, change: bool
    ) -> None:
        super().save_formset(request, form, formset, change)
        permission_changes.record_members(request, formset)

    def page_context(self, request: HttpRequest, merchant: Merchant) -> dict[str, object]:
        return {
            "may_act": self.may_act(request),
            "accounts": merchant.accounts.select_related("merchant").defer(*ACCOUNT_SECRETS),
            "tables": [connections_table(Connection.objects.filter(account__merchant=merchant))],
        }


PERMISSION_FIELDS = ("is_staff", "is_superuser", "groups", "user_permissions")
POWERS = {"is_active", *PERMISSION_FIELDS}  # whoever has other rights signs in again


@admin.register(User)
class UserAdmin(PersonRights, SecondStepsAdmin, UserSessionsAdmin):
    formfield_overrides = MAILED_NAMES
    list_display = ("email", "name", "is_staff", "is_active", "date_joined", "last_login")
    search_fields = ("email", "name")
    search_help_text = gettext_lazy("The start of an email address, or part of a name.")
    fields = (
        "email",
        "addresses",
        "second_step",
        "name",
        "language",
        "is_active",
        "date_joined",
        "last_login",
        "security_log",
        "mails",
        *PERMISSION_FIELDS,
    )
    filter_horizontal = ("groups", "user_permissions")

    def get_object(  # Any: Django's signature
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """With what the names of its permissions are made of."""
        user = super().get_object(request, object_id, from_field)
        if user is not None:
            prefetch_related_objects([user], "groups", "user_permissions__content_type")
        return user

    def formfield_for_manytomany(  # Any: Django's signature
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelMultipleChoiceField[Any] | None:  # Any: of whatever the field leads to
        if db_field.name == "user_permissions":
            kwargs["queryset"] = Permission.objects.select_related("content_type")
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def search_querysets(self, term: str) -> Iterable[AnyQuerySet]:
        yield User.objects.filter(email__startswith=term.lower())
        yield User.objects.filter(name__icontains=term)
        other = EmailAddress.objects.filter(email__startswith=term.lower())
        yield User.objects.filter(pk__in=ids(other, "user_id"))

    @admin.display(description=gettext_lazy("addresses"))
    def addresses(self, user: User) -> str:
        """The addresses that this user can sign in with. Verified: the user entered a code mailed there."""
        known = EmailAddress.objects.filter(user=user).order_by("-primary", "email")
        return "\n".join(map(_address, known)) or NOTHING

    @admin.display(description=gettext_lazy("events"))
    def security_log(self, user: User) -> str:
        return events_link(user) if user.pk else NOTHING

    @admin.display(description=gettext_lazy("emails"))
    def mails(self, user: User) -> str:
        return mails_link(user) if user.pk else NOTHING

    @admin.display(description=gettext_lazy("second step"))
    def second_step(self, user: User) -> str:
        return kinds(user)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """An address belongs to whoever reads its mail; only superusers grant permissions."""
        fixed = (
            *("addresses", "second_step", "date_joined", "last_login", "security_log", "mails"),
            *(("email",) if obj else ()),
        )
        return fixed if request.user.is_superuser else (*fixed, *PERMISSION_FIELDS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        is_more_powerful = obj is not None and obj.is_superuser and not request.user.is_superuser
        is_erased = obj is not None and obj.erased_at is not None
        return not (is_more_powerful or is_erased) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Never: timelines and the log name users. They are deactivated or erased instead."""
        return False

    def save_model(
        self, request: HttpRequest, obj: User, form: ModelForm[User], change: bool
    ) -> None:
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)
        permission_changes.record_user(request, obj, form)

    # Any: the form of the admin's own model, and its inlines
    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if change and POWERS.intersection(form.changed_data):
            sessions.end_after_change(form.instance, "rights changed by staff", request)


def _address(row: EmailAddress) -> str:
    said = gettext("%(email)s (verified)") if row.verified else gettext("%(email)s (not verified)")
    return said % {"email": row.email}
