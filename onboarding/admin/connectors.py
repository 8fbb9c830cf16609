"""Connectors: the catalogue as vendors list it, with the fields that staff set and the rows they add."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import slugify
from django.utils.translation import gettext, gettext_lazy

from onboarding import registry
from onboarding.catalogue import readiness
from onboarding.models import Connector
from vendors.contract.characters import is_plain

from . import connector_consent
from .changelist import AnyQuerySet, VendorFilter
from .connector_consent import ConsentForm
from .vendor_page import VendorPagesAdmin, connector_target, vendor_pages

if TYPE_CHECKING:
    from django.contrib.admin.options import _FieldsetSpec

NEXT = ("next_words", "next_link", "next_label")  # what merchants read once a shop is connected
SET_BY_STAFF = ("visible", "name", "position", "options", *NEXT)
SET_BY_VENDOR = (
    "vendor",
    "key",
    "vendor_name",
    "platform",
    "category",
    "description",
    "gone",
    "slug",
)
EXAMPLE = '{"path": "/"}'


class OptionsField(forms.JSONField):
    """A JSON object; a syntax error names its line and column."""

    # Any: the stubs take a JSONField for a field of text
    def to_python(self, value: object) -> Any:
        if not isinstance(value, str) or self.disabled:
            return value
        try:
            parsed = json.loads(value or "{}")
        except json.JSONDecodeError as error:
            place = {"line": error.lineno, "column": error.colno, "example": EXAMPLE}
            text = gettext("Not JSON at line %(line)s, column %(column)s. Write e.g. %(example)s")
            raise ValidationError(text % place, code="invalid") from None
        if not isinstance(parsed, dict):
            text = gettext("This must be a JSON object, e.g. %(example)s") % {"example": EXAMPLE}
            raise ValidationError(text, code="invalid")
        if not all(map(is_plain, _texts(parsed))):
            text = gettext("Control characters, such as \\u0000, cannot be part of a text.")
            raise ValidationError(text, code="invalid")
        return parsed


def _texts(value: object) -> Iterator[str]:
    """Every text in parsed JSON, keys included."""
    if isinstance(value, str):
        yield value
    parts = [*value.keys(), *value.values()] if isinstance(value, dict) else value
    for part in parts if isinstance(parts, list) else ():
        yield from _texts(part)


class ConnectorForm(ConsentForm):
    class Meta:
        model = Connector
        fields = (*SET_BY_STAFF, "platform", "category", "description")
        field_classes: ClassVar[dict[str, type[forms.Field]]] = {"options": OptionsField}

    def clean_next_label(self) -> str:
        """A button leads somewhere."""
        label: str = self.cleaned_data["next_label"]
        if label and not self.data.get("next_link"):
            raise ValidationError(gettext("Enter the link that this button opens, too."))
        return label


class AddForm(ConnectorForm):
    """Staff add a connector: an entry of the vendor's with its own name and options."""

    opens = forms.ModelChoiceField(
        Connector.objects.filter(staff_made=False, gone=None).order_by("vendor", "vendor_name"),
        label=gettext_lazy("Entry at the vendor"),
        help_text=gettext_lazy("Where merchants are taken."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # Any: Django's signature
        super().__init__(*args, **kwargs)
        self.fields["name"].required = True
        self.fields["name"].help_text = gettext_lazy("As merchants read it: “WooCommerce”.")
        self.fields["platform"].required = False
        self.fields["platform"].help_text = gettext_lazy(
            "The shop system in one word: “woocommerce”. Left empty: the name."
        )

    def clean(self) -> dict[str, object]:
        """Where a vendor asks questions, the next page asks them instead of JSON."""
        data: dict[str, object] = super().clean() or self.cleaned_data
        opens = data.get("opens")
        asks = isinstance(opens, Connector) and readiness.has_questions(
            registry.vendor_of(opens.vendor)
        )
        if asks and data.get("options"):
            self.add_error("options", gettext("Leave this empty: you are asked on the next page."))
        return data

    def clean_platform(self) -> str:
        """Never empty: it is part of a deep link's URL."""
        typed: str = self.cleaned_data["platform"]
        return typed or slugify(self.cleaned_data.get("name", ""))[:60] or "shop"


@admin.register(Connector)
class ConnectorAdmin(VendorPagesAdmin):
    form = ConnectorForm
    list_display = (
        "__str__",
        "vendor_label",
        "platform",
        "visible",
        "position",
        "set_up",
        "offered",
        "own",
    )
    list_editable = ("visible", "position")
    list_filter = (VendorFilter,)
    search_fields = ("name", "vendor_name", "key")
    ordering: ClassVar[tuple[str, ...]] = ("position", "vendor_name")

    def search_querysets(self, term: str) -> tuple[AnyQuerySet, ...]:
        connectors = Connector.objects.all()
        return (
            connectors.filter(name__icontains=term),
            connectors.filter(vendor_name__icontains=term),
            connectors.filter(key=term),
            connectors.filter(platform=term.lower()),
        )

    @admin.display(description=gettext_lazy("vendor"))
    def vendor_label(self, connector: Connector) -> str:
        return registry.vendor_name(connector.vendor)

    @admin.display(description=gettext_lazy("set up"), boolean=True)
    def set_up(self, connector: Connector) -> bool:
        return connector.ready

    @admin.display(description=gettext_lazy("still offered"), boolean=True)
    def offered(self, connector: Connector) -> bool:
        return connector.gone is None

    @admin.display(description=gettext_lazy("added by staff"), boolean=True)
    def own(self, connector: Connector) -> bool:
        return connector.staff_made

    def get_form(
        self,
        request: HttpRequest,
        obj: Connector | None = None,
        change: bool = False,
        **kwargs: object,
    ) -> type[forms.ModelForm[Connector]]:
        form = kwargs if change else {**kwargs, "form": AddForm}
        return super().get_form(request, obj, change, **form)

    def get_changelist_form(
        self, request: HttpRequest, **kwargs: object
    ) -> type[forms.ModelForm[Connector]]:
        """The fields in the list have no visible label."""
        widgets = {
            "visible": forms.CheckboxInput({"aria-label": gettext("Visible")}),
            "position": forms.NumberInput({"aria-label": gettext("Position")}),
        }
        return super().get_changelist_form(request, **{**kwargs, "widgets": widgets})

    def get_fields(self, request: HttpRequest, obj: Connector | None = None) -> tuple[str, ...]:
        if obj is None:
            return (
                "opens",
                "name",
                "platform",
                "category",
                "description",
                "visible",
                "position",
                "options",
                *NEXT,
            )
        asks = readiness.has_questions(registry.vendor_of(obj.vendor))
        own = (name for name in SET_BY_STAFF if name != "options" or not asks)
        return (*own, *SET_BY_VENDOR)

    def get_fieldsets(self, request: HttpRequest, obj: Connector | None = None) -> _FieldsetSpec:
        """What merchants agree to is worded on the page of a connector that is there."""
        own: _FieldsetSpec = [(None, {"fields": self.get_fields(request, obj)})]
        return [*own, connector_consent.fieldset(obj)] if obj else own

    def view_on_site(self, obj: Connector) -> str:  # type: ignore[override]  # Django takes either
        """Where merchants read it: the preview of its words."""
        return f"{reverse('platform', args=[obj.platform])}?{urlencode({'way': obj.slug})}"

    def get_readonly_fields(
        self, request: HttpRequest, obj: Connector | None = None
    ) -> tuple[str, ...]:
        if obj is None:
            return ()
        typed = {"platform", "category", "description"} if obj.staff_made else set[str]()
        return tuple(name for name in SET_BY_VENDOR if name not in typed)

    def has_delete_permission(self, request: HttpRequest, obj: Connector | None = None) -> bool:
        """Not while a shop uses it, and not while the vendor lists it: the refresh would add it again."""
        if obj is not None and (obj.connections.exists() or not (obj.staff_made or obj.gone)):
            return False
        return super().has_delete_permission(request, obj)

    def save_model(
        self, request: HttpRequest, obj: Connector, form: forms.ModelForm[Connector], change: bool
    ) -> None:
        if not change:
            opens: Connector = form.cleaned_data["opens"]
            obj.vendor, obj.key, obj.vendor_name = opens.vendor, opens.key, obj.name
            obj.staff_made, obj.slug = True, free_slug(f"{obj.vendor}-{slugify(obj.name)}")
            obj.ready = not readiness.has_questions(registry.vendor_of(obj.vendor))
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: Connector, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Redirect to the vendor's questions: merchants are not offered it until they are answered."""
        if url := self.options_url(obj):
            return redirect(url)
        return super().response_add(request, obj, post_url_continue)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        context = {"vendor_pages": vendor_pages(), **(extra_context or {})}
        return super().changelist_view(request, context)

    def page_context(self, request: HttpRequest, connector: Connector) -> dict[str, object]:
        lists = [self.options_list(connector)]
        if registry.vendor_of(connector.vendor):
            lists.append(connector_target(connector).action_list())
        return {"action_lists": lists, "may_act": self.may_act(request)}


def free_slug(wanted: str) -> str:
    """A slug that no connector has: the wanted one, or that with a number."""
    wanted = wanted.strip("-")[:110]
    candidates = (wanted if n == 1 else f"{wanted}-{n}" for n in range(1, 10_000))
    return next(s for s in candidates if not Connector.objects.filter(slug=s).exists())
