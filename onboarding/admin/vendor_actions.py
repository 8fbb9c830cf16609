"""Actions that a vendor's module offers to staff (`actions()`), on accounts and connections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from onboarding import journey, moments, registry
from onboarding.models import Account, Connection
from onboarding.models.status import dumped, shown
from onboarding.questions import ANSWER, QuestionsForm, form_data, plain
from vendors.contract import (
    Action,
    Done,
    Garbled,
    Refused,
    Step,
    Text,
    Unavailable,
    Unsure,
    VendorError,
    Why,
)

from . import once
from .base import ReadOnlyAdmin


@dataclass(frozen=True)
class ActionLink:
    """An action as a page offers it: `button` is the label of the link to the action's own page."""

    title: str
    notes: Sequence[str]
    url: str
    button: str
    danger: bool = False


@dataclass(frozen=True)
class ActionList:
    """For admin/parts/action_list.html: nothing is drawn without links.

    `id` is the id of its heading; `denied` is shown to staff who may not act.
    """

    id: str
    title: str
    links: Sequence[ActionLink]
    denied: str = ""


def vendor_action_list(vendor: str, links: Sequence[ActionLink]) -> ActionList:
    """`vendor` is its name."""
    return ActionList(
        id="gw-vendor-actions",
        title=gettext("What staff can do at %(vendor)s") % {"vendor": vendor},
        links=links,
        denied=gettext("You can view this. To act on it, you need the permission to change it."),
    )


def action_link(action: Action, url: str) -> ActionLink:
    label = translated(action.label)
    return ActionLink(
        title=label,
        notes=[translated(action.explain)],
        url=url,
        button=f"{label}…",
        danger=action.danger,
    )


class VendorActionsAdmin(ReadOnlyAdmin):
    """Pages of accounts or connections, with the vendor's actions on them."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.act_view)
        name = f"onboarding_{self.opts.model_name}_act"
        return [path("<path:object_id>/act/<slug:key>/", view, name=name), *super().get_urls()]

    def vendor_actions(self, row: Account | Connection) -> list[Action]:
        """The actions for staff on this row; none for an account without a connection."""
        vendor = registry.vendor_of(row.vendor)
        if vendor is None or acting_connection(row) is None:
            return []
        on_model = (each for each in vendor.actions() if each.on == self.opts.model_name)
        return [action for action in on_model if action.who == "staff" and not action.hidden]

    def action_links(self, row: Account | Connection) -> list[ActionLink]:
        name = f"admin:onboarding_{self.opts.model_name}_act"
        return [
            action_link(action, reverse(name, args=[row.pk, action.key]))
            for action in self.vendor_actions(row)
        ]

    def action_list(self, row: Account | Connection) -> ActionList:
        return vendor_action_list(registry.vendor_name(row.vendor), self.action_links(row))

    def act_view(self, request: HttpRequest, object_id: str, key: str) -> HttpResponse:
        """A GET explains the action and asks its questions; a POST runs it."""
        row, problem = self.object_to_act_on(request, object_id), ""
        action = next((each for each in self.vendor_actions(row) if each.key == key), None)
        connection_id = acting_connection(row)
        if action is None or connection_id is None:
            raise Http404
        form = QuestionsForm([plain(each) for each in action.questions], form_data(request))
        if form.is_valid():
            try:
                once.claim(request)
            except once.SentBefore:
                self.message_user(request, once.sent_before_text(), messages.WARNING)
                return redirect(f"admin:onboarding_{self.opts.model_name}_change", row.pk)
            outcome = journey.act(connection_id, key, form.answers)
            if isinstance(outcome, Step):
                return self._acted(request, row, action, outcome)
            problem = add_vendor_error(form, outcome)
        return self.render_row_form(
            request, row, form, {**action_context(action), "problem": problem}
        )

    def _acted(
        self, request: HttpRequest, row: Account | Connection, action: Action, step: Step
    ) -> HttpResponse:
        self.log_change(request, row, f"{action.label}: done.")
        for level, sentence in step_messages(step):
            self.message_user(request, sentence, level)
        return redirect(f"admin:onboarding_{self.opts.model_name}_change", row.pk)

    def render_row_form(
        self,
        request: HttpRequest,
        row: Account | Connection,
        form: Form,
        context: Mapping[str, object],
    ) -> HttpResponse:
        """`render_form` about an account or a connection."""
        back = reverse(f"admin:onboarding_{self.opts.model_name}_change", args=[row.pk])
        about = {"original": row, "back": back, "vendor": registry.vendor_name(row.vendor)}
        return self.render_form(request, form, {**about, **context})


def acting_connection(row: Account | Connection) -> int | None:
    """The id of the connection that the vendor is called for: an account's newest one."""
    if isinstance(row, Connection):
        return row.pk
    return row.connections.order_by("-pk").values_list("pk", flat=True).first()


def action_context(action: Action) -> dict[str, object]:
    """The part of `render_form`'s context that describes an action."""
    label = translated(action.label)
    return {
        "title": label,
        "explain": translated(action.explain),
        "danger": action.danger,
        "button": label,
    }


def step_messages(step: Step) -> Iterator[tuple[int, str]]:
    """What a step achieved, as (level, sentence). The task is shown on the connection's page too."""
    if not isinstance(step, Done):
        yield messages.SUCCESS, gettext("Done.")
        return
    for text in (step.here, step.there, step.todo):
        if text:
            yield messages.SUCCESS, translated(text)
    if step.staff_task:
        still = gettext("Still to do: %(task)s") % {"task": step.staff_task}
        yield messages.WARNING, still


# -- errors ----------------------------------------------------------------------------------------


def error_text(error: VendorError) -> str:
    """The error for staff: its kind, the vendor module's sentence, the details."""
    note = translated(error.note)
    parts = (_kind(error), note, "" if note and note in error.detail else error.detail)
    return " · ".join(part for part in parts if part) or gettext("This was not accepted.")


def _kind(error: VendorError) -> str:
    match error:
        case Unavailable():
            return _unavailable(error)
        case Unsure(why=Why.UNREADABLE):
            return gettext(
                "The vendor’s answer could not be read. Check at the vendor before you try again."
            )
        case Unsure():
            return gettext("No clear answer came. Check at the vendor before you try again.")
        case Garbled(why=Why.UNREADABLE):
            return gettext("The vendor’s answer could not be read.")
        case Garbled():
            return gettext("The vendor answered something that we do not understand.")
        case Refused():  # its own sentence says everything
            return ""
    raise ValueError(f"{type(error).__name__} is no error of the contract")


def _unavailable(error: Unavailable) -> str:
    match error.why:
        case Why.UNREACHABLE:
            return gettext("We cannot reach the vendor. Try again later.")
        case Why.BROKEN_OFF:
            return gettext("The connection to the vendor broke off. Try again later.")
        case Why.TIMED_OUT:
            return gettext("The vendor took too long to answer. Try again later.")
        case Why.FAULT:
            return gettext("The vendor reports a fault of its own. Try again later.")
        case Why.ASKED_TO_WAIT if error.asked_until:
            time = moments.in_words(moments.whole_minute(error.asked_until))
            return gettext("The vendor asks us to wait until %(time)s.") % {"time": time}
        case Why.ASKED_TO_WAIT:
            return gettext("The vendor asks us to wait. Try again later.")
        case Why.UNKNOWN | Why.UNREADABLE:
            return gettext("The vendor is not answering. Try again later.")
    assert_never(error.why)


def add_vendor_error(form: Form, error: VendorError) -> str:
    """Add the error to the field that it names, and return ""; else return the text for the whole form."""
    field = f"{ANSWER}{error.code}" if isinstance(error, Refused) else ""
    if field not in form.fields:
        return error_text(error)
    form.add_error(field, translated(error.note) or error.detail)
    return ""


def translated(text: Text | None) -> str:
    """A vendor's sentence in the reader's language."""
    return shown(dumped(text))
