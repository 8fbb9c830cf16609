"""Whether the database can be written: a full disk or a lock that is held leave reading as it is."""

from __future__ import annotations

import threading
import time

from django.db import Error

from onboarding import clock, write_lock
from onboarding.models import Slot

KEY = "write-probe"
TRIED_EVERY = 5.0  # seconds; anybody may ask
PATIENCE = 1000  # milliseconds that SQLite waits for its lock


class Probe:
    """What this process knows; all threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next, self._fault = 0.0, ""

    def fault(self) -> str:
        """Why nothing can be saved; "" if all is well."""
        with self._lock:
            if time.monotonic() < self._next:
                return self._fault
            self._next = time.monotonic() + TRIED_EVERY
        self._fault = _fault()
        return self._fault


def _fault() -> str:
    try:
        with write_lock.short_wait(PATIENCE):
            Slot.objects.update_or_create(key=KEY, defaults={"at": clock.now()})
    except Error as error:
        return f"nothing can be saved ({type(error).__name__}: {error.__cause__ or error})"
    return ""


probe = Probe()
