"""The return from a vendor's pages: it spends its own state, shows no page, proves nothing."""

from __future__ import annotations

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .. import journey
from ..journey import hops
from ..models import Hop, User
from .access import memberships
from .leaving import SeeOther, leave


@require_safe
def arrive(request: HttpRequest, vendor: str) -> HttpResponse:
    """Where a vendor sends a browser back to. What came with it never leaves the server."""
    response = HttpResponse() if _only_looking(request) else _arrived(request, vendor)
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response


def _only_looking(request: HttpRequest) -> bool:
    """A HEAD, or a browser that fetches ahead of its user: they spend nothing."""
    purposes = (request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Moz"))
    return request.method == "HEAD" or any("prefetch" in said for said in purposes)


def _arrived(request: HttpRequest, vendor: str) -> HttpResponse:
    params = request.GET.dict()
    hop = hops.find(vendor, params.get("state", ""))
    user = request.user if isinstance(request.user, User) else None
    if hop is None or (user and not _bound(hop, user)):
        return SeeOther(reverse("return-lost", args=[vendor]))
    first = hop.spent is None
    attempt = journey.arrive(hop, params, user)
    page = attempt.get_absolute_url()
    if user is None:
        return SeeOther(redirect_to_login(page).url)
    return leave(attempt, user) if first else SeeOther(page)


def _bound(hop: Hop, user: User) -> bool:
    """A hop belongs to the user it was made for, while they belong to the business."""
    merchant = hop.attempt.connection.account.merchant
    return hop.user_id == user.pk and merchant.memberships.filter(user=user).exists()


@require_safe
@never_cache
def lost(request: HttpRequest, vendor: str) -> HttpResponse:
    """A return that belongs to no trip of this visitor: nothing changed, and ways on."""
    mine = memberships(request.user) if isinstance(request.user, User) else []
    return render(request, "onboarding/return_lost.html", {"memberships": mine})
