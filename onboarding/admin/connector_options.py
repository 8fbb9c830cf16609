"""Options of a connector, which staff set by answering the vendor's `connector_questions()`.

They have a page of their own, because the vendor may have to be called and Django saves a change page in
a transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from onboarding import registry
from onboarding.availability import breaker
from onboarding.catalogue import readiness
from onboarding.models import Connector
from onboarding.questions import ANSWER, QuestionsForm, form_data, plain
from vendors.contract import Question, Vendor, VendorError, text

from .base import BaseAdmin
from .tables import NOTHING
from .vendor_actions import ActionLink, ActionList, error_text, translated


class ConnectorOptionsAdmin(BaseAdmin):
    """The pages of connectors, with the options that staff set."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.options_view)
        url = path("<int:pk>/plan/", view, name="onboarding_connector_plan")
        return [url, *super().get_urls()]

    def options_url(self, connector: Connector) -> str:
        """The URL of the page of questions; "" where the vendor asks none."""
        if not readiness.has_questions(registry.vendor_of(connector.vendor)):
            return ""
        return reverse("admin:onboarding_connector_plan", args=[connector.pk])

    def options_list(self, connector: Connector) -> ActionList:
        ready, waiting = gettext("It is set up"), gettext("Not offered to merchants yet")
        options = [f"{key}: {value or NOTHING}" for key, value in sorted(connector.options.items())]
        link = ActionLink(
            title=ready if connector.ready else waiting,
            notes=options or [gettext("Nothing is set.")],
            url=self.options_url(connector),
            button=gettext("View or change"),
        )
        title = gettext("What merchants get")
        return ActionList(id="gw-options", title=title, links=[link] if link.url else [])

    def options_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A GET asks, a POST saves; nothing is saved when any answer is wrong."""
        connector: Connector = self.object_to_act_on(request, str(pk))
        vendor = registry.vendor_of(connector.vendor)
        if vendor is None or not readiness.has_questions(vendor):
            raise Http404
        try:
            with breaker.guard(vendor.slug):
                questions = vendor.connector_questions(connector.key)
        except VendorError as error:
            return self._options_page(request, connector, QuestionsForm([]), error_text(error))
        stored = [plain(each) for each in with_saved_options(questions, connector.options)]
        form = QuestionsForm(stored, form_data(request))
        if not form.is_valid() or not _is_accepted(vendor, form):
            return self._options_page(request, connector, form)
        return self._save(request, connector, form.answers, questions)

    def _save(
        self,
        request: HttpRequest,
        connector: Connector,
        answers: Mapping[str, str],
        questions: Sequence[Question],
    ) -> HttpResponse:
        known = {question.key for question in questions}
        connector.options = {key: value for key, value in answers.items() if value or key in known}
        connector.ready = readiness.is_ready(connector.options, readiness.required(questions))
        connector.save(update_fields=["options", "ready"])
        self.log_change(request, connector, "Answer the vendor’s questions about it.")
        sentence = gettext("Saved. It applies to everything that merchants start from now on.")
        self.message_user(request, sentence, messages.SUCCESS)
        return redirect("admin:onboarding_connector_change", connector.pk)

    def _options_page(
        self, request: HttpRequest, connector: Connector, form: QuestionsForm, problem: str = ""
    ) -> HttpResponse:
        context = {
            "title": gettext("What merchants get"),
            "explain": gettext(
                "This applies to what is created from now on, not to what already exists."
            ),
            "button": gettext("Save"),
            "problem": problem,
            "original": connector,
            "back": reverse("admin:onboarding_connector_change", args=[connector.pk]),
            "vendor": registry.vendor_name(connector.vendor),
        }
        return self.render_form(request, form, context)


def with_saved_options(
    questions: Iterable[Question], options: Mapping[str, object]
) -> list[Question]:
    """The questions with the saved answers, and questions that let staff remove obsolete options."""
    saved = {key: str(value) for key, value in options.items() if value is not None}
    filled_in = [replace(each, initial=saved.pop(each.key, each.initial)) for each in questions]
    return [*filled_in, *(_obsolete(key, value) for key, value in saved.items() if value)]


def _obsolete(key: str, value: str) -> Question:
    return Question(
        key=key,
        label=text("%(key)s", key=key),
        help=text("The vendor no longer asks for this. Leave it empty to remove it."),
        initial=value,
        required=False,
    )


def _is_accepted(vendor: Vendor, form: QuestionsForm) -> bool:
    """Whether the vendor's module accepts the answers; its errors are added to their fields."""
    try:
        with breaker.guard(vendor.slug):
            faults = vendor.check_options(form.answers)
    except VendorError as error:
        form.add_error(None, error_text(error))
        return False
    for key, fault in faults.items():
        field = ANSWER + key if ANSWER + key in form.fields else None
        form.add_error(field, translated(fault))
    return not faults
