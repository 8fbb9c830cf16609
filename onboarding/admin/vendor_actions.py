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

from onboarding import journey, registry
from onboarding.models import Account, Connection
from onboarding.models.status import dumped, shown
from onboarding.questions import ANSWER, QuestionsForm, plain
from vendors.contract import Action, Done, Garbled, Refused, Step, Unavailable, Unsure, VendorError

from .lists import List, ReadOnly


def refusal(error: VendorError) -> str:
    """What the vendor's module says is wrong, for staff."""
    note = shown(dumped(error.note))
    said = (_kind(error), note, "" if note and note in error.detail else error.detail)
    return " · ".join(part for part in said if part) or gettext("This was not accepted.")


def _kind(error: VendorError) -> str:
    match error:
        case Unavailable():
            return gettext("The vendor is not answering. Try again later.")
        case Unsure():
            return gettext("No clear answer came. Look at the vendor before you try again.")
        case Garbled():
            return gettext("The vendor answered something that we do not understand.")
    return ""


def blame(form: Form, error: VendorError) -> str:
    """Says at the field what is wrong with it; otherwise returns what to say above the form."""
    field = f"{ANSWER}{error.code}" if isinstance(error, Refused) else ""
    if field not in form.fields:
        return refusal(error)
    form.add_error(field, shown(dumped(error.note)) or error.detail)
    return ""


class Desk(ReadOnly):
    """Pages of accounts or connections, with the actions that are on them."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.act_view)
        name = f"onboarding_{self.opts.model_name}_act"
        return [path("<path:object_id>/act/<slug:key>/", view, name=name), *super().get_urls()]

    def offers(self, row: Account | Connection) -> list[Action]:
        """The actions for staff on this row; none where no shop was ever begun."""
        vendor = registry.vendor_of(row.vendor)
        if vendor is None or through(row) is None:
            return []
        mine = (each for each in vendor.actions() if each.on == self.opts.model_name)
        return [action for action in mine if action.who == "staff" and not action.hidden]

    def panel(self, row: Account | Connection) -> dict[str, Any]:
        """For admin/parts/desk.html."""
        name = f"admin:onboarding_{self.opts.model_name}_act"
        offers = [
            {**words_of(action), "address": reverse(name, args=[row.pk, action.key])}
            for action in self.offers(row)
        ]
        return {"vendor": registry.vendor_name(row.vendor), "offers": offers}

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
            wrong = blame(form, outcome)
        return self.desk_page(request, row, form, {**words_of(action), "problem": wrong})

    def _acted(
        self, request: HttpRequest, row: Account | Connection, action: Action, step: Step
    ) -> HttpResponse:
        self.log_change(request, row, f"{action.label}: done.")
        for level, sentence in told(step):
            self.message_user(request, sentence, level)
        return redirect(f"admin:onboarding_{self.opts.model_name}_change", row.pk)

    def desk_page(
        self, request: HttpRequest, row: Any, form: Form, words: dict[str, Any]
    ) -> HttpResponse:
        """A page with a form, for one thing; 422 with what was entered when something is wrong."""
        back = reverse(f"admin:onboarding_{self.opts.model_name}_change", args=[row.pk])
        about = {"original": row, "back": back, "vendor": registry.vendor_name(row.vendor)}
        return form_page(self, request, form, {**about, **words})


def form_page(
    model_admin: List, request: HttpRequest, form: Form, words: dict[str, Any]
) -> HttpResponse:
    """The same for what has no row: `original` is what it is called, `back` where it stands."""
    site = model_admin.admin_site.each_context(request)
    context = {**site, "opts": model_admin.opts, "form": form, **words}
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


def words_of(action: Action) -> dict[str, Any]:
    label, explain = shown(dumped(action.label)), shown(dumped(action.explain))
    return {"title": label, "explain": explain, "danger": action.danger, "button": label}


def told(step: Step) -> Iterator[tuple[int, str]]:
    """What a step achieved, as messages; the task is repeated on the shop's page."""
    if not isinstance(step, Done):
        yield messages.SUCCESS, gettext("Done.")
        return
    for said in (step.here, step.there, step.todo):
        if said:
            yield messages.SUCCESS, shown(dumped(said))
    if step.staff_task:
        yield messages.WARNING, f"{gettext('Still to do:')} {step.staff_task}"
