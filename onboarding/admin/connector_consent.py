"""Staff's words for what merchants agree to: a field for each part, in place of the column's JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, gettext_lazy

from onboarding.consent import consent_of
from onboarding.consent.words import LONGEST, LONGEST_LINE, PARTS
from onboarding.models import Connector
from onboarding.registry import vendor_of
from vendors.contract.characters import is_visible, one_line

if TYPE_CHECKING:
    from django.contrib.admin.options import _FieldOpts

LABELS = {
    "reads": gettext_lazy("What we read"),
    "shared": gettext_lazy("What the vendor gets"),
    "purpose": gettext_lazy("Why"),
    "duration": gettext_lazy("How long"),
    "audience": gettext_lazy("Who can see it"),
}
FIELDS = tuple(f"consent_{key}" for key in PARTS)


def fieldset(connector: Connector) -> tuple[str, _FieldOpts]:
    """The fields below a heading of their own, with the default words above them."""
    vendor = vendor_of(connector.vendor)
    words = gettext("Plain text. The first line is always shown, the other lines unfold.")
    description = format_html("<p>{}</p>", words)
    if vendor:
        parts = consent_of(Connector(vendor=connector.vendor, slug=connector.slug), vendor).parts
        rows = ((part.title, " ".join([*part.lines, *part.more])) for part in parts)
        defaults = format_html_join("", "<li>{}: {}</li>", rows)
        intro = gettext("A field that is left empty has the default words:")
        description += format_html("<p>{}</p><ul>{}</ul>", intro, defaults)
    return gettext("What merchants agree to"), {"fields": FIELDS, "description": description}


class PartField(forms.CharField):
    """Lines of plain text, without characters that nobody sees; empty lines go."""

    widget = forms.Textarea(attrs={"rows": 3})

    def to_python(self, value: object) -> str:
        typed = super().to_python(value) or ""
        lines = [line for line in map(one_line, typed.splitlines()) if is_visible(line)]
        if lines and len(lines[0]) > LONGEST_LINE:
            words = gettext("The first line may have at most %(limit)d characters.")
            raise ValidationError(words % {"limit": LONGEST_LINE}, code="max_length")
        return "\n".join(lines)


def _part(key: str) -> PartField:
    return PartField(label=LABELS[key], required=False, max_length=LONGEST)


class ConsentForm(forms.ModelForm):  # type: ignore[type-arg]  # no subscript at run time
    """The fields of a connector's consent. Saving the form writes the column."""

    consent_reads = _part("reads")
    consent_shared = _part("shared")
    consent_purpose = _part("purpose")
    consent_duration = _part("duration")
    consent_audience = _part("audience")

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> object:
        if field_name in FIELDS:
            return self.instance.consent.get(field_name.removeprefix("consent_"), "")
        return super().get_initial_for_field(field, field_name)

    def save(self, commit: bool = True) -> Connector:
        """A form without these fields, such as that of the list, leaves the words alone."""
        if set(FIELDS) <= self.fields.keys():
            typed = {key: self.cleaned_data[f"consent_{key}"] for key in PARTS}
            self.instance.consent = {key: words for key, words in typed.items() if words}
        connector: Connector = super().save(commit)
        return connector
