"""The page of an attempt, its polling, and what its buttons do."""

from __future__ import annotations

from typing import assert_never

from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from onboarding import journey, registry
from onboarding.background import runner
from onboarding.methods import require_post, require_read
from onboarding.models import Attempt
from onboarding.models.status import shown
from onboarding.questions import QuestionsForm
from onboarding.views.access import Request, attempts_of, for_attempt, for_poll, secret_owners
from onboarding.views.forms import NameForm
from onboarding.views.polling import asked_by_itself, poll, polled
from onboarding.views.vendor_trip.leaving import SeeOther, leave, may_leave, take_link

from .status_panel import (
    PanelAction,
    checklist,
    link,
    next_try_of,
    pace_of,
    panel_of,
    questions_of,
    step_of,
    tab_title,
    wants_address,
    whose_turn,
)

GET_PATIENCE = 0.3  # seconds that a GET waits for the vendor


@require_read
@may_leave
@for_attempt
def attempt(request: Request, attempt: Attempt) -> HttpResponse:
    """The status of an attempt. A return that waited for this user is processed, and it is noted that they
    have seen it; nothing else changes."""
    if request.method == "GET" and journey.claim_return(attempt, request.user):
        runner.hand_over(attempt, timeout=GET_PATIENCE, returned=True)
        attempt.refresh_from_db()
    _note_look(request, attempt)
    return page(request, attempt)


def _note_look(request: Request, attempt: Attempt, *, news: bool = False) -> None:
    """Who reads it here needs no mail; a HEAD request shows nobody anything."""
    if request.method == "GET":
        journey.note_look(attempt, request.user, news=news)


@asked_by_itself
@require_read
@for_poll
def status(request: Request, attempt: Attempt) -> HttpResponse:
    """The polling element, and the status region when it has changed since the last poll."""
    number, version = polled(request)
    pace = pace_of(attempt)
    has_news = version != attempt.version or not pace
    _note_look(request, attempt, news=has_news)
    merchant = attempt.connection.account.merchant
    number = 0 if has_news else number + 1
    next_poll = poll("attempt-status", merchant, attempt, number, pace) if pace else None
    context: dict[str, object] = {}
    if has_news:
        context = _context(request, get_object_or_404(attempts_of(request.user), pk=attempt.pk))
    return render(request, "onboarding/_attempt_status.html", {**context, "poll": next_poll})


@require_post
@for_attempt
def continue_attempt(request: Request, attempt: Attempt) -> HttpResponse:
    """Continue: take the link that was minted, or have a new one minted.

    Where the vendor sends nobody back, the button opens a tab of its own: hence `beside`.
    """
    if response := take_link(request, attempt, beside=True):
        return response
    journey.continue_attempt(attempt, request.user)
    return leave(request, attempt, beside=True)


@require_post
@for_attempt
def finish(request: Request, attempt: Attempt) -> HttpResponse:
    """ "I have finished", for vendors that send nobody back."""
    journey.report_finished(attempt, request.user)
    return _call_and_show(attempt)


@require_post
@for_attempt
def check_again(request: Request, attempt: Attempt) -> HttpResponse:
    journey.continue_attempt(attempt, request.user)
    return _call_and_show(attempt)


@require_post
@may_leave
@for_attempt
def answer(request: Request, attempt: Attempt) -> HttpResponse:
    """The answers to the vendor's questions; errors are shown with what was entered."""
    questions = questions_of(attempt)
    form = QuestionsForm(questions, request.POST)
    if not questions:
        return SeeOther(attempt.get_absolute_url())
    if not form.is_valid():
        return page(request, attempt, form)
    journey.submit_answers(attempt, request.user, form.answers)
    return leave(request, attempt)


def _call_and_show(attempt: Attempt) -> HttpResponse:
    runner.hand_over(attempt)
    return SeeOther(attempt.get_absolute_url())


def page(request: Request, attempt: Attempt, form: Form | None = None) -> HttpResponse:
    """The whole page. `form`: a submitted form with errors."""
    merchant = attempt.connection.account.merchant
    pace = pace_of(attempt)
    next_poll = poll("attempt-status", merchant, attempt, pace=pace) if pace else None
    context = {**_context(request, attempt, form), "poll": next_poll}
    return render(request, "onboarding/attempt.html", context)


def _context(request: Request, attempt: Attempt, form: Form | None = None) -> dict[str, object]:
    connection = attempt.connection
    panel = panel_of(attempt, request.user)
    vendor = registry.vendor_of(connection.vendor)
    link_to_open = "" if attempt.ended else link(attempt)
    return {
        "attempt": attempt,
        "connection": connection,
        "merchant": connection.account.merchant,
        "seen": journey.newest_attempt(connection),
        "panel": panel,
        "tab_title": tab_title(attempt, panel),
        "whose_turn": whose_turn(attempt),
        "step": step_of(attempt),
        "next_try": next_try_of(attempt),
        "link": link_to_open,
        "check_style": "quiet" if link_to_open else panel.style,
        "items": checklist(attempt, vendor) if panel.checklist else [],
        "form": form or _form(attempt, panel.action),
        "wants_address": wants_address(attempt),
        "found": shown(attempt.found_evidence),
        "in_use": _account_in_use(attempt) if panel.action != "choose" else "",
        "meant_account": connection.account_label if _account_in_use(attempt) else "",
        "beside": journey.opens_beside(attempt),
        "success": panel.kind in {"connected", "reported"} and attempt.connects,
        "secret_waits": panel.kind in {"connected", "reported"} and connection.secret_waits,
        "secret_owners": secret_owners(request.user, connection),
        "sibling": journey.connection_of_found_shop(attempt) if panel.action == "choose" else None,
        "vendor_name": registry.vendor_name(connection.vendor),
    }


def _account_in_use(attempt: Attempt) -> str:
    """The account at the vendor that this attempt has led to, where its shop does not say so itself."""
    is_other = attempt.found_account != attempt.connection.account_label
    return attempt.found_account if is_other and not attempt.ended else ""


def _form(attempt: Attempt, action: PanelAction) -> Form | None:
    """The form of this page, if it has one."""
    connection = attempt.connection
    match action:
        case "answer":
            return QuestionsForm(questions_of(attempt))
        case "choose":
            name = journey.free_name(connection.account.merchant, connection.name)
            return NameForm(initial={"name": name})
        case "" | "continue" | "check" | "reconnect":
            return None
    assert_never(action)
