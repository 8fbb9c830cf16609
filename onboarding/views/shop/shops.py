"""The page of a shop: its status, its timeline and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from onboarding import clock, journey, registry
from onboarding.background import runner
from onboarding.consent import Words, consent_of
from onboarding.methods import require_post, require_read, require_read_or_post
from onboarding.models import Attempt, Connection, SecurityEvent, User
from onboarding.models.status import Status
from onboarding.monitoring import security_log
from onboarding.notifications import notices
from onboarding.questions import form_data
from onboarding.views.access import Request, for_connection, owns, secret_owners
from onboarding.views.attempt.status_panel import link, needs_polling, panel_of
from onboarding.views.forms import NameAndAddressForm, taken
from onboarding.views.polling import Pace, asked_by_itself, poll, polled
from onboarding.views.vendor_trip.leaving import SeeOther, leave, may_leave

from .actions import actions_of, seen
from .summary import at_vendor, changes, evidence, is_doubted, next_act
from .timeline import Timeline, timeline_of


def _open_attempts(attempts: QuerySet[Attempt]) -> QuerySet[Attempt]:
    """Open attempts, without visits to the vendor's pages: those change nothing here."""
    return attempts.filter(ended=None).exclude(purpose=Attempt.Purpose.ENTER)


@require_read
@may_leave
@for_connection
def connection(request: Request, connection: Connection) -> HttpResponse:
    """The page of a shop: its status, how we know, what happened, and what can be done."""
    attempt = _open_attempt(connection)
    merchant = connection.account.merchant
    timeline = timeline_of(connection, request.user, request.GET.get("before", ""))
    context = _context(request, connection, attempt, timeline)
    if timeline.is_newest:  # what a poll brings would take the place of older entries
        context["poll"] = poll("connection-status", merchant, connection, pace=_pace(attempt))
    return render(request, "onboarding/connection.html", context)


def _can_disconnect(connection: Connection) -> bool:
    """A shop that was never connected is removed instead, unless something at the vendor can be ended."""
    if connection.status == Status.DISCONNECTED:
        return False
    return bool(connection.key) or not journey.can_remove(connection)


@asked_by_itself
@require_read
@for_connection
def status(request: Request, connection: Connection) -> HttpResponse:
    """The polling element, and the regions of the page that changed since the last poll."""
    number, version = polled(request)
    attempt = _open_attempt(connection)
    has_news = version != connection.version
    number = 0 if has_news else number + 1
    merchant, pace = connection.account.merchant, _pace(attempt)
    next_poll = poll("connection-status", merchant, connection, number, pace)
    context: dict[str, object] = {}
    if has_news:
        timeline = timeline_of(connection, request.user)
        context = _context(request, connection, attempt, timeline)
    return render(request, "onboarding/_connection_status.html", {**context, "poll": next_poll})


def _pace(attempt: Attempt | None) -> Pace:
    """Often while something goes on. What a check or staff change is rare news."""
    return Pace.LIVELY if attempt is not None and needs_polling(attempt) else Pace.QUIET


def _open_attempt(connection: Connection) -> Attempt | None:
    attempt = _open_attempts(connection.attempts.all()).first()
    if attempt:
        attempt.connection = connection  # with the rows that are loaded already
    return attempt


def _promised_to(connection: Connection, user: User) -> str:
    """The reader's address, if they get a mail when the shop is confirmed, or a task of staff is done."""
    if connection.status != Status.REPORTED and not connection.waits_for_task:
        return ""
    attempt = connection.task_attempt or connection.attempts.first()
    return notices.promised_to(attempt, user) if attempt else ""


def _context(
    request: Request, connection: Connection, attempt: Attempt | None, timeline: Timeline
) -> dict[str, object]:
    vendor = registry.vendor_of(connection.vendor)
    return {
        "connection": connection,
        "merchant": connection.account.merchant,
        "vendor_name": registry.vendor_name(connection.vendor),
        "vendor_is_offered": vendor is not None,
        "can_enter": bool(vendor and vendor.can("enter")) and connection.is_set_up,
        "can_pause": _can_pause(connection),
        "can_resume": _can_resume(connection),
        "can_disconnect": _can_disconnect(connection),
        "can_remove": journey.can_remove(connection),
        "is_owner": owns(request.user, connection),
        "seen": journey.newest_attempt(connection),
        "consent": _consent_again(connection),
        "attempt": attempt,
        "link": "" if attempt else link(connection),
        "panel": panel_of(attempt, request.user) if attempt else None,
        "next_act": next_act(connection.vendor, attempt.turn, attempt.answer) if attempt else "",
        "actions": actions_of(connection, attempt),
        "secret_waits": connection.secret_waits,
        "secret_owners": secret_owners(request.user, connection),
        "email": _promised_to(connection, request.user),
        "is_doubted": is_doubted(connection),
        "evidence": evidence(connection),
        "changes": changes(connection),
        "timeline": timeline,
        "timeline_url": connection.get_absolute_url(),
        "read_at": clock.now(),
    }


def _consent_again(connection: Connection) -> Words | None:
    """What a merchant agrees to again who connects a shop again that was disconnected."""
    vendor = registry.vendor_of(connection.vendor)
    if vendor is None or connection.status != Status.DISCONNECTED:
        return None
    return consent_of(connection.connector, vendor)


def _can_pause(connection: Connection) -> bool:
    return _has(connection, "pause") and journey.may_begin(connection, Attempt.Purpose.PAUSE)


def _can_resume(connection: Connection) -> bool:
    return _has(connection, "resume") and journey.may_begin(connection, Attempt.Purpose.RESUME)


def _has(connection: Connection, call: str) -> bool:
    vendor = registry.vendor_of(connection.vendor)
    return vendor is not None and vendor.can(call)


@require_post
@for_connection
def reconnect(request: Request, connection: Connection) -> HttpResponse:
    agreement, consent, shown = None, _consent_again(connection), request.POST.get("consent")
    if consent and shown and not (agreement := consent.agreed(shown, connection.connector)):
        message = gettext("What you agree to has changed. Read it, then reconnect.")
        messages.warning(request, message)
        return _shop(connection)
    attempt = journey.reconnect(
        connection, request.user, seen(request, connection), agreement=agreement
    )
    if attempt.connection.name != connection.name:
        words = {"old": connection.name, "name": attempt.connection.name}
        message = gettext(
            "Another shop is already called “%(old)s”, so this one is now “%(name)s”."
        )
        messages.info(request, message % words)
    return leave(request, attempt)


@require_post
@for_connection
def enter(request: Request, connection: Connection) -> HttpResponse:
    """Open the vendor's pages again."""
    return leave(request, journey.enter(connection, request.user))


def _page(
    request: Request, connection: Connection, name: str, *, status: int = 200, **more: object
) -> HttpResponse:
    """A page of its own about an action on a shop. `name`: of its template."""
    context = {
        "connection": connection,
        "merchant": connection.account.merchant,
        "vendor_name": registry.vendor_name(connection.vendor),
        **more,
    }
    return render(request, f"onboarding/{name}.html", context, status=status)


@require_read_or_post
@for_connection
def pause(request: Request, connection: Connection) -> HttpResponse:
    """What pausing means, and the button; for owners."""
    if not owns(request.user, connection):
        return _page(request, connection, "owners_only", status=403)
    can_pause = _can_pause(connection)
    if can_pause and request.method != "POST":
        return _page(request, connection, "pause", at_vendor=at_vendor(connection, "pause"))
    return _begin(request, connection, journey.pause) if can_pause else _shop(connection)


@require_post
@for_connection
def resume(request: Request, connection: Connection) -> HttpResponse:
    """Resume a paused shop; for owners."""
    if not owns(request.user, connection):
        return _page(request, connection, "owners_only", status=403)
    if not _can_resume(connection):
        return _shop(connection)
    return _begin(request, connection, journey.resume)


@require_read_or_post
@for_connection
def disconnect(request: Request, connection: Connection) -> HttpResponse:
    """What disconnecting means, and the button; for owners."""
    if not owns(request.user, connection):
        return _page(request, connection, "owners_only", status=403)
    if request.method != "POST":
        sentences = at_vendor(connection, "disconnect")
        return _page(request, connection, "disconnect", at_vendor=sentences)
    return _begin(request, connection, journey.disconnect)


def _begin(
    request: Request, connection: Connection, begin: Callable[[Connection, User], Attempt]
) -> HttpResponse:
    """Begin an attempt and show the shop, also when somebody was faster."""
    with suppress(journey.StatusChanged):
        attempt = begin(connection, request.user)
        if attempt.purpose == Attempt.Purpose.END:
            _ended(request, connection, "disconnected")
        runner.hand_over(attempt)
    return _shop(connection)


def _ended(request: Request, connection: Connection, how: str) -> None:
    kind, merchant = SecurityEvent.Kind.SHOP_ENDED, connection.account.merchant
    detail = f"shop {connection.reference} {how}"
    security_log.record(kind, request, merchant=merchant, detail=detail)


def _shop(connection: Connection) -> HttpResponse:
    return SeeOther(connection.get_absolute_url())


@require_read_or_post
@for_connection
def remove(request: Request, connection: Connection) -> HttpResponse:
    """What removing a shop that was never connected means, and the button."""
    if connection.removed_at:
        return SeeOther(connection.account.merchant.get_absolute_url())
    if not journey.can_remove(connection):
        return _shop(connection)
    if request.method != "POST":
        stays = journey.stays_at_vendor(connection)
        return _page(request, connection, "remove", stays_at_vendor=stays)
    if not journey.remove(connection, request.user):
        return _shop(connection)
    _ended(request, connection, "removed")
    message = gettext("“%(shop)s” was removed from your list.") % {"shop": connection.name}
    messages.success(request, message)
    return SeeOther(connection.account.merchant.get_absolute_url())


@require_read_or_post
@for_connection
def rename(request: Request, connection: Connection) -> HttpResponse:
    form = NameAndAddressForm(form_data(request), connection)
    if form.is_valid() and _rename(connection, form):
        messages.success(request, gettext("Saved."))
        return redirect(connection)
    context = {"form": form, "connection": connection}
    context["merchant"] = connection.account.merchant
    return render(request, "onboarding/rename.html", context)


def _rename(connection: Connection, form: NameAndAddressForm) -> bool:
    """False when another shop has the name; the form says so."""
    name, address = form.cleaned_data["name"], form.cleaned_data.get("address")
    try:
        journey.rename(connection, name, address)
    except journey.NameTaken:
        form.add_error("name", taken(name))
        return False
    return True
