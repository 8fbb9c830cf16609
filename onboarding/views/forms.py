"""The forms of merchants' pages."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext, gettext_lazy

from onboarding import journey
from onboarding.fields import EmailField, LineField, NameField
from onboarding.models import Connector, Membership, Merchant
from onboarding.people import team
from onboarding.questions import FEW, Choices, QuestionsForm, StoredQuestion


class BusinessForm(forms.Form):
    name = NameField(
        label=gettext_lazy("What is your business called?"),
        help_text=gettext_lazy("As your colleagues know it. You can invite them later."),
        max_length=200,
        error_messages={"required": gettext_lazy("Enter the name of your business.")},
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )


class InviteForm(forms.Form):
    email = EmailField(
        help_text=gettext_lazy("They can accept only with this address."),
        error_messages={
            "required": gettext_lazy("Enter the email address of the person to invite."),
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

    def __init__(self, merchant: Merchant, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.merchant = merchant

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if team.has_member(self.merchant, email):
            message = gettext("%(email)s is already in the team.")
            raise forms.ValidationError(message % {"email": email})
        return email


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Membership.Role)


class RightsForm(forms.Form):
    """A checkbox and its button: an unticked one takes the right."""

    may_see_secrets = forms.BooleanField(required=False)


class ActForm(QuestionsForm):
    """A merchant's action: the vendor's questions, and the choice of a connector.

    A single connector is not asked for, unless one was posted: if it is no longer offered, the form says so.
    """

    def __init__(
        self,
        questions: Sequence[StoredQuestion],
        connectors: Sequence[Connector],
        label: str,
        data: QueryDict | None = None,
    ) -> None:
        super().__init__(questions, data)
        self.connectors = {each.slug: each for each in connectors}
        if len(connectors) > 1 or (connectors and data and "connector" in data):
            self.fields["connector"] = _connector_field(connectors, label)

    @property
    def chosen(self) -> Connector | None:
        return self.connectors.get(self.cleaned_data.get("connector", ""))


class ShopForm(QuestionsForm):
    """The name of a new shop, and its vendor's questions."""

    name = LineField(
        label=gettext_lazy("Name of this shop"),
        help_text=gettext_lazy("Only you and your colleagues see it. It tells your shops apart."),
        max_length=100,
        error_messages={"required": gettext_lazy("Give this shop a name.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class NameForm(forms.Form):
    name = LineField(
        label=gettext_lazy("Name of this shop"),
        max_length=journey.LONGEST_NAME,
        error_messages={"required": gettext_lazy("Give this shop a name.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


def taken(name: str) -> str:
    """The error for a name that another shop of the merchant has."""
    message = gettext("You already have a shop called “%(name)s”. Choose another name.")
    return message % {"name": name}


def _connector_field(connectors: Sequence[Connector], label: str) -> forms.Field:
    """A choice of connectors; the first is the one that the shop has now."""
    now = gettext("%(connector)s (current)") % {"connector": connectors[0]}
    others = [(each.slug, str(each)) for each in connectors[1:]]
    return forms.ChoiceField(
        choices=[(connectors[0].slug, now), *others],
        initial=connectors[0].slug,
        label=label,
        widget=Choices if len(connectors) <= FEW else forms.Select,
        error_messages={
            "required": gettext("Choose one of these."),
            "invalid_choice": gettext("This is no longer offered. Choose one of these."),
        },
    )
