"""Bounds on what one person or one business may begin: each of them is a setting, and 0 means no bound.

Whoever begins something counts first, under a lock, so that requests that come at once cannot pass together.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Count, Q, QuerySet

from onboarding import clock

from .models import Alert, Attempt, Connection, Membership, Merchant, User
from .models.status import SET_UP, Status

ALERTS = "limits"  # in place of a vendor
ALERT_AT = 0.8  # of a bound
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# A shop that works, rests or has ended is finished.
FINISHED = SET_UP | {Status.PAUSED, Status.DISCONNECTED}


class Bound(models.TextChoices):
    """What is bounded; the value is the cause of the alert to staff."""

    OPEN_SHOPS = "unfinished shops of a business"
    OPEN_SHOPS_OF_PERSON = "unfinished shops of a person"
    ATTEMPTS = "attempts of a person in an hour"
    BUSINESSES = "businesses of a person"
    NEW_BUSINESSES = "new businesses of a person in a day"

    @property
    def most(self) -> int:
        """How many there may be; 0: no bound."""
        found: int = {
            Bound.OPEN_SHOPS: settings.MAX_OPEN_SHOPS,
            Bound.OPEN_SHOPS_OF_PERSON: settings.MAX_OPEN_SHOPS_PER_PERSON,
            Bound.ATTEMPTS: settings.MAX_ATTEMPTS_PER_HOUR,
            Bound.BUSINESSES: settings.MAX_BUSINESSES,
            Bound.NEW_BUSINESSES: settings.MAX_BUSINESSES_PER_DAY,
        }[self]
        return found


class Reached(Exception):
    """There are as many as there may be. Nothing was begun."""

    def __init__(self, bound: Bound) -> None:
        super().__init__(bound)
        self.bound, self.most = bound, bound.most


def leave_room_for_business(user: User) -> None:
    """Raise Reached if this person may add none. The caller holds `lock` of the person."""
    own = Merchant.objects.filter(memberships__user=user, memberships__role=Membership.Role.OWNER)
    _leave_room(Bound.BUSINESSES, own)
    _leave_room(Bound.NEW_BUSINESSES, own.filter(created__gt=clock.now() - DAY))


def leave_room_for_shop(merchant: Merchant, user: User) -> None:
    """Raise Reached if no further shop may be begun. The caller holds the lock of the merchant's names."""
    lock(user)
    _leave_room(Bound.OPEN_SHOPS, open_shops().filter(account__merchant=merchant))
    own = Attempt.objects.filter(user=user, purpose=Attempt.Purpose.CONNECT)
    mine = open_shops().filter(pk__in=own.values("connection"))
    _leave_room(Bound.OPEN_SHOPS_OF_PERSON, mine)


def leave_room_for_attempt(user: User) -> None:
    """Raise Reached if this person has begun too much: each attempt calls a vendor."""
    lock(user)
    since = clock.now() - HOUR
    _leave_room(Bound.ATTEMPTS, Attempt.objects.filter(user=user, created__gt=since))


def lock(user: User) -> None:
    """One transaction at a time counts what this person has begun."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)


def open_shops() -> QuerySet[Connection]:
    """Shops that were begun and never finished."""
    rows = Connection.objects.filter(connected_at=None, removed_at=None)
    return rows.exclude(status__in=FINISHED)


def _leave_room(bound: Bound, rows: QuerySet[models.Model]) -> None:
    most = bound.most
    if not most:
        return
    used = rows.count()
    if used >= most:
        raise Reached(bound)
    if used + 1 >= most * ALERT_AT:
        Alert.open(ALERTS, bound)


# -- for staff ---------------------------------------------------------------------------------------


def nearly_reached(bound: Bound) -> list[tuple[str, int]]:
    """(who, how many) of those who have at least ALERT_AT of it, the most first: a business's
    reference, or a person's id."""
    most, now = bound.most, clock.now()
    if not most:
        return []
    owned = Membership.objects.filter(role=Membership.Role.OWNER)
    connecting = Attempt.objects.filter(
        connection__in=open_shops(), purpose=Attempt.Purpose.CONNECT
    )
    rows, who, counted = {
        Bound.OPEN_SHOPS: (open_shops(), "account__merchant__reference", "pk"),
        Bound.OPEN_SHOPS_OF_PERSON: (connecting, "user", "connection"),
        Bound.ATTEMPTS: (Attempt.objects.filter(created__gt=now - HOUR), "user", "pk"),
        Bound.BUSINESSES: (owned, "user", "pk"),
        Bound.NEW_BUSINESSES: (owned.filter(merchant__created__gt=now - DAY), "user", "pk"),
    }[bound]
    many = Q(count__gte=most * ALERT_AT)
    found = rows.order_by().values(who).annotate(count=Count(counted, distinct=True)).filter(many)
    return [(str(row[who]), row["count"]) for row in found.order_by("-count")]
