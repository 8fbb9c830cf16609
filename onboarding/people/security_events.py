"""The page of what happened in one's own account, and the pages that the security log has for others."""

from __future__ import annotations

import re

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from onboarding.methods import require_read
from onboarding.models import SecurityEvent

from . import security_words

ON_A_PAGE = 50


@require_read
@never_cache
@login_required
def own_events(request: HttpRequest) -> HttpResponse:
    events, older = page_of(SecurityEvent.objects.filter(user=request.user.pk), request)
    context = {"lines": security_words.of_person(events), "older": older}
    return render(request, "account/events.html", context)


def page_of(
    rows: QuerySet[SecurityEvent], request: HttpRequest
) -> tuple[list[SecurityEvent], int | None]:
    """The newest events before the one that `?before=` names, and what names those before them."""
    before = request.GET.get("before", "")
    if re.fullmatch("[0-9]{1,18}", before):
        rows = rows.filter(pk__lt=int(before))
    newest = newest_of(rows, ON_A_PAGE + 1)
    events = newest[:ON_A_PAGE]
    return events, events[-1].pk if len(newest) > ON_A_PAGE else None


def newest_of(rows: QuerySet[SecurityEvent], number: int) -> list[SecurityEvent]:
    return list(rows.select_related("user", "by", "merchant").order_by("-pk")[:number])
