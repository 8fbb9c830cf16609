"""Rate limits that hold however many requests come at once, and the page that says when to come back.

A count is a row, changed by one conditional UPDATE whose row count decides. No cache can forget it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Case, DateTimeField, F, Q, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext, ngettext

from onboarding import clock
from onboarding.models import RateLimit, SecurityEvent, User
from onboarding.monitoring import security_log

SALT = "onboarding.people.limits"
WAIT = "seconds_to_wait"  # attribute of a request that a limit has refused


@dataclass(frozen=True)
class Limit:
    """At most `amount` uses in a `period`, which begins with the first use.

    `subject` says what is counted, and `scope` for whom: for the security log.
    """

    key: str
    amount: int
    period: timedelta
    subject: str = ""
    scope: str = ""

    def take(self) -> bool:
        """Count one use; False if there have been too many."""
        return take_each([self]) is None

    def give_back(self) -> None:
        """Take one use back."""
        RateLimit.objects.filter(key=self.key, used__gt=0).update(used=F("used") - 1)

    def seconds_left(self) -> int:
        """Seconds until it allows another use; 0 if it does now."""
        return longest_wait([self])

    def use(self) -> bool:
        """Count one use in the row, which is there; False if there have been too many."""
        now = clock.now()
        over = Q(ends_at__lte=now)
        free = RateLimit.objects.filter(over | Q(used__lt=self.amount), key=self.key)
        began = Value(now + self.period, DateTimeField())
        return bool(
            free.update(
                used=Case(When(over, then=1), default=F("used") + 1),
                refused=Case(When(over, then=False), default=F("refused")),
                ends_at=Case(When(over, then=began), default=F("ends_at")),
            )
        )

    def forget(self) -> None:
        """Begin anew."""
        RateLimit.objects.filter(key=self.key).delete()

    def is_first_refusal(self) -> bool:
        """Whether it refuses for the first time in this period; asked once, it is no longer."""
        return bool(RateLimit.objects.filter(key=self.key, refused=False).update(refused=True))


class _Refused(Exception):
    """A limit allows no more: nothing of its transaction stays."""


def take_each(limits: Sequence[Limit]) -> Limit | None:
    """Count one use of each limit. If one refuses, nothing is counted, and that limit is returned.

    A limit that is used up is found by reading, so that whoever goes on asking makes no writes. All callers
    name limits that others share last: nobody waits for nobody in a circle, and never for long.
    """
    waits = _waits(limits)
    if waits:
        return max(waits, key=lambda limit: waits[limit])
    ends_at = clock.now()
    rows = [RateLimit(key=limit.key, ends_at=ends_at + limit.period) for limit in limits]
    refused = None
    try:
        with transaction.atomic():
            RateLimit.objects.bulk_create(rows, ignore_conflicts=True)
            if refused := next((limit for limit in limits if not limit.use()), None):
                raise _Refused
    except _Refused:
        return refused
    return None


def give_back(limits: Sequence[Limit]) -> None:
    """Take one use of each back."""
    with transaction.atomic():
        for limit in limits:
            limit.give_back()


def longest_wait(limits: Sequence[Limit]) -> int:
    """Seconds until each of them allows another use; 0 if all do now."""
    return max(_waits(limits).values(), default=0)


def _waits(limits: Sequence[Limit]) -> dict[Limit, int]:
    """The seconds to wait for each limit that is used up."""
    now = clock.now()
    rows = RateLimit.objects.filter(key__in=[limit.key for limit in limits], ends_at__gt=now)
    found = {row.key: row for row in rows}
    return {
        limit: max(1, math.ceil((found[limit.key].ends_at - now).total_seconds()))
        for limit in limits
        if limit.key in found and found[limit.key].used >= limit.amount
    }


def used(limits: Sequence[Limit]) -> dict[str, int]:
    """How often each limit is used in its period now, by its scope."""
    keys = {limit.key: limit.scope for limit in limits}
    rows = RateLimit.objects.filter(key__in=keys, ends_at__gt=clock.now())
    return {keys[key]: count for key, count in rows.values_list("key", "used")}


def note_refusal(request: HttpRequest, limit: Limit, user: User | None = None) -> None:
    """Remember for the page how long to wait; the security log has each limit once in its period.

    So nobody fills the log by asking again and again.
    """
    setattr(request, WAIT, limit.seconds_left() or 1)
    if limit.is_first_refusal():
        kind, detail = SecurityEvent.Kind.REFUSED, f"{limit.subject}: {limit.scope}"
        security_log.record(kind, request, user=user, detail=detail)


def seconds_to_wait(request: HttpRequest, limits: Sequence[Limit]) -> int:
    """Seconds until each allows another use; 0 if all do now. What is not 0 is a refusal, and noted."""
    waits = _waits(limits)
    if not waits:
        return 0
    longest = max(waits, key=lambda limit: waits[limit])
    note_refusal(request, longest)
    return waits[longest]


def too_many_requests(request: HttpRequest, seconds: int = 0) -> HttpResponse:
    """The 429 page, with the time to wait. Without one, it is that of the limit that refused."""
    seconds = seconds or getattr(request, WAIT, 60)
    response = render(request, "429.html", {"wait": wait(seconds)}, status=429)
    response["Retry-After"] = str(seconds)
    return response


def wait(seconds: int) -> str:
    """When to try again, as a sentence."""
    minutes = math.ceil(seconds / 60)
    if minutes <= 1:
        return gettext("Try again in one minute.")
    if minutes <= 90:
        return ngettext(
            "Try again in %(minutes)d minute.", "Try again in %(minutes)d minutes.", minutes
        ) % {"minutes": minutes}
    hours = math.ceil(minutes / 60)
    return ngettext("Try again in %(hours)d hour.", "Try again in %(hours)d hours.", hours) % {
        "hours": hours
    }


def digest(*parts: object) -> str:
    """Stands for the parts in a key that nobody can read."""
    text = "\n".join(map(str, parts))
    return salted_hmac(SALT, text, algorithm="sha256").hexdigest()[:40]
