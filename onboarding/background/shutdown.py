"""Graceful shutdown of long-running commands on SIGTERM and Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_on_signal() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl-C set. The block finishes what it is doing, then returns."""
    stop = threading.Event()

    def set_stop(number: int, frame: FrameType | None) -> None:
        # The main thread may hold the event's lock at this moment; another thread can wait for it.
        threading.Thread(target=stop.set).start()

    before = {s: signal.signal(s, set_stop) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def sigterm_as_ctrl_c() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt, for servers that stop on that."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
