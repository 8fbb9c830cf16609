"""What happened in a business that matters for its security: for its owners."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from onboarding.methods import require_read
from onboarding.models import Membership
from onboarding.people import security_words
from onboarding.people.security_events import newest_of, page_of
from onboarding.views.access import Request, for_owner

ON_TEAM_PAGE = 5


@require_read
@for_owner
def events(request: Request, membership: Membership) -> HttpResponse:
    merchant = membership.merchant
    found, older = page_of(merchant.security_events.all(), request)
    context = {"merchant": merchant, "lines": security_words.of_business(found), "older": older}
    return render(request, "onboarding/team_events.html", context)


def newest_lines(membership: Membership) -> list[security_words.Line]:
    """For the team's page."""
    rows = membership.merchant.security_events.all()
    return security_words.of_business(newest_of(rows, ON_TEAM_PAGE)) if membership.owns else []
