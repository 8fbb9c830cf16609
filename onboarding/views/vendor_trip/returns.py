"""Returns from vendors' pages: spend the `state`, then redirect. A return proves nothing by itself."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from onboarding import journey
from onboarding.methods import require_read
from onboarding.models import Hop, SecurityEvent, User
from onboarding.monitoring import security_log
from onboarding.views.access import Request, memberships

from . import browser, elsewhere, return_query
from .leaving import SeeOther, leave


@csrf_exempt  # a POST from a vendor's page changes nothing, and gets a page that says so
def arrive(request: HttpRequest, vendor: str) -> HttpResponse:
    """The return address of a vendor, its name in any case. The parameters never leave the server."""
    response = _respond(request, vendor.lower())
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response


arrive.takes_any_query = True  # type: ignore[attr-defined]  # nobody is sent away for odd characters


def _respond(request: HttpRequest, vendor: str) -> HttpResponse:
    match request.method:
        case "GET" if not _is_prefetch(request):
            return _process_return(request, vendor) or _unknown(vendor)
        case "GET" | "HEAD":
            return HttpResponse()
        case "POST":
            return _unknown(vendor)
    return HttpResponseNotAllowed(["GET", "HEAD"])


def _is_prefetch(request: HttpRequest) -> bool:
    """Whether the browser prefetches the page: like a HEAD, that spends nothing."""
    purposes = (request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Moz"))
    return any("prefetch" in purpose.lower() for purpose in purposes)


def _unknown(vendor: str) -> HttpResponse:
    return SeeOther(reverse("return-lost", args=[vendor]))


def _process_return(request: HttpRequest, vendor: str) -> HttpResponse | None:
    """None for a return that belongs to no redirect of this visitor."""
    user = request.user if isinstance(request.user, User) else None
    brought = _params_of(request)
    hop, params = _find_hop(vendor, brought, user)
    if hop is None:
        return None
    is_foreign = not _left_from_here(request, hop, brought or {})
    if is_foreign:
        _record_foreign(request, hop)
    if not _may_use(hop, user):
        return None
    if is_foreign:
        return elsewhere.respond(request, vendor, hop, params)
    return _take(request, hop, params)


def _left_from_here(request: HttpRequest, hop: Hop, brought: dict[str, str]) -> bool:
    """Whether this browser left for the vendor: it alone may spend a return and bring parameters.

    A return without our state was found for a signed-in user, whose session is of this browser too; only
    a cookie of another trip speaks against it.
    """
    cookie = browser.cookie_of(request)
    if not brought.get("state") and not cookie:
        return True
    return journey.left_from(hop, cookie)


def _record_foreign(request: HttpRequest, hop: Hop) -> None:
    """Once for each hop, however often strangers open it."""
    if journey.note_stray(hop):
        merchant = hop.attempt.connection.account.merchant
        kind = SecurityEvent.Kind.FOREIGN_RETURN
        security_log.record(kind, request, user=hop.user, merchant=merchant)


def _take(request: HttpRequest, hop: Hop, params: dict[str, str]) -> HttpResponse:
    """Spend the return. Without a login it waits for its user."""
    user = request.user if isinstance(request.user, User) else None
    is_first = hop.spent is None
    attempt = journey.record_return(hop, params, user)
    page = attempt.get_absolute_url()
    if user is None:
        return SeeOther(redirect_to_login(page).url)
    return leave(cast(Request, request), attempt, back=True) if is_first else SeeOther(page)


def _params_of(request: HttpRequest) -> dict[str, str] | None:
    """The parameters, also of a query that was bent on the way; None for what no vendor sends."""
    return return_query.read(request.META.get("QUERY_STRING", ""))


def _find_hop(
    vendor: str, params: dict[str, str] | None, user: User | None
) -> tuple[Hop | None, dict[str, str]]:
    """The hop of a return, and the parameters that its flow is given.

    It is found by our state, else by the vendor's own id. A return with neither may be anybody's: its
    parameters go to a flow that asked for them, and are dropped otherwise.
    """
    if params is None:
        return None, {}
    if state := params.get("state"):
        return journey.find_hop(vendor, state), params
    if user is None:
        return None, {}
    cut = {name: return_query.token(value) for name, value in params.items()}
    for named in (params, cut):
        if hop_by_id := journey.find_hop_by_id(vendor, user, named):
            return hop_by_id, params
    bare_hop = journey.find_bare_hop(vendor, user)
    return bare_hop, params if bare_hop and bare_hop.keep_params else {}


def _may_use(hop: Hop, user: User | None) -> bool:
    """A hop belongs to the user it was minted for, as long as they are a member of the merchant."""
    merchant = hop.attempt.connection.account.merchant
    is_own_or_unknown = user is None or user.pk == hop.user_id
    return is_own_or_unknown and merchant.memberships.filter(user=hop.user_id).exists()


@require_read
@never_cache
def lost(request: HttpRequest, vendor: str) -> HttpResponse:
    """The page for a return that belongs to no redirect of this visitor. Nothing was changed."""
    own = memberships(request.user) if isinstance(request.user, User) else []
    return render(request, "onboarding/return_lost.html", {"memberships": own})
