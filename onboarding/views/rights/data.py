"""“What we hold about you”, and about a business: the page, and the file behind its button."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from onboarding.methods import require_post, require_read_or_post
from onboarding.models import Membership
from onboarding.people.guards import is_recent
from onboarding.rights import download
from onboarding.views.access import Request, for_owner, signed_in
from onboarding.views.vendor_trip.leaving import SeeOther


@require_read_or_post
@signed_in
def own(request: Request) -> HttpResponse:
    """What is in the file. A POST asks “Is it still you?” and comes back here, where the button is then."""
    if request.method == "POST":
        return SeeOther(reverse("own-data"))
    context = {
        "is_recent": is_recent(request),
        "download_url": reverse("own-data-download"),
        "days": settings.RETENTION_DAYS,
    }
    return render(request, "onboarding/own_data.html", context)


@require_post
@signed_in
def download_own(request: Request) -> HttpResponse:
    return download.of_person(request, request.user)


@require_read_or_post
@for_owner
def of_business(request: Request, membership: Membership) -> HttpResponse:
    """The same for a business, for its owners."""
    merchant = membership.merchant
    if request.method == "POST":
        return SeeOther(reverse("business-data", args=[merchant.reference]))
    context = {
        "merchant": merchant,
        "is_recent": is_recent(request),
        "download_url": reverse("business-data-download", args=[merchant.reference]),
    }
    return render(request, "onboarding/business_data.html", context)


@require_post
@for_owner
def download_business(request: Request, membership: Membership) -> HttpResponse:
    return download.of_business(request, membership.merchant)
