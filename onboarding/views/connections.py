"""A merchant's shops: all of them, and one with its evidence, its timeline and what can be done."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from .. import journey, runner
from ..forms import RenameForm
from ..journey import orders
from ..models import Attempt, Connection, Event, Membership
from ..situation import Status
from .access import Request, for_connection, for_member, owns, posted
from .leaving import SeeOther, leave, may_leave
from .outlook import link, moves, outlook, vendor_name
from .polling import poll, seen
from .shop import evidence, hint, stopped

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
    several = Membership.objects.filter(user=request.user).aggregate(n=Count("pk"))["n"] > 1
    context = {"merchant": merchant, "live": live, "ended": ended, "several": several}
    return render(request, "onboarding/home.html", context)


def _open() -> Subquery:
    rows = _trips(Attempt.objects.filter(connection=OuterRef("pk")))
    return Subquery(rows.values("reference")[:1])


def _trips(attempts: QuerySet[Attempt]) -> QuerySet[Attempt]:
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
    going = context["trip"] is not None and moves(context["trip"])
    again = poll("connection-status", context["merchant"], connection) if going else None
    context |= {"poll": again, "owner": owns(request.user, connection)}
    return render(request, "onboarding/connection.html", context)


@require_GET
@for_connection
def status(request: Request, connection: Connection) -> HttpResponse:
    """The polling element, and the regions of the page when there is something new."""
    look, version = seen(request)
    trip = _trips(connection.attempts.all()).first()
    going = trip is not None and moves(trip)
    news = version != connection.version or not going
    merchant = connection.account.merchant
    look = 0 if news else look + 1
    again = poll("connection-status", merchant, connection, look) if going else None
    context = _context(request, connection) if news else {}
    return render(request, "onboarding/_connection_status.html", {**context, "poll": again})


def _context(request: Request, connection: Connection) -> dict[str, Any]:
    trip = _trips(connection.attempts.all()).first()
    if trip:
        trip.connection = connection
    vendor = orders.vendor_of(connection.vendor)
    events = connection.events.select_related("user").order_by("-at", "-pk")[:TIMELINE]
    return {
        "connection": connection,
        "merchant": connection.account.merchant,
        "vendor_name": vendor_name(connection.vendor),
        "offered": vendor is not None,
        "enters": bool(vendor and vendor.can("enter")) and connection.status == Status.CONNECTED,
        "trip": trip,
        "link": "" if trip else link(connection),
        "outlook": outlook(trip, request.user) if trip else None,
        "evidence": evidence(connection),
        "stopped": stopped(connection),
        "entries": [_entry(event, request) for event in events],
    }


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
    return leave(journey.reconnect(connection, request.user), request.user)


@require_POST
@for_connection
def enter(request: Request, connection: Connection) -> HttpResponse:
    """Open the vendor's pages again."""
    return leave(journey.enter(connection, request.user), request.user)


@require_http_methods(["GET", "POST"])
@for_connection
def disconnect(request: Request, connection: Connection) -> HttpResponse:
    """What it means, and the button; for owners."""
    context = {
        "connection": connection,
        "merchant": connection.account.merchant,
        "vendor_name": vendor_name(connection.vendor),
    }
    if not owns(request.user, connection):
        return render(request, "onboarding/owners_only.html", context, status=403)
    if request.method == "GET":
        return render(request, "onboarding/disconnect.html", context)
    if connection.status != Status.DISCONNECTED:
        runner.hand_over(journey.disconnect(connection, request.user))
    return SeeOther(connection.get_absolute_url())


@require_http_methods(["GET", "POST"])
@for_connection
def rename(request: Request, connection: Connection) -> HttpResponse:
    form = RenameForm(connection, posted(request), initial={"name": connection.name})
    if not form.is_valid():
        context = {"form": form, "connection": connection}
        context["merchant"] = connection.account.merchant
        return render(request, "onboarding/rename.html", context)
    connection.name = form.cleaned_data["name"]
    connection.save(update_fields=["name"])
    messages.success(request, gettext("The name was changed."))
    return redirect(connection)
