"""Wrong shop: the vendor connected another shop than was meant, and the merchant chooses what to do."""

from __future__ import annotations

from django.http import HttpResponse

from onboarding import journey
from onboarding.methods import require_post
from onboarding.models import Attempt
from onboarding.models.status import Answer
from onboarding.views.access import Request, for_attempt
from onboarding.views.forms import NameForm, taken
from onboarding.views.vendor_trip.leaving import SeeOther, leave, may_leave

from .attempts import page


@require_post
@for_attempt
def use_found(request: Request, attempt: Attempt) -> HttpResponse:
    """Use the found shop. If a sibling connection has it, that one stays, and its page is shown."""
    if not _is_open(attempt):
        return SeeOther(attempt.get_absolute_url())
    sibling = journey.connection_of_found_shop(attempt)
    if journey.use_found_shop(attempt, request.user).ended and sibling:
        return SeeOther(sibling.get_absolute_url())
    return leave(request, attempt)


@require_post
@for_attempt
def reject_found(request: Request, attempt: Attempt) -> HttpResponse:
    """That was not the shop that was meant: start again at the vendor."""
    if not _is_open(attempt):
        return SeeOther(attempt.get_absolute_url())
    journey.reject_found_shop(attempt, request.user)
    return leave(request, attempt)


@require_post
@may_leave
@for_attempt
def connect_both(request: Request, attempt: Attempt) -> HttpResponse:
    """It is mine too: the found shop becomes a second connection with a name of its own."""
    if not _is_open(attempt) or journey.connection_of_found_shop(attempt):
        return SeeOther(attempt.get_absolute_url())
    form = NameForm(request.POST)
    if form.is_valid() and _connect_both(request, attempt, form):
        return leave(request, attempt)
    return page(request, attempt, form)


def _connect_both(request: Request, attempt: Attempt, form: NameForm) -> bool:
    """False when the name is taken; the form says so."""
    name = form.cleaned_data["name"]
    try:
        journey.connect_both(attempt, request.user, name)
    except journey.NameTaken:
        form.add_error("name", taken(name))
        return False
    return True


def _is_open(attempt: Attempt) -> bool:
    """Whether the merchant still has to choose: a button on an outdated page changes nothing."""
    return attempt.answer == Answer.WRONG_SHOP and attempt.ended is None
