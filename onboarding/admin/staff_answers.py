"""Staff's answers to the questions that a vendor asks about an account (`staff_questions()`).

Secrets are write-only: the page says whether one is on file, and never shows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, gettext_lazy

from onboarding import journey, registry
from onboarding.models import Account, Connection, memo_key
from onboarding.models.memo import opened
from onboarding.questions import ANSWER, QuestionsForm, form_data, plain
from vendors.contract import Question

from .vendor_actions import ActionLink, VendorActionsAdmin, translated

UNREADABLE = "unreadable"  # stands for the key of a question


class StaffAnswersForm(QuestionsForm):
    """A secret that is on file stays when its field is left empty."""

    def __init__(
        self,
        questions: Sequence[Question],
        saved: Mapping[str, str],
        data: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__([plain(_prefilled(each, saved)) for each in questions], data)
        self.secrets = {each.key for each in questions if each.secret}
        self.on_file = [each for each in questions if each.secret and saved.get(each.key)]
        for question in questions:
            if question.secret:
                field = self.fields[ANSWER + question.key]
                field.help_text = _secret_help(question, saved)

    @property
    def changes(self) -> dict[str, str]:
        """The answers to save, without the secrets that were left empty."""
        answers = self.answers.items()
        return {key: answer for key, answer in answers if answer or key not in self.secrets}


def _prefilled(question: Question, saved: Mapping[str, str]) -> Question:
    answer = saved.get(question.key, "")
    if question.secret:
        return replace(question, required=question.required and not answer)
    return replace(question, initial=answer or question.initial)


def _secret_help(question: Question, saved: Mapping[str, str]) -> str:
    on_file = gettext_lazy("One is saved. Leave this empty to keep it.")
    state = on_file if saved.get(question.key) else gettext_lazy("None is saved.")
    return f"{translated(question.help)} {state}".strip()


class StaffAnswersAdmin(VendorActionsAdmin):
    """The pages of accounts, with the questions that the vendor asks staff."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.answers_view)
        url = path("<path:object_id>/know/", view, name="onboarding_account_know")
        return [url, *super().get_urls()]

    def action_links(self, row: Account | Connection) -> list[ActionLink]:
        links = super().action_links(row)
        if labels := [translated(each.label) for each in _questions(row)]:
            answers = ActionLink(
                title=gettext("Details that only staff can enter"),
                notes=[" · ".join(labels)],
                url=reverse("admin:onboarding_account_know", args=[row.pk]),
                button=gettext("View or enter"),
            )
            links = [answers, *links]
        return links

    def answers_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account: Account = self.object_to_act_on(request, object_id)
        if not (questions := _questions(account)):
            raise Http404
        if (saved := opened(account.staff_answers)) is None:
            return self._unreadable(request, account)
        form = StaffAnswersForm(questions, saved, form_data(request))
        if key := request.POST.get("forget", ""):
            return self._forget(request, account, form, key)
        if form.is_valid():
            return self._save(request, account, questions, form.changes)
        context = {
            "title": gettext("Details that only staff can enter"),
            "explain": gettext("Stored encrypted, and used for all shops of this account."),
            "button": gettext("Save"),
            "on_file": [(each.key, translated(each.label)) for each in form.on_file],
        }
        return self.render_row_form(request, account, form, context)

    def _unreadable(self, request: HttpRequest, account: Account) -> HttpResponse:
        """Nothing can be added to answers that no key opens; once that key is lost, they can be given up."""
        is_lost = memo_key.loss_is_confirmed()
        if is_lost and request.POST.get("forget") == UNREADABLE:
            journey.discard_staff_answers(account.pk)
            self.log_change(request, account, "Gave up answers that no key opens.")
            return redirect("admin:onboarding_account_know", account.pk)
        label = gettext("Answers that cannot be read")
        context = {
            "title": gettext("Details that only staff can enter"),
            "explain": gettext(
                "The saved details cannot be read, so nothing can be added to them."
            ),
            "problem": "" if is_lost else f"{memo_key.MISSING} {memo_key.FIX}",
            "on_file": [(UNREADABLE, label)] if is_lost else [],
        }
        return self.render_row_form(request, account, Form(), context)

    def _save(
        self,
        request: HttpRequest,
        account: Account,
        questions: Sequence[Question],
        changes: dict[str, str],
    ) -> HttpResponse:
        journey.save_staff_answers(account.pk, changes)
        labels = ", ".join(str(each.label) for each in questions if each.key in changes)
        self.log_change(request, account, f"Entered: {labels or 'nothing new'}.")
        sentence = gettext("Saved. We ask the vendor about these shops within a few seconds.")
        self.message_user(request, sentence, messages.SUCCESS)
        return redirect("admin:onboarding_account_change", account.pk)

    def _forget(
        self, request: HttpRequest, account: Account, form: StaffAnswersForm, key: str
    ) -> HttpResponse:
        for question in form.on_file:
            if question.key == key:
                journey.save_staff_answers(account.pk, {key: ""})
                self.log_change(request, account, f"Forgotten: {question.label}.")
                sentence = gettext("Deleted: none is saved any more.")
                self.message_user(request, sentence, messages.SUCCESS)
        return redirect("admin:onboarding_account_know", account.pk)


def _questions(account: Account | Connection) -> tuple[Question, ...]:
    vendor = registry.vendor_of(account.vendor)
    return vendor.staff_questions() if vendor else ()
