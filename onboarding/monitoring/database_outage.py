"""An outage of the database: what is one, and one line of the log when it begins and one when it ends."""

from __future__ import annotations

import logging
import sqlite3

from django.db import InterfaceError, OperationalError

from . import logs

log = logging.getLogger(__name__)
OUTAGES = (OperationalError, InterfaceError)


def is_outage(error: BaseException | None) -> bool:
    """Whether the database could not be used: it is away, locked, full or read-only.

    SQLite raises the same error for a statement that is wrong, which is a bug of ours.
    """
    if not isinstance(error, OUTAGES):
        return False
    cause = error.__cause__
    code = getattr(cause, "sqlite_errorcode", None) if isinstance(cause, sqlite3.Error) else None
    return code != sqlite3.SQLITE_ERROR


class _Outage:
    """What this process knows about an outage; all threads share it."""

    def __init__(self) -> None:
        self._is_on = False

    def began(self, error: Exception) -> None:
        """The work of this moment is lost; what was due stays due."""
        if not self._is_on:
            log.error(
                "the database cannot be used (%s): what is due stays due", logs.summary(error)
            )
        self._is_on = True

    def ended(self) -> None:
        if self._is_on:
            log.warning("the database can be used again")
        self._is_on = False


outage = _Outage()
