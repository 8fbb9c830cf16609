"""The catalogue: the start page, the search for shop systems, and one page for each of them."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache

from onboarding import registry
from onboarding.availability.breaker import Outage, outages
from onboarding.catalogue import any_shop, cards, requests
from onboarding.methods import require_read, require_read_or_post
from onboarding.models import Connector, User
from onboarding.views.access import Request, memberships
from onboarding.views.vendor_trip.leaving import may_leave

from .connect import connect_platform

POPULAR = 8  # shop systems on the start page


@require_read
def start(request: HttpRequest) -> HttpResponse:
    """The start page: what this site does, and the first step at once: a shop system, or the search."""
    user = request.user
    own = memberships(user) if isinstance(user, User) else []
    context = {"memberships": own, "popular": cards.load().cards[:POPULAR]}
    return render(request, "onboarding/start.html", context)


@require_read
def catalogue(request: Request) -> HttpResponse:
    """All shop systems, by search term and category: three queries at most, to be fast while typing."""
    term, category = any_shop.typed(request.GET.get("q", "")), request.GET.get("category", "")
    everything = cards.load()
    found = everything.search(term, category)
    is_fragment = request.htmx and not request.htmx.history_restore_request
    template = "onboarding/_catalogue_results.html" if is_fragment else "onboarding/catalogue.html"
    context = {
        "found": found,
        "categories": everything.categories,
        "q": term,
        "category": category,
        **_trouble(found, everything),
        **_not_listed(everything, term),
    }
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _not_listed(catalogue: cards.Catalogue, name: str) -> dict[str, object]:
    """What one can do about a shop system that is not listed, for _not_listed.html."""
    through = catalogue.any_shop
    return {
        "any_shop": through,
        "any_shop_vendor": registry.vendor_name(through.vendor) if through else "",
        "asked": requests.count(name) if name and not catalogue.called(name) else 0,
    }


def _trouble(found: cards.Found, catalogue: cards.Catalogue) -> dict[str, object]:
    shown = [way for card in found.cards for way in card.ways]
    by_vendor = troubles([*shown, catalogue.any_shop] if catalogue.any_shop else shown)
    named = [(registry.vendor_name(slug), why) for slug, why in sorted(by_vendor.items())]
    return {"trouble_by_vendor": by_vendor, "troubles": named}


def troubles(connectors: Iterable[Connector]) -> dict[str, Outage]:
    """Why some of their vendors cannot be used now, by slug; one query, none for no connectors."""
    return outages({connector.vendor for connector in connectors})


@require_read_or_post
@never_cache
@may_leave
def platform(request: HttpRequest, platform: str) -> HttpResponseBase:
    """The page of a platform: what will happen, what the merchant needs, and the way on (connect.py)."""
    catalogue = cards.load()
    found = catalogue.ways_of(platform)
    return connect_platform(request, found) if found else unknown(request, platform, catalogue)


def unknown(request: HttpRequest, asked: str, catalogue: cards.Catalogue) -> HttpResponse:
    """To the page of what has this as another name; else what one can do about it, with status 404."""
    if card := catalogue.called(asked):
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        return redirect(reverse("platform", args=[card.platform]) + query)
    name = any_shop.typed(asked.replace("-", " "))
    context = {"q": name, "found": catalogue.search(name), **_not_listed(catalogue, name)}
    return render(request, "onboarding/platform_unknown.html", context, status=404)
