"""What only staff know of an account, drawn from the vendor's `staff_questions()`.

Secrets go in and never come out: the page says whether there is one, no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, gettext_lazy

from onboarding import journey, registry
from onboarding.models import Account
from onboarding.models.status import dumped, shown
from onboarding.questions import ANSWER, QuestionsForm, plain
from vendors.contract import Question

from .vendor_actions import Desk, posted


class KnowledgeForm(QuestionsForm):
    """A secret that is on file is kept when its field stays empty."""

    def __init__(
        self, asked: Sequence[Question], known: Mapping[str, str], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__([plain(_drawn(each, known)) for each in asked], *args, **kwargs)
        self.secrets = {each.key for each in asked if each.secret}
        self.on_file = [each for each in asked if each.secret and known.get(each.key)]
        for question in asked:
            if question.secret:
                field = self.fields[ANSWER + question.key]
                field.help_text = _state(question, known)

    @property
    def entered(self) -> dict[str, str]:
        given = self.answers.items()
        return {key: said for key, said in given if said or key not in self.secrets}


def _drawn(question: Question, known: Mapping[str, str]) -> Question:
    said = known.get(question.key, "")
    if question.secret:
        return replace(question, required=question.required and not said)
    return replace(question, initial=said or question.initial)


def _state(question: Question, known: Mapping[str, str]) -> str:
    there = gettext_lazy("One is on file. It is kept if you leave this empty.")
    state = there if known.get(question.key) else gettext_lazy("None is on file.")
    return f"{shown(dumped(question.help))} {state}".strip()


class Knowledge(Desk):
    """The page of an account, with what staff are asked for."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.know_view)
        address = path("<path:object_id>/know/", view, name="onboarding_account_know")
        return [address, *super().get_urls()]

    def panel(self, row: Any) -> dict[str, Any]:
        asked = _asked(row)
        address = reverse("admin:onboarding_account_know", args=[row.pk])
        labels = [shown(dumped(each.label)) for each in asked]
        return {**super().panel(row), "asked": labels, "know": address}

    def know_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account: Account = self.acted_on(request, object_id)
        if not (asked := _asked(account)):
            raise Http404
        form = KnowledgeForm(asked, account.staff_answers, posted(request))
        if key := request.POST.get("forget", ""):
            return self._forget(request, account, form, key)
        if form.is_valid():
            return self._known(request, account, asked, form.entered)
        words = {
            "title": gettext("What only staff know"),
            "explain": gettext("It is kept encrypted, and used for all shops of this account."),
            "button": gettext("Save"),
            "forget": [(each.key, shown(dumped(each.label))) for each in form.on_file],
        }
        return self.desk_page(request, account, form, words)

    def _known(
        self,
        request: HttpRequest,
        account: Account,
        asked: Sequence[Question],
        entered: dict[str, str],
    ) -> HttpResponse:
        journey.save_staff_answers(account.pk, entered)
        labels = ", ".join(str(each.label) for each in asked if each.key in entered)
        self.log_change(request, account, f"Entered: {labels or 'nothing new'}.")
        said = gettext("Saved. The vendor is asked about these shops within a few seconds.")
        self.message_user(request, said, messages.SUCCESS)
        return redirect("admin:onboarding_account_change", account.pk)

    def _forget(
        self, request: HttpRequest, account: Account, form: KnowledgeForm, key: str
    ) -> HttpResponse:
        for question in form.on_file:
            if question.key == key:
                journey.save_staff_answers(account.pk, {key: ""})
                self.log_change(request, account, f"Forgotten: {question.label}.")
                said = gettext("It is forgotten: none is on file any more.")
                self.message_user(request, said, messages.SUCCESS)
        return redirect("admin:onboarding_account_know", account.pk)


def _asked(account: Account) -> tuple[Question, ...]:
    vendor = registry.vendor_of(account.vendor)
    return vendor.staff_questions() if vendor else ()
