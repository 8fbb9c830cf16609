"""The forms of the merchant's pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from . import team
from .journey import names
from .models import Connection, Connector, Membership, Merchant
from .situation import shown

FEW = 7  # choices that are shown one below the other; more than that open as a list
LONGEST = 500  # letters of an answer
ANSWER = "answer_"


class Choices(forms.RadioSelect):
    """Radio buttons; an error summary's link leads to the first of them."""

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        return super().id_for_label(id_, "0" if index is None else index)


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


class QuestionsForm(forms.Form):
    """Fields for questions as they are stored (journey.outcomes.plain)."""

    def __init__(self, questions: Sequence[Mapping[str, Any]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for question in questions:
            self.fields[ANSWER + question["key"]] = _field(question)

    @property
    def answers(self) -> dict[str, str]:
        """What to hand on, by the questions' keys."""
        fields = self.cleaned_data.items()
        return {name.removeprefix(ANSWER): said for name, said in fields if name.startswith(ANSWER)}


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
        max_length=names.LONGEST,
        error_messages={"required": gettext_lazy("Give this shop a name.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class RenameForm(NameForm):
    def __init__(self, connection: Connection, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connection = connection

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = names.named(self.connection.account.merchant).exclude(pk=self.connection.pk)
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


def _field(question: Mapping[str, Any]) -> forms.Field:
    label, initial = shown(question["label"]), question["initial"]
    given: dict[str, Any] = {
        "label": label,
        "help_text": shown(question["help"]),
        "initial": initial,
        "required": question["required"],
    }
    if not question["choices"]:
        missing = gettext("Answer this question: %(question)s") % {"question": label}
        if question.get("secret"):
            given["widget"] = forms.PasswordInput(attrs={"autocomplete": "new-password"})
        return forms.CharField(max_length=LONGEST, error_messages={"required": missing}, **given)
    return _choice(question, label, given)


def _choice(question: Mapping[str, Any], label: str, given: dict[str, Any]) -> forms.Field:
    choices = [(value, shown(text)) for value, text in question["choices"]]
    if not question["required"] and all(value for value, _ in choices):
        choices = [("", gettext("None of these")), *choices]
    choose = gettext("Choose an answer: %(question)s") % {"question": label}
    widget = Choices if len(choices) <= FEW else forms.Select
    return forms.ChoiceField(
        choices=choices,
        widget=widget,
        error_messages={"required": choose, "invalid_choice": choose},
        **given,
    )
