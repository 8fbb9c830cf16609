"""The one page of an attempt, and what its buttons do."""

from __future__ import annotations

from typing import Any

from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_POST

from onboarding import journey, registry
from onboarding.background import runner
from onboarding.models import Attempt
from onboarding.models.status import shown
from onboarding.questions import QuestionsForm
from onboarding.views.access import Request, attempts_of, for_attempt, for_poll
from onboarding.views.forms import NameForm
from onboarding.views.polling import poll, seen
from onboarding.views.vendor_trip.leaving import SeeOther, away, leave, may_leave

from .status_panel import asked, checklist, link, moves, next_try, panel_of, wants_address, whose

A_MOMENT = 0.3  # seconds that a GET waits for the vendor


@require_GET
@may_leave
@for_attempt
def attempt(request: Request, attempt: Attempt) -> HttpResponse:
    """How it stands. A return that waited for this user is worked on; nothing else changes."""
    if journey.claim_return(attempt, request.user):
        runner.hand_over(attempt, patience=A_MOMENT, back=True)
        attempt.refresh_from_db()
    return page(request, attempt)


@require_GET
@for_poll
def status(request: Request, attempt: Attempt) -> HttpResponse:
    """The polling element, and the status region when there is something new to say."""
    look, version = seen(request)
    going = moves(attempt)
    news = version != attempt.version or not going
    merchant = attempt.connection.account.merchant
    again = poll("attempt-status", merchant, attempt, 0 if news else look + 1) if going else None
    context: dict[str, Any] = {}
    if news:
        context = _context(request, get_object_or_404(attempts_of(request.user), pk=attempt.pk))
    return render(request, "onboarding/_attempt_status.html", {**context, "poll": again})


@require_POST
@for_attempt
def go_on(request: Request, attempt: Attempt) -> HttpResponse:
    """Continue: the link that waits, or a new one."""
    if gone := away(journey.take_link(attempt, request.user)):
        return gone
    journey.continue_attempt(attempt, request.user)
    return leave(attempt, request.user)


@require_POST
@for_attempt
def finish(request: Request, attempt: Attempt) -> HttpResponse:
    """ "I have finished", where nobody is sent back."""
    journey.report_finished(attempt, request.user)
    return _looked(attempt)


@require_POST
@for_attempt
def check_again(request: Request, attempt: Attempt) -> HttpResponse:
    journey.continue_attempt(attempt, request.user)
    return _looked(attempt)


@require_POST
@may_leave
@for_attempt
def answer(request: Request, attempt: Attempt) -> HttpResponse:
    """The answers to the vendor's questions; what is wrong is said with what was entered kept."""
    questions = asked(attempt)
    form = QuestionsForm(questions, request.POST)
    if not questions:
        return SeeOther(attempt.get_absolute_url())
    if not form.is_valid():
        return page(request, attempt, form)
    journey.submit_answers(attempt, request.user, form.answers)
    return leave(attempt, request.user)


def _looked(attempt: Attempt) -> HttpResponse:
    runner.hand_over(attempt)
    return SeeOther(attempt.get_absolute_url())


def page(request: Request, attempt: Attempt, form: Form | None = None) -> HttpResponse:
    """The page as it stands; `form`: what was entered and is wrong."""
    context = _context(request, attempt, form)
    merchant = context["merchant"]
    again = poll("attempt-status", merchant, attempt) if moves(attempt) else None
    return render(request, "onboarding/attempt.html", {**context, "poll": again})


def _context(request: Request, attempt: Attempt, form: Form | None = None) -> dict[str, Any]:
    connection = attempt.connection
    view = panel_of(attempt, request.user)
    vendor = registry.vendor_of(connection.vendor)
    opens = "" if attempt.ended else link(attempt)
    return {
        "attempt": attempt,
        "connection": connection,
        "merchant": connection.account.merchant,
        "panel": view,
        "whose": whose(attempt),
        "next_try": next_try(attempt),
        "link": opens,
        "check_style": "quiet" if opens else view.style,
        "items": checklist(attempt, vendor) if view.checklist else [],
        "form": form or _form(attempt, view.action),
        "wants_address": wants_address(attempt),
        "found": shown(attempt.found_evidence),
        "reveals": view.kind == "connected" and connection.secret_waits,
        "other": journey.connection_of_found_shop(attempt) if view.action == "choose" else None,
        "vendor_name": registry.vendor_name(connection.vendor),
    }


def _form(attempt: Attempt, action: str) -> Form | None:
    """What the merchant is asked for on this page."""
    shop = attempt.connection
    match action:
        case "answer":
            return QuestionsForm(asked(attempt))
        case "choose":
            return NameForm(initial={"name": journey.free_name(shop.account.merchant, shop.name)})
    return None
