"""Another shop was found than was meant: what the three answers of that page do."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_POST

from onboarding import journey
from onboarding.models import Attempt
from onboarding.models.status import Answer
from onboarding.views.access import Request, for_attempt
from onboarding.views.forms import NameForm, taken
from onboarding.views.vendor_trip.leaving import SeeOther, leave, may_leave

from .attempts import page


@require_POST
@for_attempt
def use_found(request: Request, attempt: Attempt) -> HttpResponse:
    """Use it; a shop that is connected already stays where it is, and that is where one goes."""
    if not _asked(attempt):
        return SeeOther(attempt.get_absolute_url())
    other = journey.connection_of_found_shop(attempt)
    if journey.use_found_shop(attempt, request.user).ended and other:
        return SeeOther(other.get_absolute_url())
    return leave(attempt, request.user)


@require_POST
@for_attempt
def go_back(request: Request, attempt: Attempt) -> HttpResponse:
    """That was not the shop that was meant."""
    if not _asked(attempt):
        return SeeOther(attempt.get_absolute_url())
    journey.reject_found_shop(attempt, request.user)
    return leave(attempt, request.user)


@require_POST
@may_leave
@for_attempt
def both(request: Request, attempt: Attempt) -> HttpResponse:
    """It is mine too: a second shop with a name of its own."""
    if not _asked(attempt) or journey.connection_of_found_shop(attempt):
        return SeeOther(attempt.get_absolute_url())
    form = NameForm(request.POST)
    if form.is_valid() and _second(request, attempt, form):
        return leave(attempt, request.user)
    return page(request, attempt, form)


def _second(request: Request, attempt: Attempt, form: NameForm) -> bool:
    name = form.cleaned_data["name"]
    try:
        journey.connect_both(attempt, request.user, name)
    except journey.NameTaken:
        form.add_error("name", taken(name))
        return False
    return True


def _asked(attempt: Attempt) -> bool:
    """Whether the question still stands; pressed on an old page, the answer changes nothing."""
    return attempt.answer == Answer.WRONG_SHOP and attempt.ended is None
