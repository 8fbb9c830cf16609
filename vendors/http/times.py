"""Timestamps and lifetimes in vendors' replies: lenient parsing, writing in UTC, limits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from pydantic import TypeAdapter, ValidationError

YEAR = 365 * 86400  # seconds
_DATETIME: TypeAdapter[datetime] = TypeAdapter(datetime)


def assume_utc(at: datetime) -> datetime:
    """`at`, in UTC if it has no time zone."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def read_time(value: object) -> datetime | None:
    """A timestamp (ISO 8601 or seconds since 1970) of a reply; None if it is missing or unreadable."""
    try:
        return assume_utc(_DATETIME.validate_python(value))
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
