"""The forms that close an account or a business, for people themselves and for staff."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext, gettext_lazy, ngettext

from onboarding.fields import LineField
from onboarding.models import Merchant
from onboarding.questions import FEW, Choices
from vendors.contract.characters import name_key

from .erasure import CLOSE, Leaving


class HandOverForm(forms.Form):
    """Closing an account: who takes over each business that would have no owner any more."""

    def __init__(self, leaving: Sequence[Leaving], data: QueryDict | None = None) -> None:
        super().__init__(data)
        for each in leaving:
            if each.needs_choice:
                self.fields[f"business_{each.merchant.pk}"] = _heir_field(each)

    @property
    def choices(self) -> dict[int, int | str]:
        """The primary key of a business → that of the next owner's membership, or CLOSE."""
        return {
            int(name.removeprefix("business_")): CLOSE if choice == CLOSE else int(choice)
            for name, choice in self.cleaned_data.items()
        }


def _heir_field(leaving: Leaving) -> forms.Field:
    name = {"business": leaving.merchant.name}
    successors = [(str(each.pk), each.user.get_full_name()) for each in leaving.successors]
    close = gettext("Nobody: close “%(business)s” too, with all its shops") % name
    choose = gettext("Choose who takes over “%(business)s”.") % name
    return forms.ChoiceField(
        label=gettext("Who takes over “%(business)s”?") % name,
        help_text=_help(leaving),
        choices=[*successors, (CLOSE, close)],
        widget=Choices if len(successors) < FEW else forms.Select,
        error_messages={"required": choose, "invalid_choice": choose},
    )


def _help(leaving: Leaving) -> str:
    if not leaving.successors:
        return gettext("It has no other member. To keep it, invite another owner first.")
    if not leaving.shops:
        return gettext("It has no other owner. The person you choose becomes an owner.")
    return ngettext(
        "It has no other owner. The person you choose becomes an owner, and its"
        " %(shops)s shop stays connected.",
        "It has no other owner. The person you choose becomes an owner, and its"
        " %(shops)s shops stay connected.",
        leaving.shops,
    ) % {"shops": leaving.shops}


class CloseBusinessForm(forms.Form):
    """Closing a business: its name is typed, because it ends for everybody and cannot be undone."""

    name = LineField(
        label=gettext_lazy("Type the name of the business to confirm"),
        max_length=200,
        error_messages={"required": gettext_lazy("Type the name of the business.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, merchant: Merchant, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.merchant = merchant

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name_key(name) != name_key(self.merchant.name):
            message = gettext("This is a different name. Type: %(business)s")
            raise forms.ValidationError(message % {"business": self.merchant.name})
        return name
