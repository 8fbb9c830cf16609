"""The timeline of a shop: its entries by day and by trip, the newest first, some on a page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from onboarding import moments
from onboarding.models import Attempt, Connection, Event, User
from onboarding.models.status import SET_UP, Ending, shown

ON_A_PAGE = 50  # entries
SHORT = 3  # lines of a trip that ended well


@dataclass(frozen=True)
class Entry:
    """`who` did it; "" for a vendor and for us. `name`: the same on paper, where nobody is “you”.

    What it says has its dates in full.
    """

    at: datetime
    text: str
    status: str
    who: str
    name: str


@dataclass(frozen=True)
class Trip:
    """The entries of one attempt. `short`: the same in three lines; empty if it needs them all."""

    entries: list[Entry]
    short: list[Entry]

    @property
    def day(self) -> date:
        return timezone.localdate(self.entries[0].at)


@dataclass(frozen=True)
class Day:
    """`title` says “Today”, `date` the same on paper."""

    title: str
    date: str
    trips: list[Trip]


@dataclass(frozen=True)
class Timeline:
    """`older`: what `?before=` names for the entries before these; None if there are none."""

    days: list[Day]
    older: int | None
    is_newest: bool


def timeline_of(connection: Connection, reader: User, before: str = "") -> Timeline:
    """The entries before the one that `before` names, or the newest."""
    rows = connection.events.select_related("user").order_by("-at", "-pk")
    start = _named(connection, before)
    if start:
        rows = rows.filter(Q(at__lt=start.at) | Q(at=start.at, pk__lt=start.pk))
    found = list(rows[: ON_A_PAGE + 1])
    events = found[:ON_A_PAGE]
    older = events[-1].pk if len(found) > ON_A_PAGE else None
    ended_well = _ended_well(events)
    trips = [
        _trip(connection, reader, list(some), attempt in ended_well)
        for attempt, some in groupby(events, _attempt)
    ]
    return Timeline(_days(trips), older, is_newest=start is None)


def _named(connection: Connection, before: str) -> Event | None:
    if not re.fullmatch("[0-9]{1,18}", before):
        return None
    return connection.events.filter(pk=int(before)).first()


def _ended_well(events: Iterable[Event]) -> set[int]:
    found = {event.attempt_id for event in events if event.attempt_id}
    rows = Attempt.objects.filter(pk__in=found, ending__in=[Ending.CONNECTED, Ending.DONE])
    return set(rows.values_list("pk", flat=True))


def _attempt(event: Event) -> int:
    """What belongs together: the entries of an attempt, and each other one by itself."""
    return event.attempt_id or -event.pk


def _days(trips: Iterable[Trip]) -> list[Day]:
    """A trip that took several days stands on the day of its newest entry."""
    return [
        Day(moments.day(day), date_format(day, "DATE_FORMAT"), list(some))
        for day, some in groupby(trips, lambda trip: trip.day)
    ]


def _trip(connection: Connection, reader: User, events: list[Event], ended_well: bool) -> Trip:
    entries = [_entry(connection, reader, event) for event in events]
    return Trip(entries, _short(entries) if ended_well and len(entries) > SHORT else [])


def _short(entries: list[Entry]) -> list[Entry]:
    """How it ended, what somebody last did for it, and how it began."""
    result = next((number for number, each in enumerate(entries) if each.status in SET_UP), 0)
    between = range(result + 1, len(entries) - 1)
    done = next((number for number in between if entries[number].who), None)
    told = [result, *([done] if done else between[:1]), len(entries) - 1]
    return [entries[number] for number in told]


def _entry(connection: Connection, reader: User, event: Event) -> Entry:
    said = shown(event.note, moments.in_full)
    name = _name(connection, event.user)
    who = gettext("you") if event.user == reader else name
    return Entry(event.at, said, event.status, who, name)


def _name(connection: Connection, user: User | None) -> str:
    """The name of a member. Merchants do not learn the names of staff."""
    if user is None:
        return ""
    merchant = connection.account.merchant
    of_team = not user.is_staff or merchant.memberships.filter(user=user).exists()
    return user.get_short_name() if of_team else gettext("our staff")
