"""Questions that a vendor asks: how they are stored, and the form that asks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext

from vendors.contract import Question

from .models.status import dumped, shown

FEW = 7  # choices that are shown one below the other; more than that open as a list
LONGEST = 500  # letters of an answer
ANSWER = "answer_"


def plain(question: Question) -> dict[str, Any]:
    """A question as it is stored: texts by id and parameters."""
    return {
        "key": question.key,
        "label": dumped(question.label),
        "help": dumped(question.help),
        "choices": [[value, dumped(label)] for value, label in question.choices],
        "initial": question.initial,
        "required": question.required,
        "secret": question.secret,
        "addresses": question.addresses,
    }


class Choices(forms.RadioSelect):
    """Radio buttons; an error summary's link leads to the first of them."""

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        return super().id_for_label(id_, "0" if index is None else index)


class QuestionsForm(forms.Form):
    """Fields for questions as they are stored (`plain`)."""

    def __init__(self, questions: Sequence[Mapping[str, Any]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for question in questions:
            self.fields[ANSWER + question["key"]] = _field(question)

    @property
    def answers(self) -> dict[str, str]:
        """What to hand on, by the questions' keys."""
        fields = self.cleaned_data.items()
        return {name.removeprefix(ANSWER): said for name, said in fields if name.startswith(ANSWER)}


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


def form_data(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: None for a GET, even when a POST is empty."""
    return request.POST if request.method == "POST" else None
