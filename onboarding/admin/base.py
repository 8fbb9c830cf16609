"""Base classes of the admin's pages: fast changelists, change pages with more than fields, actions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeAlias, cast

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import PermissionDenied, SuspiciousOperation, ValidationError
from django.db.models import CharField, Field, ManyToManyField, Model, SlugField
from django.db.models import EmailField as ModelEmailField
from django.forms import Form, ModelMultipleChoiceField
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import capfirst

from onboarding.fields import EmailField, LineField
from onboarding.models import User

from . import once
from .changelist import AnyQuerySet, CappedPaginator, ids

NUMBER = "[0-9]{1,18}"  # of a row
# Columns that are encrypted at rest.
ATTEMPT_SECRETS = ("call", "account_memo", "connection_memo")
ACCOUNT_SECRETS = ("memo", "staff_answers")
CONNECTION_SECRETS = (
    "answers",
    "memo",
    "reveal",
    *(f"account__{name}" for name in ACCOUNT_SECRETS),
)


FieldOptions: TypeAlias = "Mapping[type[Field[Any, Any]], Mapping[str, Any]]"  # Any: as Django's
Actions = dict[str, tuple[Callable[..., str], str, str] | None]  # as Django's get_actions


def staff_user(request: HttpRequest) -> User:
    """Who acts. The admin lets nobody in who is not signed in."""
    return cast(User, request.user)


class NumberedChoices(ModelMultipleChoiceField):  # type: ignore[type-arg]  # no subscript at run time
    """Chosen rows. A number that no column holds is no choice, where SQLite would raise OverflowError."""

    def clean(self, value: Any) -> Any:  # Any: as in Django's stubs
        for number in value or ():
            if not re.fullmatch(NUMBER, str(number)):
                message = self.error_messages["invalid_choice"]
                raise ValidationError(message, code="invalid_choice", params={"value": number})
        return super().clean(value)


class TolerantAdmin(once.AddsOnce):
    """Django's pages, where three odd parameters would be errors of the database layer."""

    def formfield_for_manytomany(  # Any: Django's signature
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelMultipleChoiceField[Any] | None:  # Any: of whatever the field leads to
        """Rows are chosen by their numbers."""
        kwargs.setdefault("form_class", NumberedChoices)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:  # Any: a row of the admin's own model
        """An empty `_to_field` names no field."""
        return super().get_object(request, object_id, from_field or None)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:  # Any: as in Django's stubs
        """Rows are chosen by their numbers. The heading says what they are."""
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if not all(re.fullmatch(NUMBER, number) for number in chosen):
            raise SuspiciousOperation("a chosen row has no number")
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})


class BaseAdmin(TolerantAdmin):
    """The base of all our admin classes. Columns in `deferred` are never loaded."""

    deferred: tuple[str, ...] = ()
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator
    list_per_page = 50
    ordering: ClassVar[tuple[str, ...]] = ("-pk",)
    sortable_by = ()
    view_on_site = False
    formfield_overrides: ClassVar[FieldOptions] = {
        CharField: {"form_class": LineField},
        ModelEmailField: {"form_class": EmailField},
        SlugField: {"widget": AdminTextInputWidget},  # it has a form field of its own
    }

    def get_queryset(self, request: HttpRequest) -> AnyQuerySet:
        rows = super().get_queryset(request)
        if self.list_select_related:
            rows = rows.select_related(*self.list_select_related)  # type: ignore[misc]
        return rows.defer(*self.deferred)

    def get_actions(self, request: HttpRequest) -> Actions:
        """Without bulk deletion."""
        actions: Actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def search_querysets(self, term: str) -> Iterable[AnyQuerySet]:
        """The rows that a search term finds: one query set for each column."""
        return ()

    def get_search_results(
        self, request: HttpRequest, queryset: AnyQuerySet, search_term: str
    ) -> tuple[AnyQuerySet, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found = {pk for rows in self.search_querysets(term) for pk in ids(rows)}
        return queryset.filter(pk__in=found), False

    # -- the page of a row -----------------------------------------------------------------------

    # Any: a row of the admin's own model, which each class names
    def page_context(self, request: HttpRequest, row: Any) -> dict[str, object]:
        """What the change page shows beside the fields, for admin/onboarding/change_form.html."""
        return {}

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, object],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Model | None = None,
    ) -> HttpResponse:
        if obj is not None:
            context = {**context, **self.page_context(request, obj)}
        return super().render_change_form(request, context, add, change, form_url, obj)

    # -- actions ---------------------------------------------------------------------------------

    def may_act(self, request: HttpRequest) -> bool:
        """Whether this member of staff may use the actions on these pages."""
        return self.has_change_permission(request)

    # Any: a row of the admin's own model, which callers name
    def object_to_act_on(self, request: HttpRequest, object_id: str) -> Any:
        """The row of an action: 403 for those who may only read, 404 where there is none."""
        if not self.may_act(request):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        return row

    def render_page(
        self, request: HttpRequest, template: str, context: Mapping[str, object], status: int = 200
    ) -> HttpResponse:
        """A page of our own in the admin's layout, from templates/admin/onboarding/."""
        frame = {**self.admin_site.each_context(request), "opts": self.opts}
        return render(request, f"admin/onboarding/{template}", {**frame, **context}, status=status)

    def render_form(
        self, request: HttpRequest, form: Form, context: Mapping[str, object]
    ) -> HttpResponse:
        """The page of one form; 422 and what was entered when something is wrong.

        `context`: title, explain, button (its label), original (the row it is about), back (that
        row's URL), vendor (its name) and perhaps problem (an error of the whole form).
        """
        status = 422 if form.errors or context.get("problem") else 200
        context = {"form": form, "form_id": once.new_form_id(), **context}
        return self.render_page(request, "action_form.html", context, status)


class ReadOnlyAdmin(BaseAdmin):
    """Rows that only the journey writes: staff read them and use actions, but edit no fields."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def may_act(self, request: HttpRequest) -> bool:
        return super().has_change_permission(request)
