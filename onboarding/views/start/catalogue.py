"""The catalogue: the start page, the search for connectors, and one page for each platform."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache

from onboarding import registry
from onboarding.availability.breaker import Outage, outages
from onboarding.methods import require_read, require_read_or_post
from onboarding.models import Connector, User
from onboarding.models.catalogue import offered as offered
from onboarding.views.access import Request, memberships
from onboarding.views.vendor_trip.leaving import may_leave

from .connect import connect_platform


@require_read
def start(request: HttpRequest) -> HttpResponse:
    """The start page: what this site does, how long it takes, what to have at hand."""
    user = request.user
    own = memberships(user) if isinstance(user, User) else []
    context = {"memberships": own, "examples": offered()[:6]}
    return render(request, "onboarding/start.html", context)


@require_read
def catalogue(request: Request) -> HttpResponse:
    """All connectors, by search term and category. Two queries, so that it stays fast while typing."""
    term = request.GET.get("q", "").strip()[:100]
    category = request.GET.get("category", "")
    connectors = sorted(offered(), key=lambda each: (each.position, str(each).casefold()))
    categories = sorted({connector.category for connector in connectors})
    matching = [c for c in connectors if category in ("", c.category) and _matches(c, term)]
    is_fragment = request.htmx and not request.htmx.history_restore_request
    template = "onboarding/_catalogue_results.html" if is_fragment else "onboarding/catalogue.html"
    trouble_by_vendor = troubles(matching)
    context = {
        "connectors": matching,
        "categories": categories,
        "q": term,
        "category": category,
        "trouble_by_vendor": trouble_by_vendor,
        "troubles": [
            (registry.vendor_name(slug), why) for slug, why in sorted(trouble_by_vendor.items())
        ],
    }
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _matches(connector: Connector, term: str) -> bool:
    """Whether each word of the search term occurs somewhere in the entry."""
    fields = (str(connector), connector.vendor_name, connector.platform, connector.description)
    text = " ".join(fields).casefold()
    return all(word in text for word in term.casefold().split())


def troubles(connectors: Iterable[Connector]) -> dict[str, Outage]:
    """Why some of their vendors cannot be used now, by slug; one query, none for no connectors."""
    return outages({connector.vendor for connector in connectors})


@require_read_or_post
@never_cache
@may_leave
def platform(request: HttpRequest, platform: str) -> HttpResponseBase:
    """The page of a platform: what will happen, what to have at hand, and the way on (connect.py)."""
    found = list(offered().filter(platform=platform.lower()))
    if not found:
        context = {"asked": platform, "connectors": offered()[:12]}
        return render(request, "onboarding/platform_unknown.html", context, status=404)
    return connect_platform(request, found)
