"""Timestamps and lifetimes in vendors' replies: lenient parsing, writing in UTC, limits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

YEAR = 365 * 86400  # seconds
# Systems write the ends of their calendars (year 1, year 9999) for "never". Such a moment cannot be shown
# in every time zone, and nothing can be added to it.
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def assume_utc(at: datetime) -> datetime:
    """`at`, in UTC if it has no time zone."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _in_utc(at: datetime) -> datetime:
    if not EARLIEST < (aware := assume_utc(at)) < LATEST:
        raise PydanticCustomError("out_of_range", "not a moment between 1900 and 9000")
    return aware.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_in_utc)]
_MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)


def read_time(value: object) -> datetime | None:
    """A timestamp (ISO 8601 or seconds since 1970) of a reply.

    None if it is missing, unreadable, or an end of the calendar.
    """
    try:
        return _MOMENT.validate_python(value)
    except ValidationError:
        return None


def write_time(at: datetime, timespec: Literal["seconds", "milliseconds"]) -> str:
    """ISO 8601 in UTC, such as `2017-11-01T18:29:59.999Z`."""
    return at.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def lifetime(seconds: int | None, default: int, *, floor: int = 0) -> int:
    """The lifetime of a reply in seconds; `default` if it has none.

    The result is at least `floor` and at most a year, so that a date can be calculated from any number.
    """
    return max(floor, default if seconds is None else min(max(seconds, 0), YEAR))
