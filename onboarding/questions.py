"""Questions of a vendor: how they are stored as JSON, and the Django form that asks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext

from vendors.contract import Question

from .fields import LineField, SecretField
from .models.status import StoredText, dumped, shown

FEW = 7  # choices that are shown as radio buttons; more than that as a drop-down list
LONGEST = 500  # characters of an answer
ANSWER = "answer_"  # prefix of the names of the form's fields


class StoredQuestion(TypedDict):
    """A `Question` as JSON. `choices` are [value, label] pairs.

    `added`: only of a question for an address, whether the merchant has added one since it was asked.
    """

    key: str
    label: StoredText
    help: StoredText
    choices: list[tuple[str, StoredText]]
    initial: str
    required: bool
    secret: NotRequired[bool]
    addresses: NotRequired[bool]
    added: NotRequired[bool]


def plain(question: Question) -> StoredQuestion:
    """A question as it is stored: texts by id and parameters."""
    return {
        "key": question.key,
        "label": dumped(question.label),
        "help": dumped(question.help),
        "choices": [(value, dumped(label)) for value, label in question.choices],
        "initial": question.initial,
        "required": question.required,
        "secret": question.secret,
        "addresses": question.addresses,
    }


class Choices(forms.RadioSelect):
    """Radio buttons. The link of an error summary leads to the first of them."""

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        return super().id_for_label(id_, "0" if index is None else index)


class QuestionsForm(forms.Form):
    """A field for each stored question."""

    def __init__(
        self,
        questions: Sequence[StoredQuestion],
        data: Mapping[str, object] | None = None,
        initial: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        for question in questions:
            self.fields[ANSWER + question["key"]] = _field(question)

    @property
    def answers(self) -> dict[str, str]:
        """The cleaned answers by the keys of their questions."""
        fields = self.cleaned_data.items()
        return {name.removeprefix(ANSWER): text for name, text in fields if name.startswith(ANSWER)}


def _field(question: StoredQuestion) -> forms.Field:
    if question["choices"]:
        return _choice(question)
    label = shown(question["label"])
    missing = gettext("Answer this question: %(question)s") % {"question": label}
    field = SecretField if question.get("secret") else LineField
    return field(
        label=label,
        help_text=shown(question["help"]),
        initial=question["initial"],
        required=question["required"],
        max_length=LONGEST,
        error_messages={"required": missing},
    )


def _choice(question: StoredQuestion) -> forms.Field:
    label = shown(question["label"])
    choices = [(value, shown(text)) for value, text in question["choices"]]
    if not question["required"] and all(value for value, _ in choices):
        choices = [("", gettext("None of these")), *choices]
    choose = gettext("Choose an answer: %(question)s") % {"question": label}
    return forms.ChoiceField(
        label=label,
        help_text=shown(question["help"]),
        initial=question["initial"],
        required=question["required"],
        choices=choices,
        widget=Choices if len(choices) <= FEW else forms.Select,
        error_messages={"required": choose, "invalid_choice": choose},
    )


def form_data(request: HttpRequest) -> QueryDict | None:
    """The data to bind a form to: None for a GET, and not None for an empty POST."""
    return request.POST if request.method == "POST" else None
