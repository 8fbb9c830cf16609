"""A return in another browser than the one that left: nothing is spent until its own user says so.

What came along waits, encrypted, in the session of that user. Of a visitor who is not signed in, or is
somebody else, nothing is kept.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from onboarding import journey, registry
from onboarding.methods import require_read, require_read_or_post
from onboarding.models import Attempt, Hop, User
from onboarding.models.memo import MemoUnreadable, seal, unseal
from onboarding.views.access import Request, for_attempt

from .leaving import SeeOther, leave, may_leave

WAITING = (
    "return_elsewhere"  # in the session: the hop, and what came along; the newest return alone
)


def respond(request: HttpRequest, vendor: str, hop: Hop, params: dict[str, str]) -> HttpResponse:
    """Redirect to a page that says what to do. Where nothing is open, the attempt's own page does."""
    attempt = hop.attempt
    if not isinstance(request.user, User):
        return SeeOther(reverse("return-elsewhere", args=[vendor]))
    if hop.spent is not None or attempt.ended is not None:
        return SeeOther(attempt.get_absolute_url())
    request.session[WAITING] = seal({"hop": hop.pk, "params": params})
    merchant = attempt.connection.account.merchant
    return SeeOther(reverse("return-here", args=[merchant.reference, attempt.reference]))


@require_read
@never_cache
def signed_out(request: HttpRequest, vendor: str) -> HttpResponse:
    """For whoever is not signed in: where to go on."""
    return render(request, "onboarding/return_elsewhere.html")


@require_read_or_post
@may_leave
@for_attempt
def here(request: Request, attempt: Attempt) -> HttpResponse:
    """For its own user: the button that goes on in this browser with what the return brought."""
    hop, params = _waiting(request, attempt)
    if hop is None or hop.spent is not None:
        return SeeOther(attempt.get_absolute_url())
    if request.method == "POST":
        del request.session[WAITING]
        journey.record_return(hop, params, request.user)
        return leave(request, attempt, back=True)
    connection = attempt.connection
    context = {
        "attempt": attempt,
        "connection": connection,
        "merchant": connection.account.merchant,
        "vendor_name": registry.vendor_name(connection.vendor),
    }
    return render(request, "onboarding/return_here.html", context)


def _waiting(request: Request, attempt: Attempt) -> tuple[Hop | None, dict[str, str]]:
    """This user's return to this attempt that waits in the session."""
    try:
        kept = unseal(request.session.get(WAITING, ""))
    except MemoUnreadable:
        return None, {}
    if not isinstance(kept, dict):
        return None, {}
    hop = attempt.hops.filter(pk=kept["hop"], user=request.user).first()
    return hop, kept["params"]
