"""What staff set on a connector, drawn from the vendor's `connector_questions()`.

On a page of its own: the vendor may have to be asked, and Django saves a row's page in a transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from onboarding import registry
from onboarding.availability import breaker
from onboarding.catalogue import readiness
from onboarding.models import Connector
from onboarding.models.status import dumped, shown
from onboarding.questions import ANSWER, QuestionsForm, plain
from vendors.contract import Question, Text, Vendor, VendorError, text

from .lists import List
from .vendor_actions import form_page, posted, refusal


class Plans(List):
    """The page of a connector, with what staff set on it."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.plan_view)
        address = path("<int:pk>/plan/", view, name="onboarding_connector_plan")
        return [address, *super().get_urls()]

    def plan_of(self, row: Connector) -> dict[str, Any] | None:
        """For connector/change_form.html; None where the vendor asks nothing."""
        if not readiness.asks(registry.vendor_of(row.vendor)):
            return None
        answers = sorted(row.options.items())
        return {
            "address": reverse("admin:onboarding_connector_plan", args=[row.pk]),
            "set": answers,
        }

    def changed_by_staff(self, request: HttpRequest, pk: int) -> Connector:
        row = Connector.objects.filter(pk=pk).first()
        if row is None:
            raise Http404
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        return row

    def plan_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A GET asks, a POST sets; nothing is set when anything is wrong."""
        row = self.changed_by_staff(request, pk)
        vendor = registry.vendor_of(row.vendor)
        if vendor is None or not readiness.asks(vendor):
            raise Http404
        try:
            with breaker.guard(vendor.slug):
                asked = vendor.connector_questions(row.key)
        except VendorError as error:
            return self._page(request, row, QuestionsForm([]), refusal(error))
        form = QuestionsForm([plain(each) for each in drawn(asked, row.options)], posted(request))
        if not form.is_valid() or not _accepted(vendor, row, form):
            return self._page(request, row, form)
        return self._set(request, row, form.answers, asked)

    def _set(
        self,
        request: HttpRequest,
        row: Connector,
        answers: Mapping[str, str],
        asked: Iterable[Question],
    ) -> HttpResponse:
        known = {question.key for question in asked}
        row.options = {key: said for key, said in answers.items() if said or key in known}
        row.ready = readiness.is_ready(row.options, readiness.required(asked))
        row.save(update_fields=["options", "ready"])
        self.log_change(request, row, "Set what the vendor asks about it.")
        said = gettext("Saved. What merchants begin from now on is made with it.")
        self.message_user(request, said, messages.SUCCESS)
        return redirect("admin:onboarding_connector_change", row.pk)

    def _page(
        self, request: HttpRequest, row: Connector, form: QuestionsForm, problem: str = ""
    ) -> HttpResponse:
        words = {
            "title": gettext("What merchants get"),
            "explain": gettext("It holds for what is made from now on, not for what is there."),
            "button": gettext("Save"),
            "problem": problem,
            "original": row,
            "back": reverse("admin:onboarding_connector_change", args=[row.pk]),
            "vendor": registry.vendor_name(row.vendor),
        }
        return form_page(self, request, form, words)


def drawn(asked: Iterable[Question], options: Mapping[str, Any]) -> list[Question]:
    """The questions with the answers that stand, and what stands without a question: it can go."""
    standing = {key: str(value) for key, value in options.items() if value is not None}
    found = [replace(each, initial=standing.pop(each.key, each.initial)) for each in asked]
    gone = text("The vendor no longer asks for this. Leave it empty to remove it.")
    rest = [
        Question(key=key, label=_label(key), help=gone, initial=said, required=False)
        for key, said in standing.items()
        if said
    ]
    return [*found, *rest]


def _label(key: str) -> Text:
    return text("%(key)s", key=key)


def _accepted(vendor: Vendor, row: Connector, form: QuestionsForm) -> bool:
    """What the vendor's module says against the answers stands at their fields."""
    try:
        with breaker.guard(vendor.slug):
            faults = vendor.check_options(form.answers)
    except VendorError as error:
        form.add_error(None, refusal(error))
        return False
    for key, said in faults.items():
        field = ANSWER + key if ANSWER + key in form.fields else None
        form.add_error(field, shown(dumped(said)))
    return not faults
