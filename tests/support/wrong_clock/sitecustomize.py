"""Python imports this at start. Under faketime `time.sleep` fails (EINVAL) as soon as the monotonic clock is
left alone, because the library computes with both; waiting for an event works."""

from __future__ import annotations

import threading
import time


def sleep(seconds: float) -> None:
    threading.Event().wait(seconds)


time.sleep = sleep  # type: ignore[assignment]
