"""The return from a vendor's pages: it spends its own state, shows no page, proves nothing."""

from __future__ import annotations

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from onboarding import journey
from onboarding.models import Hop, User
from onboarding.views.access import memberships

from .leaving import SeeOther, leave


@csrf_exempt  # a form that a vendor posts changes nothing: its user is told so, calmly
def arrive(request: HttpRequest, vendor: str) -> HttpResponse:
    """Where a vendor sends a browser back to. What came with it never leaves the server."""
    response = _answer(request, vendor)
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response


def _answer(request: HttpRequest, vendor: str) -> HttpResponse:
    match request.method:
        case "GET" if not _ahead(request):
            return _arrived(request, vendor) or _unknown(vendor)
        case "GET" | "HEAD":
            return HttpResponse()
        case "POST":
            return _unknown(vendor)
    return HttpResponseNotAllowed(["GET", "HEAD"])


def _ahead(request: HttpRequest) -> bool:
    """Whether a browser fetches ahead of its user: like a HEAD, that spends nothing."""
    said = (request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Moz"))
    return any("prefetch" in purpose.lower() for purpose in said)


def _unknown(vendor: str) -> HttpResponse:
    return SeeOther(reverse("return-lost", args=[vendor]))


def _arrived(request: HttpRequest, vendor: str) -> HttpResponse | None:
    """None for a return that belongs to no trip of this visitor."""
    user = request.user if isinstance(request.user, User) else None
    hop, params = _hop(vendor, _brought(request), user)
    if hop is None or not _bound(hop, user):
        return None
    first = hop.spent is None
    attempt = journey.record_return(hop, params, user)
    page = attempt.get_absolute_url()
    if user is None:
        return SeeOther(redirect_to_login(page).url)
    return leave(attempt, user, back=True) if first else SeeOther(page)


def _brought(request: HttpRequest) -> dict[str, str] | None:
    """What came with it; None for what no vendor sends: a flood, or two different states."""
    try:
        given = request.GET
    except TooManyFieldsSent:
        return None
    return given.dict() if len(set(given.getlist("state"))) < 2 else None


def _hop(
    vendor: str, brought: dict[str, str] | None, user: User | None
) -> tuple[Hop | None, dict[str, str]]:
    """The hop, and what of the parameters its flow is given.

    By our state, else by the vendor's own id. A return that brings neither may be anybody's: its
    parameters go to a flow that asked for them, and are dropped otherwise.
    """
    if brought is None:
        return None, {}
    if state := brought.get("state"):
        return journey.find_hop(vendor, state), brought
    if user is None:
        return None, {}
    if named := journey.find_hop_by_id(vendor, user, brought):
        return named, brought
    bare = journey.find_bare_hop(vendor, user)
    return bare, brought if bare and bare.keep_params else {}


def _bound(hop: Hop, user: User | None) -> bool:
    """A hop belongs to the user it was made for, while they belong to the business."""
    merchant = hop.attempt.connection.account.merchant
    owner = hop.user_id
    mine = user is None or user.pk == owner
    return mine and merchant.memberships.filter(user=owner).exists()


@require_safe
@never_cache
def lost(request: HttpRequest, vendor: str) -> HttpResponse:
    """A return that belongs to no trip of this visitor: nothing changed, and ways on."""
    mine = memberships(request.user) if isinstance(request.user, User) else []
    return render(request, "onboarding/return_lost.html", {"memberships": mine})
