"""What merchants may have done at the vendor, drawn from what its module offers (`actions()`)."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from onboarding import journey, registry
from onboarding.models import Attempt, Connection, Connector
from onboarding.models.memo import opened
from onboarding.models.status import Status, dumped, shown
from onboarding.questions import form_data, plain
from onboarding.views.access import Request, for_connection
from onboarding.views.forms import ActForm
from onboarding.views.start.catalogue import offered
from onboarding.views.vendor_trip.leaving import SeeOther, leave, may_leave
from vendors.contract import Action, Memos

MAY = {Status.CONNECTED, Status.ACTION_NEEDED}


def actions_of(connection: Connection, attempt: Attempt | None) -> list[dict[str, Any]]:
    """For _connection_actions.html. `page`: it asks or warns first; otherwise it is one button."""
    merchant = connection.account.merchant.reference
    return [
        {
            "label": action.label,
            "explain": action.explain,
            "danger": action.danger,
            "page": bool(action.questions) or action.danger or len(_choice(connection, action)) > 1,
            "address": reverse("act", args=[merchant, connection.reference, action.key]),
        }
        for action in _offered(connection, attempt)
    ]


def _offered(connection: Connection, attempt: Attempt | None) -> list[Action]:
    """Nothing before the shop was ever connected, nor while an earlier action goes on."""
    vendor = registry.vendor_of(connection.vendor)
    if vendor is None or connection.connected_at is None or connection.status not in MAY:
        return []
    if attempt and attempt.purpose == Attempt.Purpose.ACT and attempt.answer != "refused":
        return []
    live = Memos(
        account=opened(connection.account.memo) or {}, connection=opened(connection.memo) or {}
    )
    mine = (each for each in vendor.actions() if each.who == "merchant" and not each.hidden)
    return [each for each in mine if each.when(live)]


def _choice(connection: Connection, action: Action) -> list[Connector]:
    """Of a choice of connectors, the shop's own first."""
    if action.connectors is None:
        return []
    own = connection.connector
    return [own, *offered().filter(vendor=connection.vendor).exclude(pk=own.pk)]


@require_http_methods(["GET", "POST"])
@may_leave
@for_connection
def act(request: Request, connection: Connection, key: str) -> HttpResponse:
    """What it does, what it asks, and the button; the POST begins it."""
    attempt = connection.attempts.filter(ended=None).exclude(purpose=Attempt.Purpose.ENTER).first()
    action = next((each for each in _offered(connection, attempt) if each.key == key), None)
    if action is None:
        return _instead(connection, key)
    form = ActForm(
        [plain(each) for each in action.questions],
        _choice(connection, action),
        shown(dumped(action.connectors)),
        form_data(request),
    )
    if form.is_valid():
        attempt = journey.run_action(connection, request.user, key, form.answers, form.chosen)
        return leave(attempt, request.user)
    context = {
        "action": action,
        "form": form,
        "connection": connection,
        "merchant": connection.account.merchant,
        "vendor_name": registry.vendor_name(connection.vendor),
    }
    return render(request, "onboarding/act.html", context)


def _instead(connection: Connection, key: str) -> HttpResponse:
    """Not possible now: the shop's page says how it stands. 404 for what no vendor offers."""
    vendor = registry.vendor_of(connection.vendor)
    if vendor and not any(each.key == key and each.who == "merchant" for each in vendor.actions()):
        raise Http404
    return SeeOther(connection.get_absolute_url())
