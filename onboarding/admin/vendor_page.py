"""What staff do at a vendor itself or with one of its connectors, and what it has of ours.

The vendor is asked while the request waits; what is asked for stands in the log, no answer does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, ngettext

from onboarding import registry
from onboarding.availability import breaker
from onboarding.catalogue import refresh
from onboarding.models import Connector
from onboarding.models.status import dumped, shown
from onboarding.questions import QuestionsForm, plain
from vendors.contract import Action, Done, Refused, Rows, Vendor, VendorError

from . import calls
from .connector_options import Plans
from .inventory import compared
from .vendor_actions import blame, form_page, posted, refusal, told, words_of


@dataclass(frozen=True)
class Desk:
    """A vendor, or one of its connectors: what an action is done with."""

    vendor: Vendor
    connector: Connector | None = None

    @property
    def name(self) -> str:
        return str(self.connector or self.vendor.name)

    @property
    def back(self) -> str:
        if self.connector:
            return reverse("admin:onboarding_connector_change", args=[self.connector.pk])
        return reverse("admin:onboarding_connector_vendor", args=[self.vendor.slug])

    def address(self, key: str) -> str:
        if self.connector:
            return reverse("admin:onboarding_connector_act", args=[self.connector.pk, key])
        return reverse("admin:onboarding_connector_run", args=[self.vendor.slug, key])

    def actions(self) -> list[Action]:
        """Also the hidden ones."""
        on = "connector" if self.connector else "vendor"
        return [each for each in self.vendor.actions() if each.who == "staff" and each.on == on]

    def action(self, key: str) -> Action:
        found = next((each for each in self.actions() if each.key == key), None)
        if found is None:
            raise Http404
        return found

    def panel(self) -> dict[str, Any]:
        """For admin/parts/desk.html."""
        offers = [
            {**words_of(each), "address": self.address(each.key)}
            for each in self.actions()
            if not each.hidden
        ]
        return {"vendor": self.vendor.name, "offers": offers}


def desk_at(vendor: str) -> Desk:
    found = registry.vendor_of(vendor)
    if found is None:
        raise Http404
    return Desk(found)


def desk_of(connector: Connector) -> Desk:
    return replace(desk_at(connector.vendor), connector=connector)


def with_desks() -> list[tuple[str, str]]:
    """(name, address) of the vendors: what staff can do there, and whether it answers."""
    return [
        (vendor.name, reverse("admin:onboarding_connector_vendor", args=[slug]))
        for slug, vendor in settings.VENDORS.offered.items()
    ]


class Vendors(Plans):
    """The connectors' pages, with those of their vendors."""

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, tuple[str, Callable[..., HttpResponse]]] = {
            "vendor/<slug:vendor>/": ("vendor", self.vendor_view),
            "vendor/<slug:vendor>/do/<slug:key>/": ("run", self.run_view),
            "<int:pk>/do/<slug:key>/": ("act", self.act_view),
        }
        addresses = [
            path(where, self.admin_site.admin_view(view), name=f"onboarding_connector_{name}")
            for where, (name, view) in views.items()
        ]
        return [*addresses, *super().get_urls()]

    def vendor_view(self, request: HttpRequest, vendor: str) -> HttpResponse:
        """What can be done there; with ?compare=1 also what it has of ours."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        desk, may_act = desk_at(vendor), self.has_change_permission(request)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": desk.vendor.name,
            "desk": desk.panel(),
            "may_act": may_act,
            "compares": desk.vendor.can("inventory") and may_act,
            "hosts": calls.hosts(vendor),
            "connectors": self.get_queryset(request).filter(vendor=vendor),
        }
        if context["compares"] and "compare" in request.GET:
            context |= _comparison(desk.vendor)
        return render(request, "admin/onboarding/connector/vendor.html", context)

    def run_view(self, request: HttpRequest, vendor: str, key: str) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        return self._act(request, desk_at(vendor), key)

    def act_view(self, request: HttpRequest, pk: int, key: str) -> HttpResponse:
        row = self.changed_by_staff(request, pk)
        return self._act(request, desk_of(row), key)

    # -- one action ------------------------------------------------------------------------------

    def _act(self, request: HttpRequest, desk: Desk, key: str) -> HttpResponse:
        """A GET explains it and asks; a POST has it done. On chosen rows it is confirmed first."""
        action = desk.action(key)
        ids = tuple(dict.fromkeys(request.POST.getlist("ids"))) if action.hidden else ()
        if action.hidden and not ids:
            return self._nothing_chosen(request, desk, action)
        first = action.hidden and request.POST.get("confirmed") != str(len(ids))
        data = None if first else posted(request)
        form = QuestionsForm([plain(each) for each in action.questions], data)
        problem = ""
        if form.is_valid():
            outcome = _asked(desk, action, form.answers, ids)
            self._log(request, desk, action, outcome, ids)
            if not isinstance(outcome, VendorError):
                return self._answer(request, desk, action, outcome)
            problem = blame(form, outcome)
        return self._form(request, desk, action, form, {"chosen": ids, "problem": problem})

    def _form(
        self,
        request: HttpRequest,
        desk: Desk,
        action: Action,
        form: QuestionsForm,
        more: dict[str, Any],
    ) -> HttpResponse:
        words = {**words_of(action), "original": desk.name, "back": desk.back, **more}
        if number := len(more.get("chosen", ())):
            said = ngettext("%(label)s: %(n)s chosen", "%(label)s: %(n)s chosen", number)
            words["button"] = said % {"label": words["title"], "n": number}
        return form_page(self, request, form, {**words, "vendor": desk.vendor.name})

    def _nothing_chosen(self, request: HttpRequest, desk: Desk, action: Action) -> HttpResponse:
        if request.method != "POST":
            return redirect(desk.back)
        said = gettext("Nothing was chosen, so nothing was sent. Open the list again and choose.")
        self.message_user(request, said, messages.WARNING)
        return redirect(desk.back)

    def _answer(
        self, request: HttpRequest, desk: Desk, action: Action, outcome: Done | Rows
    ) -> HttpResponse:
        if isinstance(outcome, Rows):
            return self._rows(request, desk, action, outcome)
        refresh.refresh_soon(desk.vendor)
        for level, sentence in told(outcome):
            self.message_user(request, sentence, level)
        return redirect(desk.back)

    def _rows(self, request: HttpRequest, desk: Desk, action: Action, found: Rows) -> HttpResponse:
        then = desk.action(found.then) if found.then else None
        context = {
            **self.admin_site.each_context(request),
            **words_of(action),
            "opts": self.opts,
            "original": desk.name,
            "back": desk.back,
            "columns": [shown(dumped(each)) for each in found.columns],
            "rows": found.rows,
            "then": {**words_of(then), "address": desk.address(then.key)} if then else None,
        }
        return render(request, "admin/onboarding/connector/rows.html", context)

    def _log(
        self,
        request: HttpRequest,
        desk: Desk,
        action: Action,
        outcome: Done | Rows | VendorError,
        ids: tuple[str, ...],
    ) -> None:
        """What was done, or may have been done; never what was typed."""
        if isinstance(outcome, Rows | Refused):
            return
        how = "done" if isinstance(outcome, Done) else f"no clear answer ({outcome.cause})"
        message = f"{desk.vendor.name}: {action.label}: {how}."
        if ids:
            message += f" Chosen: {len(ids)}."
        LogEntry.objects.create(
            user_id=request.user.pk or 0,
            content_type=ContentType.objects.get_for_model(Connector),
            object_id=str(desk.connector.pk) if desk.connector else None,
            object_repr=desk.name[:200],
            action_flag=CHANGE,
            change_message=message,
        )


def _asked(
    desk: Desk, action: Action, answers: dict[str, str], ids: tuple[str, ...]
) -> Done | Rows | VendorError:
    connector = desk.connector.key if desk.connector else ""
    try:
        with breaker.guard(desk.vendor.slug, seconds=breaker.AT_LENGTH):
            return desk.vendor.run(action.key, answers, connector=connector, ids=ids)
    except VendorError as error:
        return error


def _comparison(vendor: Vendor) -> dict[str, Any]:
    try:
        with breaker.guard(vendor.slug, seconds=breaker.AT_LENGTH):
            found = vendor.inventory()
        return {"inventory": compared(vendor.slug, found)}
    except VendorError as error:
        return {"problem": refusal(error)}
