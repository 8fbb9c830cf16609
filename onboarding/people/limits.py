"""Rate limits that hold however many requests come at once, and the page that says when to come back.

allauth's limits read a value of the cache, add to it and write it back. Here a count is a row, changed by
one conditional UPDATE whose row count decides.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Case, DateTimeField, F, Q, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from onboarding.models import RateLimit


@dataclass(frozen=True)
class Limit:
    """At most `amount` uses in a `period`, which begins with the first use."""

    key: str
    amount: int
    period: timedelta

    def take(self) -> bool:
        """Count one use; False if there have been too many."""
        now = timezone.now()
        ends_at = now + self.period
        new = RateLimit(key=self.key, ends_at=ends_at)
        RateLimit.objects.bulk_create([new], ignore_conflicts=True)
        over = Q(ends_at__lte=now)
        free = RateLimit.objects.filter(over | Q(used__lt=self.amount), key=self.key)
        began = Value(ends_at, DateTimeField())
        return bool(
            free.update(
                used=Case(When(over, then=1), default=F("used") + 1),
                ends_at=Case(When(over, then=began), default=F("ends_at")),
            )
        )

    def give_back(self) -> None:
        """Take one use back."""
        RateLimit.objects.filter(key=self.key, used__gt=0).update(used=F("used") - 1)

    def seconds_left(self) -> int:
        """Seconds until it allows another use; 0 if it does now."""
        full = RateLimit.objects.filter(key=self.key, used__gte=self.amount)
        ends_at = full.values_list("ends_at", flat=True).first()
        left = (ends_at - timezone.now()).total_seconds() if ends_at else 0
        return max(0, math.ceil(left))


def take_each(limits: Iterable[Limit]) -> Limit | None:
    """Count one use of each limit. If one refuses, nothing is counted, and that limit is returned."""
    taken: list[Limit] = []
    for limit in limits:
        if not limit.take():
            give_back(taken)
            return limit
        taken.append(limit)
    return None


def give_back(limits: Iterable[Limit]) -> None:
    for limit in limits:
        limit.give_back()


def too_many_requests(request: HttpRequest, seconds: int = 60) -> HttpResponse:
    """The 429 page, with the time to wait. allauth's own limits last a minute."""
    response = render(request, "429.html", {"wait": _wait(seconds)}, status=429)
    response["Retry-After"] = str(seconds)
    return response


def _wait(seconds: int) -> str:
    minutes = math.ceil(seconds / 60)
    if minutes == 1:
        return gettext("Try again in one minute.")
    if minutes <= 90:
        return ngettext(
            "Try again in %(minutes)d minute.", "Try again in %(minutes)d minutes.", minutes
        ) % {"minutes": minutes}
    hours = math.ceil(minutes / 60)
    return ngettext("Try again in %(hours)d hour.", "Try again in %(hours)d hours.", hours) % {
        "hours": hours
    }
