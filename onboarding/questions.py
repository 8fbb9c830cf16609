"""Questions of a vendor: how they are stored as JSON, and the Django form that asks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext

from vendors.contract import Question

from .models.status import dumped, shown

FEW = 7  # choices that are shown as radio buttons; more than that as a drop-down list
LONGEST = 500  # characters of an answer
ANSWER = "answer_"  # prefix of the names of the form's fields

StoredText = dict[str, Any]  # a Text as `dumped` makes it


class StoredQuestion(TypedDict):
    """A question as JSON, in `Attempt.questions`. Its fields are those of `vendors.contract.Question`."""

    key: str
    label: StoredText
    help: StoredText
    choices: list[tuple[str, StoredText]]  # value and label; read from the database, lists of two
    initial: str
    required: bool
    # Missing in questions that older versions stored.
    secret: NotRequired[bool]
    addresses: NotRequired[bool]
    # Only on a page: whether addresses were added since the vendor asked.
    added: NotRequired[bool]


def plain(question: Question) -> StoredQuestion:
    """The question as it is stored: texts by msgid and parameters, translated when they are shown."""
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
        initial: dict[str, object] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        for question in questions:
            self.fields[ANSWER + question["key"]] = _field(question)

    @property
    def answers(self) -> dict[str, str]:
        """The cleaned answers by the keys of their questions."""
        fields = self.cleaned_data.items()
        return {name.removeprefix(ANSWER): text for name, text in fields if name.startswith(ANSWER)}


class _Options(TypedDict):
    """Arguments that every kind of field takes."""

    label: str
    help_text: str
    initial: str
    required: bool


def _field(question: StoredQuestion) -> forms.Field:
    label = shown(question["label"])
    options = _Options(
        label=label,
        help_text=shown(question["help"]),
        initial=question["initial"],
        required=question["required"],
    )
    if not question["choices"]:
        missing = gettext("Answer this question: %(question)s") % {"question": label}
        return forms.CharField(
            max_length=LONGEST,
            error_messages={"required": missing},
            widget=_password_box() if question.get("secret") else None,
            **options,
        )
    return _choice(question, label, options)


def _password_box() -> forms.PasswordInput:
    return forms.PasswordInput(attrs={"autocomplete": "new-password"})


def _choice(question: StoredQuestion, label: str, options: _Options) -> forms.Field:
    choices = [(value, shown(text)) for value, text in question["choices"]]
    if not question["required"] and all(value for value, _ in choices):
        choices = [("", gettext("None of these")), *choices]
    choose = gettext("Choose an answer: %(question)s") % {"question": label}
    widget = Choices if len(choices) <= FEW else forms.Select
    return forms.ChoiceField(
        choices=choices,
        widget=widget,
        error_messages={"required": choose, "invalid_choice": choose},
        **options,
    )


def form_data(request: HttpRequest) -> QueryDict | None:
    """The data to bind a form to: None for a GET, and not None for an empty POST."""
    return request.POST if request.method == "POST" else None
