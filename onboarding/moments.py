"""Dates and times in words, for people: one format for pages, mails, timelines and the staff's pages.

"today 14:02", "yesterday 09:10", "29 Nov 2026, 03:40 (Berlin time)"; where something was last used or sent,
"5 minutes ago", which static/js/gangway.js keeps right while the page is open. Pages use the reader's time
zone, as far as their browser has told it (`middleware.reader_time_zone`); everything else uses the site's,
and names it. What may be read on another day, such as a mail, gets the date (`in_full`).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext, ngettext

from onboarding import clock

# Set by static/js/gangway.js: the name of the browser's zone, such as Europe/Berlin.
COOKIE = "__Host-timezone" if settings.HTTPS else "timezone"
AREAS = frozenset(
    (
        "Africa",
        "America",
        "Antarctica",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    )
)


def in_words(at: datetime, *, seconds: bool = False) -> str:
    """For a page: the day as people say it, and the hour.

    The zone is named if it is not known to be the reader's. `seconds`: the time to the second.
    """
    local, today = timezone.localtime(at), _today()
    day = local.date()
    if day not in {today, today - timedelta(days=1)}:
        return in_full(at, seconds=seconds)
    words = gettext("today %(time)s") if day == today else gettext("yesterday %(time)s")
    said = words % {"time": _clock(local, seconds)}
    if timezone.get_current_timezone_name() != settings.TIME_ZONE:
        return said
    return _with_zone(said)


def ago(at: datetime) -> str:
    """ "5 minutes ago" within the last hour; "" for every other time."""
    minutes = int((clock.now() - at).total_seconds() // 60)
    if not 0 <= minutes < 60:
        return ""
    if minutes == 0:
        return gettext("just now")
    return ngettext("%(n)s minute ago", "%(n)s minutes ago", minutes) % {"n": minutes}


def day(of: date) -> str:
    """A day as a heading: "Today", "Yesterday", "29 Nov 2026"."""
    today = _today()
    if of == today:
        return gettext("Today")
    if of == today - timedelta(days=1):
        return gettext("Yesterday")
    return date_format(of, "DATE_FORMAT")


def in_full(at: datetime, *, seconds: bool = False) -> str:
    """With its date and its time zone, so that it is right whenever and wherever it is read."""
    local = timezone.localtime(at)
    said = gettext("%(date)s, %(time)s") % {
        "date": date_format(local, "DATE_FORMAT"),
        "time": _clock(local, seconds),
    }
    return _with_zone(said)


def calendar_day(at: datetime) -> str:
    """The day alone, in the reader's time zone: "29 Nov 2026"."""
    return date_format(timezone.localtime(at), "DATE_FORMAT")


def whole_minute(at: datetime) -> datetime:
    """The full minute at or after `at`: who waits until then has waited long enough."""
    below = at.replace(second=0, microsecond=0)
    return at if at == below else below + timedelta(minutes=1)


def _today() -> date:
    return timezone.localdate(clock.now())


def _clock(local: datetime, seconds: bool) -> str:
    return time_format(local, "H:i:s" if seconds else "H:i")


def _with_zone(said: str) -> str:
    zone = zone_name(timezone.get_current_timezone_name())
    return gettext("%(moment)s (%(zone)s)") % {"moment": said, "zone": zone}


def zone_name(key: str) -> str:
    """A time zone as people call it: "Europe/Berlin" → "Berlin time", "UTC" → "UTC"."""
    area, _, place = key.rpartition("/")
    if not area or area == "Etc":
        return place
    return gettext("%(place)s time") % {"place": place.replace("_", " ")}


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zones_to_choose() -> list[str]:
    """The time zones of places, and UTC: without old names and those that only count hours."""
    places = (key for key in _zones() if key.partition("/")[0] in AREAS)
    return ["UTC", *sorted(places)]


def zone_called(key: str) -> tzinfo | None:
    """The time zone of this name; None if there is none. Any text may come here."""
    return ZoneInfo(key) if key in _zones() else None
