"""A merchant's shops: all of them, and one with its evidence, its timeline and what can be done."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from onboarding import journey, registry
from onboarding.background import runner
from onboarding.models import Attempt, Connection, Event, Membership
from onboarding.models.status import Status
from onboarding.questions import form_data
from onboarding.views.access import Request, for_connection, for_member, owns
from onboarding.views.attempt.status_panel import link, moves, panel_of
from onboarding.views.forms import RenameForm
from onboarding.views.polling import poll, seen
from onboarding.views.vendor_trip.leaving import SeeOther, leave, may_leave

from .actions import actions_of
from .summary import changed, evidence, hint

TIMELINE = 50  # entries of a page


@require_GET
@for_member
def home(request: Request, membership: Membership) -> HttpResponse:
    """All shops as a task list: a word, the one next thing, a link to where it is done."""
    merchant = membership.merchant
    shops = Connection.objects.select_related("connector").filter(account__merchant=merchant)
    rows = [_row(membership, shop) for shop in shops.annotate(open_attempt=_open())]
    live = [row for row in rows if row["status"] != Status.DISCONNECTED]
    ended = [row for row in rows if row["status"] == Status.DISCONNECTED]
    several = len(request.user.businesses) > 1
    context = {"merchant": merchant, "live": live, "ended": ended, "several": several}
    return render(request, "onboarding/home.html", context)


def _open() -> Subquery:
    rows = _open_attempts(Attempt.objects.filter(connection=OuterRef("pk")))
    return Subquery(rows.values("reference")[:1])


def _open_attempts(attempts: QuerySet[Attempt]) -> QuerySet[Attempt]:
    """Open attempts that lead somewhere: opening the vendor's pages again does not."""
    return attempts.filter(ended=None).exclude(purpose=Attempt.Purpose.ENTER)


def _row(membership: Membership, shop: Any) -> dict[str, Any]:
    """For components/task_list.html. An unfinished shop leads straight to what is to be done."""
    straight = shop.open_attempt and shop.status != Status.CONNECTED
    name, reference = ("attempt", shop.open_attempt) if straight else ("connection", shop.reference)
    merchant = membership.merchant.reference
    return {
        "href": reverse(name, args=[merchant, reference]),
        "title": shop.name,
        "hint": hint(shop),
        "status": shop.status,
        "platform": shop.connector.platform,
        "name": shop.name,
    }


@require_GET
@may_leave
@for_connection
def connection(request: Request, connection: Connection) -> HttpResponse:
    """Where the shop stands, how we know, what happened, what can be done."""
    context = _context(request, connection)
    going = context["attempt"] is not None and moves(context["attempt"])
    again = poll("connection-status", context["merchant"], connection) if going else None
    context |= {"poll": again, "owner": owns(request.user, connection)}
    return render(request, "onboarding/connection.html", context)


@require_GET
@for_connection
def status(request: Request, connection: Connection) -> HttpResponse:
    """The polling element, and the regions of the page when there is something new."""
    look, version = seen(request)
    attempt = _open_attempts(connection.attempts.all()).first()
    going = attempt is not None and moves(attempt)
    news = version != connection.version or not going
    merchant = connection.account.merchant
    look = 0 if news else look + 1
    again = poll("connection-status", merchant, connection, look) if going else None
    context = _context(request, connection) if news else {}
    return render(request, "onboarding/_connection_status.html", {**context, "poll": again})


def _context(request: Request, connection: Connection) -> dict[str, Any]:
    attempt = _open_attempts(connection.attempts.all()).first()
    if attempt:
        attempt.connection = connection
    vendor = registry.vendor_of(connection.vendor)
    events = connection.events.select_related("user").order_by("-at", "-pk")[:TIMELINE]
    return {
        "connection": connection,
        "merchant": connection.account.merchant,
        "vendor_name": registry.vendor_name(connection.vendor),
        "offered": vendor is not None,
        "enters": bool(vendor and vendor.can("enter")) and connection.status == Status.CONNECTED,
        "pauses": _may(connection, "pause", Status.CONNECTED),
        "resumes": _may(connection, "resume", Status.PAUSED),
        "attempt": attempt,
        "link": "" if attempt else link(connection),
        "panel": panel_of(attempt, request.user) if attempt else None,
        "actions": actions_of(connection, attempt),
        "reveals": connection.secret_waits,
        "evidence": evidence(connection),
        "changed": changed(connection),
        "entries": [_entry(event, request) for event in events],
    }


def _may(connection: Connection, call: str, status: Status) -> bool:
    """Whether the vendor has this call, and the shop is in the status that it starts from."""
    vendor = registry.vendor_of(connection.vendor)
    return vendor is not None and vendor.can(call) and connection.status == status


def _entry(event: Event, request: Request) -> dict[str, Any]:
    """For components/timeline.html."""
    who = ""
    if event.user:
        you = event.user == request.user
        who = gettext("you") if you else event.user.get_short_name()
    return {"at": event.at, "text": str(event), "status": event.status, "note": who}


@require_POST
@for_connection
def reconnect(request: Request, connection: Connection) -> HttpResponse:
    attempt = journey.reconnect(connection, request.user)
    if attempt.connection.name != connection.name:
        words = {"old": connection.name, "name": attempt.connection.name}
        said = gettext("Another shop is called “%(old)s” now: this one became “%(name)s”.")
        messages.info(request, said % words)
    return leave(attempt, request.user)


@require_POST
@for_connection
def enter(request: Request, connection: Connection) -> HttpResponse:
    """Open the vendor's pages again."""
    return leave(journey.enter(connection, request.user), request.user)


def _page(
    request: Request, connection: Connection, name: str, *, status: int = 200
) -> HttpResponse:
    """A page of its own about what one may do with a shop."""
    context = {
        "connection": connection,
        "merchant": connection.account.merchant,
        "vendor_name": registry.vendor_name(connection.vendor),
    }
    return render(request, f"onboarding/{name}.html", context, status=status)


@require_http_methods(["GET", "POST"])
@for_connection
def pause(request: Request, connection: Connection) -> HttpResponse:
    """What rests meanwhile, and the button; for owners."""
    if not owns(request.user, connection):
        return _page(request, connection, "owners_only", status=403)
    possible = _may(connection, "pause", Status.CONNECTED)
    if possible and request.method == "GET":
        return _page(request, connection, "pause")
    if possible:
        runner.hand_over(journey.pause(connection, request.user))
    return SeeOther(connection.get_absolute_url())


@require_POST
@for_connection
def resume(request: Request, connection: Connection) -> HttpResponse:
    """Wake a paused shop; for owners."""
    if not owns(request.user, connection):
        return _page(request, connection, "owners_only", status=403)
    if not _may(connection, "resume", Status.PAUSED):
        return SeeOther(connection.get_absolute_url())
    attempt = journey.resume(connection, request.user)
    runner.hand_over(attempt)
    return SeeOther(connection.get_absolute_url())


@require_http_methods(["GET", "POST"])
@for_connection
def disconnect(request: Request, connection: Connection) -> HttpResponse:
    """What it means, and the button; for owners."""
    if not owns(request.user, connection):
        return _page(request, connection, "owners_only", status=403)
    if request.method == "GET":
        return _page(request, connection, "disconnect")
    if connection.status != Status.DISCONNECTED:
        runner.hand_over(journey.disconnect(connection, request.user))
    return SeeOther(connection.get_absolute_url())


@require_http_methods(["GET", "POST"])
@for_connection
def rename(request: Request, connection: Connection) -> HttpResponse:
    form = RenameForm(connection, form_data(request), initial={"name": connection.name})
    if not form.is_valid():
        context = {"form": form, "connection": connection}
        context["merchant"] = connection.account.merchant
        return render(request, "onboarding/rename.html", context)
    journey.rename(connection, form.cleaned_data["name"])
    messages.success(request, gettext("The name was changed."))
    return redirect(connection)
