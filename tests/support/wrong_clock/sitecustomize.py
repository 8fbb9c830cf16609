"""Python loads this first in each process with a clock of its own.

`time.sleep` asks the kernel to sleep until a moment of the monotonic clock, which libfaketime 0.9.10 turns
into EINVAL. `select` waits for a span of time, which it leaves alone.
"""

from __future__ import annotations

import select
import time
from typing import SupportsIndex


def _sleep(seconds: float | SupportsIndex, /) -> None:
    select.select([], [], [], float(seconds))


time.sleep = _sleep
