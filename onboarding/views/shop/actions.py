"""The actions that a vendor offers to merchants (`actions()`): their buttons, and their form."""

from __future__ import annotations

from typing import TypedDict

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from onboarding import journey, registry
from onboarding.methods import require_read_or_post
from onboarding.models import Attempt, Connection, Connector
from onboarding.models.catalogue import offered
from onboarding.models.memo import opened
from onboarding.models.status import Answer, dumped, shown
from onboarding.people import guards
from onboarding.questions import form_data, plain
from onboarding.views.access import Request, for_connection
from onboarding.views.forms import ActForm
from onboarding.views.vendor_trip.leaving import SeeOther, leave, may_leave
from vendors.contract import Action, Memos, Text


class ActionLink(TypedDict):
    """An action in _connection_actions.html.

    `has_page`: it asks or warns first, on a page of its own; otherwise it is one button.
    """

    label: Text
    explain: Text
    danger: bool
    has_page: bool
    url: str


def actions_of(connection: Connection, attempt: Attempt | None) -> list[ActionLink]:
    """The actions that the merchant may run now. `attempt`: the connection's open attempt."""
    merchant = connection.account.merchant.reference
    return [
        {
            "label": action.label,
            "explain": action.explain,
            "danger": action.danger,
            "has_page": _has_page(connection, action),
            "url": reverse("act", args=[merchant, connection.reference, action.key]),
        }
        for action in _offered(connection, attempt)
    ]


def _has_page(connection: Connection, action: Action) -> bool:
    asks = bool(action.questions) or len(_connectors(connection, action)) > 1
    return asks or action.danger


def _offered(connection: Connection, attempt: Attempt | None) -> list[Action]:
    """None before the shop was ever connected, and none while an earlier action is under way."""
    vendor = registry.vendor_of(connection.vendor)
    if (
        vendor is None
        or connection.connected_at is None
        or not journey.may_begin(connection, Attempt.Purpose.ACT)
    ):
        return []
    if attempt and attempt.purpose == Attempt.Purpose.ACT and attempt.answer != Answer.REFUSED:
        return []
    live = Memos(
        account=opened(connection.account.memo) or {}, connection=opened(connection.memo) or {}
    )
    visible = (each for each in vendor.actions() if each.who == "merchant" and not each.hidden)
    return [each for each in visible if each.when(live)]


def _connectors(connection: Connection, action: Action) -> list[Connector]:
    """The connectors to choose from, the shop's own first; none if the action has no such choice."""
    if action.connectors is None:
        return []
    own = connection.connector
    return [own, *offered().filter(vendor=connection.vendor).exclude(pk=own.pk)]


@require_read_or_post
@may_leave
@for_connection
def act(request: Request, connection: Connection, key: str) -> HttpResponse:
    """The page of an action: what it does, what it asks, and the button. The POST begins it."""
    attempt = connection.attempts.filter(ended=None).exclude(purpose=Attempt.Purpose.ENTER).first()
    action = next((each for each in _offered(connection, attempt) if each.key == key), None)
    if action is None:
        return _not_offered_now(connection, key)
    form = ActForm(
        [plain(each) for each in action.questions],
        _connectors(connection, action),
        shown(dumped(action.connectors)),
        form_data(request),
    )
    if form.is_valid():
        if action.danger:
            guards.require_recent(request)
        return _run(request, connection, key, form)
    context = {
        "action": action,
        "seen": seen(request, connection),
        "form": form,
        "connection": connection,
        "merchant": connection.account.merchant,
        "vendor_name": registry.vendor_name(connection.vendor),
    }
    return render(request, "onboarding/act.html", context)


def seen(request: Request, connection: Connection) -> str:
    """The newest attempt that the page with the pressed button knew, or else the newest one now."""
    return request.POST.get("seen", journey.newest_attempt(connection))


def _run(request: Request, connection: Connection, key: str, form: ActForm) -> HttpResponse:
    """Begin the action; show the shop when its status has changed since the form was shown."""
    known = seen(request, connection)
    try:
        attempt = journey.run_action(
            connection, request.user, key, form.answers, form.chosen, known
        )
    except journey.StatusChanged:
        return SeeOther(connection.get_absolute_url())
    return leave(request, attempt)


def _not_offered_now(connection: Connection, key: str) -> HttpResponse:
    """Redirect to the shop's page; 404 for an action that the vendor does not have."""
    vendor = registry.vendor_of(connection.vendor)
    if vendor and not any(each.key == key and each.who == "merchant" for each in vendor.actions()):
        raise Http404
    return SeeOther(connection.get_absolute_url())
