"""Key guard: a worker works only while MEMO_KEYS open what this site has encrypted.

Another deploy may rotate the keys while it runs. A worker without the new key could read none of the new
memos, so it stops working, says so once, and goes on when the key is there.
"""

from __future__ import annotations

import logging
import time

from onboarding import journey
from onboarding.models import memo_key
from onboarding.notifications import staff_alerts

log = logging.getLogger(__name__)
INTERVAL = 10.0  # seconds between two proofs


class KeyGuard:
    """For one worker."""

    def __init__(self) -> None:
        self._proven: bool | None = None  # None: nothing is known yet
        self._next = 0.0  # monotonic time

    def allows(self) -> bool:
        """Whether this worker may work."""
        if time.monotonic() >= self._next:
            self._proven = self._prove()
            self._next = time.monotonic() + INTERVAL
        return bool(self._proven)

    def _prove(self) -> bool:
        try:
            memo_key.prove()
        except memo_key.MemoKeyMissing as error:
            if self._proven is not False:
                log.critical("this worker pauses: %s", error)
            staff_alerts.open_for_memo_keys()
            return False
        if not self._proven:
            staff_alerts.clear_for_memo_keys()
            if woken := journey.wake_readable():
                log.info("%d rows can be read again and are asked about now", woken)
        return True
