"""A vendor's page, and the actions on a vendor or on one of its connectors.

The vendor is called within the request. The admin's log names the action, and never its answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, ngettext

from onboarding import registry
from onboarding.availability import breaker
from onboarding.catalogue import refresh
from onboarding.models import Connector
from onboarding.questions import QuestionsForm, form_data, plain
from vendors.contract import Action, Done, Refused, Rows, Vendor, VendorError

from . import once
from .calls import hosts_table, hourly_calls_url
from .connector_options import ConnectorOptionsAdmin
from .inventory import inventory_tables
from .tables import NOTHING, Table
from .vendor_actions import (
    ActionList,
    action_context,
    action_link,
    add_vendor_error,
    error_text,
    step_messages,
    translated,
    vendor_action_list,
)


@dataclass(frozen=True)
class ActionTarget:
    """What an action is about: a vendor, or one of its connectors."""

    vendor: Vendor
    connector: Connector | None = None

    @property
    def name(self) -> str:
        return str(self.connector or self.vendor.name)

    @property
    def url(self) -> str:
        """The URL of its page in the admin."""
        if self.connector:
            return reverse("admin:onboarding_connector_change", args=[self.connector.pk])
        return reverse("admin:onboarding_connector_vendor", args=[self.vendor.slug])

    def action_url(self, key: str) -> str:
        if self.connector:
            return reverse("admin:onboarding_connector_act", args=[self.connector.pk, key])
        return reverse("admin:onboarding_connector_run", args=[self.vendor.slug, key])

    def actions(self) -> list[Action]:
        """The actions for staff on it, with the hidden ones."""
        on = "connector" if self.connector else "vendor"
        return [each for each in self.vendor.actions() if each.who == "staff" and each.on == on]

    def action(self, key: str) -> Action:
        found = next((each for each in self.actions() if each.key == key), None)
        if found is None:
            raise Http404
        return found

    def action_list(self) -> ActionList:
        visible = (each for each in self.actions() if not each.hidden)
        links = [action_link(each, self.action_url(each.key)) for each in visible]
        return vendor_action_list(self.vendor.name, links)


def vendor_target(slug: str) -> ActionTarget:
    vendor = registry.vendor_of(slug)
    if vendor is None:
        raise Http404
    return ActionTarget(vendor)


def connector_target(connector: Connector) -> ActionTarget:
    return replace(vendor_target(connector.vendor), connector=connector)


def vendor_pages() -> list[tuple[str, str]]:
    """(name, URL) of each vendor's page."""
    return [
        (vendor.name, reverse("admin:onboarding_connector_vendor", args=[slug]))
        for slug, vendor in settings.VENDORS.offered.items()
    ]


class VendorPagesAdmin(ConnectorOptionsAdmin):
    """The connectors' pages, with those of their vendors."""

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, tuple[str, Callable[..., HttpResponse]]] = {
            "vendor/<slug:vendor>/": ("vendor", self.vendor_view),
            "vendor/<slug:vendor>/do/<slug:key>/": ("run", self.run_view),
            "<int:pk>/do/<slug:key>/": ("act", self.act_view),
        }
        urls = [
            path(route, self.admin_site.admin_view(view), name=f"onboarding_connector_{name}")
            for route, (name, view) in views.items()
        ]
        return [*urls, *super().get_urls()]

    def vendor_view(self, request: HttpRequest, vendor: str) -> HttpResponse:
        """Actions, hosts and connectors of a vendor; with ?compare=1 also its inventory."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        target, may_act = vendor_target(vendor), self.may_act(request)
        context = {
            "title": target.vendor.name,
            "may_act": may_act,
            "action_list": target.action_list(),
            "hosts": hosts_table(vendor),
            "hourly_calls_url": hourly_calls_url(vendor, request),
            "connectors": self.get_queryset(request).filter(vendor=vendor),
            "has_inventory": target.vendor.can("inventory") and may_act,
        }
        if context["has_inventory"] and "compare" in request.GET:
            context |= _comparison(target.vendor)
        return self.render_page(request, "connector/vendor.html", context)

    def run_view(self, request: HttpRequest, vendor: str, key: str) -> HttpResponse:
        if not self.may_act(request):
            raise PermissionDenied
        return self._action(request, vendor_target(vendor), key)

    def act_view(self, request: HttpRequest, pk: int, key: str) -> HttpResponse:
        connector: Connector = self.object_to_act_on(request, str(pk))
        return self._action(request, connector_target(connector), key)

    # -- one action ------------------------------------------------------------------------------

    def _action(self, request: HttpRequest, target: ActionTarget, key: str) -> HttpResponse:
        """A GET explains the action and asks its questions; a POST runs it.

        An action on chosen rows (a hidden one) has to be confirmed with their number first.
        """
        action = target.action(key)
        ids = tuple(dict.fromkeys(request.POST.getlist("ids"))) if action.hidden else ()
        if action.hidden and not ids:
            return self._nothing_chosen(request, target)
        unconfirmed = action.hidden and request.POST.get("confirmed") != str(len(ids))
        data = None if unconfirmed else form_data(request)
        form = QuestionsForm([plain(each) for each in action.questions], data)
        problem = ""
        if form.is_valid():
            try:
                once.claim(request)
            except once.SentBefore:
                self.message_user(request, once.sent_before_text(), messages.WARNING)
                return redirect(target.url)
            outcome = _run(target, action, form.answers, ids)
            self._log(request, target, action, outcome, ids)
            if not isinstance(outcome, VendorError):
                return self._result(request, target, action, outcome)
            problem = add_vendor_error(form, outcome)
        return self._action_page(request, target, action, form, ids, problem)

    def _action_page(
        self,
        request: HttpRequest,
        target: ActionTarget,
        action: Action,
        form: QuestionsForm,
        chosen: tuple[str, ...],
        problem: str,
    ) -> HttpResponse:
        context = {
            **action_context(action),
            "original": target.name,
            "back": target.url,
            "vendor": target.vendor.name,
            "chosen": chosen,
            "problem": problem,
        }
        if number := len(chosen):
            text = ngettext("%(label)s: %(n)s chosen", "%(label)s: %(n)s chosen", number)
            context["button"] = text % {"label": context["title"], "n": number}
        return self.render_form(request, form, context)

    def _nothing_chosen(self, request: HttpRequest, target: ActionTarget) -> HttpResponse:
        if request.method == "POST":
            text = gettext(
                "Nothing was chosen, so nothing was sent. Open the list again and choose."
            )
            self.message_user(request, text, messages.WARNING)
        return redirect(target.url)

    def _result(
        self, request: HttpRequest, target: ActionTarget, action: Action, outcome: Done | Rows
    ) -> HttpResponse:
        if isinstance(outcome, Rows):
            return self._rows_page(request, target, action, outcome)
        refresh.refresh_soon(target.vendor)
        for level, sentence in step_messages(outcome):
            self.message_user(request, sentence, level)
        return redirect(target.url)

    def _rows_page(
        self, request: HttpRequest, target: ActionTarget, action: Action, found: Rows
    ) -> HttpResponse:
        following = target.action(found.then) if found.then else None
        context = {
            **action_context(action),
            "original": target.name,
            "back": target.url,
            "table": _rows_table(translated(action.label), found),
            "following": action_link(following, target.action_url(following.key))
            if following
            else None,
        }
        return self.render_page(request, "connector/rows.html", context)

    def _log(
        self,
        request: HttpRequest,
        target: ActionTarget,
        action: Action,
        outcome: Done | Rows | VendorError,
        ids: tuple[str, ...],
    ) -> None:
        """Log what was done, or may have been done; never the answers."""
        if isinstance(outcome, Rows | Refused):
            return
        result = "done" if isinstance(outcome, Done) else f"no clear answer ({outcome.cause})"
        message = f"{target.vendor.name}: {action.label}: {result}."
        if ids:
            message += f" Chosen: {len(ids)}."
        LogEntry.objects.create(
            user_id=request.user.pk or 0,
            content_type=ContentType.objects.get_for_model(Connector),
            object_id=str(target.connector.pk) if target.connector else None,
            object_repr=target.name[:200],
            action_flag=CHANGE,
            change_message=message,
        )


def _rows_table(title: str, found: Rows) -> Table:
    return Table(
        id="gw-rows",
        title=title,
        columns=[translated(each) for each in found.columns],
        rows=[[str(cell or NOTHING) for cell in row] for row in found.rows],
        empty=gettext("None."),
        selectable=bool(found.then),
    )


def _run(
    target: ActionTarget, action: Action, answers: dict[str, str], ids: tuple[str, ...]
) -> Done | Rows | VendorError:
    connector = target.connector.key if target.connector else ""
    try:
        with breaker.guard(target.vendor.slug, seconds=breaker.LONG_STEP_SECONDS):
            return target.vendor.run(action.key, answers, connector=connector, ids=ids)
    except VendorError as error:
        return error


def _comparison(vendor: Vendor) -> dict[str, object]:
    try:
        with breaker.guard(vendor.slug, seconds=breaker.LONG_STEP_SECONDS):
            found = vendor.inventory()
        return {"inventory": inventory_tables(vendor.slug, found)}
    except VendorError as error:
        return {"problem": error_text(error)}
