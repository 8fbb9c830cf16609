"""Times as vendors write them: parsed leniently, written in UTC, lifetimes within limits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from pydantic import TypeAdapter, ValidationError

YEAR = 365 * 86400  # seconds
_DATETIME: TypeAdapter[datetime] = TypeAdapter(datetime)


def assume_utc(at: datetime) -> datetime:
    """The moment itself; one without an offset is taken for UTC."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def read_time(value: object) -> datetime | None:
    """A moment from a reply's field; None if the field is missing or cannot be read."""
    try:
        return assume_utc(_DATETIME.validate_python(value))
    except ValidationError:
        return None


def write_time(at: datetime, timespec: Literal["seconds", "milliseconds"]) -> str:
    """In UTC, like `2017-11-01T18:29:59.999Z`."""
    return at.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def lifetime(seconds: int | None, default: int, *, floor: int = 0) -> int:
    """The lifetime that a reply names, in seconds: `default` if it names none.

    It is never below `floor`, nor above a year: a vendor's absurd number must fit a calendar.
    """
    return max(floor, default if seconds is None else min(max(seconds, 0), YEAR))
