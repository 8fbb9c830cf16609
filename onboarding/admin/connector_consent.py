"""Staff's words for what merchants agree to: a field for each part, in place of the column's JSON."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, gettext_lazy

from onboarding.consent.words import LONGEST, LONGEST_LINE, PARTS
from onboarding.models import Connector
from vendors.contract.characters import is_visible, one_line

HELP = gettext_lazy(
    "Plain text. The first line is always shown, the other lines unfold. Empty: the default words."
)
LABELS = {
    "reads": gettext_lazy("Consent: what we read"),
    "shared": gettext_lazy("Consent: what the vendor gets"),
    "purpose": gettext_lazy("Consent: why"),
    "duration": gettext_lazy("Consent: how long"),
    "audience": gettext_lazy("Consent: who can see it"),
}
FIELDS = tuple(f"consent_{key}" for key in PARTS)


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
    return PartField(label=LABELS[key], required=False, max_length=LONGEST, help_text=HELP)


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
