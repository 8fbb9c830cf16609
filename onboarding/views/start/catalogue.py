"""What can be connected: the start page, the catalogue, and one page for each platform."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from onboarding import registry
from onboarding.availability.breaker import Outage, outages
from onboarding.models import Connector, User
from onboarding.models.catalogue import offered as offered
from onboarding.views.access import Request, memberships


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """What this site does, how long it takes, what to have at hand."""
    user = request.user
    mine = memberships(user) if isinstance(user, User) else []
    return render(request, "onboarding/start.html", {"memberships": mine, "some": offered()[:6]})


@require_safe
def catalogue(request: Request) -> HttpResponse:
    """All connectors, searched and by category. Two queries, so that it stays quick while typing."""
    asked = request.GET.get("q", "").strip()[:100]
    category = request.GET.get("category", "")
    every = sorted(offered(), key=lambda each: (each.position, str(each).casefold()))
    categories = sorted({connector.category for connector in every})
    shown = [c for c in every if category in ("", c.category) and _matches(c, asked)]
    part = request.htmx and not request.htmx.history_restore_request
    template = "onboarding/_catalogue_results.html" if part else "onboarding/catalogue.html"
    down = troubles(shown)
    context = {
        "connectors": shown,
        "categories": categories,
        "q": asked,
        "category": category,
        "away": down,
        "troubles": [(registry.vendor_name(slug), why) for slug, why in sorted(down.items())],
    }
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _matches(connector: Connector, asked: str) -> bool:
    """Every word asked for stands somewhere in the entry."""
    told = (str(connector), connector.vendor_name, connector.platform, connector.description)
    text = " ".join(told).casefold()
    return all(word in text for word in asked.casefold().split())


def troubles(connectors: Iterable[Connector]) -> dict[str, Outage]:
    """Which of their vendors cannot be used now, by slug; costs one query, none for nothing."""
    return outages({connector.vendor for connector in connectors})


@require_safe
def platform(request: HttpRequest, platform: str) -> HttpResponse:
    """The public page of a platform: what will happen, what to have at hand, one button."""
    found = list(offered().filter(platform=platform.lower()))
    if not found:
        context = {"asked": platform, "connectors": offered()[:12]}
        return render(request, "onboarding/platform_unknown.html", context, status=404)
    down = troubles(found)
    choices = [(each, registry.vendor_of(each.vendor), down.get(each.vendor)) for each in found]
    return render(request, "onboarding/platform.html", {"choices": choices, "first": found[0]})
