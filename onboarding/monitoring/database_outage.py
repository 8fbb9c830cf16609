"""An outage of the database, in the log: one line when it begins and one when it ends, and no traceback."""

from __future__ import annotations

import logging

from django.db import InterfaceError, OperationalError

from . import logs

log = logging.getLogger(__name__)
OUTAGES = (OperationalError, InterfaceError)


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
