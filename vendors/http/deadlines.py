"""Deadlines of calls. One thread of the process ends the calls that take too long.

A `threading.Timer` would be a thread for each call, which waits for the interpreter to begin and to end.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Deadlines:
    """What to do at which moment, unless it is called off before. The moments are of the monotonic clock.

    Calls rarely get as far as their deadline. So the thread sleeps until the earliest one that it knew of
    when it fell asleep, and only an earlier one wakes it.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._at: dict[Callable[[], None], float] = {}
        self._wakes_at = math.inf
        self._thread: threading.Thread | None = None

    @contextmanager
    def after(self, seconds: float, end: Callable[[], None]) -> Iterator[None]:
        """Call `end` in another thread, if the block takes longer. It has to be quick, and must not raise."""
        at = time.monotonic() + seconds
        with self._changed:
            self._at[end] = at
            if at < self._wakes_at:
                self._changed.notify()
            self._start()
        try:
            yield
        finally:
            with self._changed:
                self._at.pop(end, None)

    def _start(self) -> None:
        """Also in a process that was forked from one with a thread: the thread has stayed behind there."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            for end in self._wait():
                end()

    def _wait(self) -> list[Callable[[], None]]:
        """Sleep until a deadline is over; returns what is to be done, and no longer knows it."""
        with self._changed:
            while not (over := [end for end, at in self._at.items() if at <= time.monotonic()]):
                self._wakes_at = min(self._at.values(), default=math.inf)
                left = self._wakes_at - time.monotonic()
                self._changed.wait(left if self._at else None)
            for end in over:
                del self._at[end]
            return over
