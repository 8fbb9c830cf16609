"""Clock guard: a worker works only while its machine's clock is within a minute of the database's.

Leases and due times go by the database's clock, so its rows would be right all the same. But certificates
and its log go by its own, and other workers do its rows as well as it could. So it stops taking rows, says
so once, and goes on when its clock is right again.
"""

from __future__ import annotations

import logging

from onboarding import clock

log = logging.getLogger(__name__)


class ClockGuard:
    """For one worker."""

    def __init__(self) -> None:
        self._pauses = False

    def allows(self) -> bool:
        """Whether this worker may take rows."""
        clock.refresh()
        skew = clock.skew()
        pauses = clock.is_too_far_off(skew)
        if pauses and not self._pauses:
            log.critical(
                "this worker takes no rows: its clock is %s. Synchronise both (NTP)",
                clock.in_words(skew),
            )
        if self._pauses and not pauses:
            log.warning("this worker takes rows again: its clock is near the database’s")
        self._pauses = pauses
        return not pauses
