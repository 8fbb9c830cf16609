"""What staff may have done at a vendor, drawn from what its module offers (`actions()`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from vendors.contract import Action, Done, Step, VendorError

from .. import journey
from ..forms import QuestionsForm
from ..journey import orders
from ..journey.outcomes import plain
from ..models import Account, Connection
from ..situation import dumped, shown
from .lists import ReadOnly


def refusal(error: VendorError) -> str:
    """What the vendor's module says is wrong, for staff."""
    said = (shown(dumped(error.note)), error.detail)
    return " · ".join(part for part in said if part) or gettext("This was not accepted.")


class Desk(ReadOnly):
    """Pages of accounts or connections, with the actions that are on them."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.act_view)
        name = f"onboarding_{self.opts.model_name}_act"
        return [path("<path:object_id>/act/<slug:key>/", view, name=name), *super().get_urls()]

    def offers(self, row: Account | Connection) -> list[Action]:
        """The actions for staff on this row; none where no shop was ever begun."""
        vendor = orders.vendor_of(row.vendor)
        if vendor is None or through(row) is None:
            return []
        mine = (each for each in vendor.actions() if each.on == self.opts.model_name)
        return [action for action in mine if action.who == "staff" and not action.hidden]

    def panel(self, row: Account | Connection) -> dict[str, Any]:
        """For admin/parts/desk.html."""
        name = f"admin:onboarding_{self.opts.model_name}_act"
        offers = [
            {**_words(action), "address": reverse(name, args=[row.pk, action.key])}
            for action in self.offers(row)
        ]
        return {"vendor": orders.vendor_name(row.vendor), "offers": offers}

    def act_view(self, request: HttpRequest, object_id: str, key: str) -> HttpResponse:
        """A GET explains it and asks; a POST has it done."""
        row, wrong = self.acted_on(request, object_id), ""
        action = next((each for each in self.offers(row) if each.key == key), None)
        shop = through(row)
        if action is None or shop is None:
            raise Http404
        form = QuestionsForm([plain(each) for each in action.questions], posted(request))
        if form.is_valid():
            outcome = journey.act(shop, key, form.answers)
            if isinstance(outcome, Step):
                return self._acted(request, row, action, outcome)
            wrong = refusal(outcome)
        return self.desk_page(request, row, form, {**_words(action), "problem": wrong})

    def _acted(
        self, request: HttpRequest, row: Account | Connection, action: Action, step: Step
    ) -> HttpResponse:
        self.log_change(request, row, f"{action.label}: done.")
        for level, sentence in _told(step):
            self.message_user(request, sentence, level)
        return redirect(f"admin:onboarding_{self.opts.model_name}_change", row.pk)

    def desk_page(
        self, request: HttpRequest, row: Any, form: Form, words: dict[str, Any]
    ) -> HttpResponse:
        """A page with a form, for one thing; 422 with what was entered when something is wrong."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "vendor": orders.vendor_name(row.vendor),
            "form": form,
            **words,
        }
        status = 422 if form.errors or words.get("problem") else 200
        return render(request, "admin/onboarding/desk.html", context, status=status)


def through(row: Account | Connection) -> int | None:
    """The shop in whose name the vendor is told: of an account the newest."""
    if isinstance(row, Connection):
        return row.pk
    return row.connections.order_by("-pk").values_list("pk", flat=True).first()


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: None for a GET, even when a POST is empty."""
    return request.POST if request.method == "POST" else None


def _words(action: Action) -> dict[str, Any]:
    label, explain = shown(dumped(action.label)), shown(dumped(action.explain))
    return {"title": label, "explain": explain, "danger": action.danger, "button": label}


def _told(step: Step) -> Iterator[tuple[int, str]]:
    """What a step achieved, as messages; the task is repeated on the shop's page."""
    if not isinstance(step, Done):
        yield messages.SUCCESS, gettext("Done.")
        return
    for said in (step.here, step.there, step.todo):
        if said:
            yield messages.SUCCESS, shown(dumped(said))
    if step.staff_task:
        yield messages.WARNING, f"{gettext('Still to do:')} {step.staff_task}"
