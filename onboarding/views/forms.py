"""The forms of the merchant's pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from onboarding import journey
from onboarding.models import Connection, Connector, Membership, Merchant
from onboarding.people import team
from onboarding.questions import FEW, Choices, QuestionsForm


class BusinessForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("What is your business called?"),
        help_text=gettext_lazy("As your colleagues know it. You can invite them later."),
        max_length=200,
        error_messages={"required": gettext_lazy("Enter the name of your business.")},
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )


class InviteForm(forms.Form):
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        help_text=gettext_lazy("They accept by signing in with this address, and no other."),
        error_messages={
            "required": gettext_lazy("Enter the e-mail address of the person to invite."),
            "invalid": gettext_lazy("Enter an e-mail address such as name@example.com."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(
        label=gettext_lazy("What may they do?"),
        choices=[
            (Membership.Role.MEMBER, gettext_lazy("Member: connects and repairs shops")),
            (
                Membership.Role.OWNER,
                gettext_lazy("Owner: also invites, removes people and disconnects shops"),
            ),
        ],
        initial=Membership.Role.MEMBER,
        widget=Choices,
        error_messages={"required": gettext_lazy("Choose what they may do.")},
    )

    def __init__(self, merchant: Merchant, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.merchant = merchant

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if team.has_member(self.merchant, email):
            said = gettext("%(email)s belongs to the team already.")
            raise forms.ValidationError(said % {"email": email})
        return email


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Membership.Role)


class ActForm(QuestionsForm):
    """A merchant's action: what the vendor asks, and which of its connectors it shall be.

    A choice of one is not asked for, but an answer that is gone meanwhile is told.
    """

    def __init__(
        self,
        questions: Sequence[Mapping[str, Any]],
        connectors: Sequence[Connector],
        label: str,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(questions, data)
        self.connectors = {each.slug: each for each in connectors}
        if len(connectors) > 1 or (connectors and data and "connector" in data):
            self.fields["connector"] = _of_connectors(connectors, label)

    @property
    def chosen(self) -> Connector | None:
        return self.connectors.get(self.cleaned_data.get("connector", ""))


class ShopForm(QuestionsForm):
    """The name of a new shop, and what only its vendor needs to know."""

    name = forms.CharField(
        label=gettext_lazy("Name of this shop"),
        help_text=gettext_lazy("Only you and your colleagues see it. It tells your shops apart."),
        max_length=100,
        error_messages={"required": gettext_lazy("Give this shop a name.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class NameForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name of this shop"),
        max_length=journey.LONGEST_NAME,
        error_messages={"required": gettext_lazy("Give this shop a name.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class RenameForm(NameForm):
    def __init__(self, connection: Connection, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connection = connection

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = journey.named_connections(self.connection.account.merchant).exclude(
            pk=self.connection.pk
        )
        if others.filter(name__iexact=name).exists():
            raise forms.ValidationError(taken(name))
        return name


def taken(name: str) -> str:
    said = gettext("You have another shop called “%(name)s”. Give this one a name of its own.")
    return said % {"name": name}


def _of_connectors(connectors: Sequence[Connector], label: str) -> forms.Field:
    """The first is what the shop has now."""
    now = gettext("%(connector)s (as now)") % {"connector": connectors[0]}
    rest = [(each.slug, str(each)) for each in connectors[1:]]
    return forms.ChoiceField(
        choices=[(connectors[0].slug, now), *rest],
        initial=connectors[0].slug,
        label=label,
        widget=Choices if len(connectors) <= FEW else forms.Select,
        error_messages={
            "required": gettext("Choose one of these."),
            "invalid_choice": gettext("This is no longer offered. Choose one of these."),
        },
    )
