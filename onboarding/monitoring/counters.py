"""Calls to vendors, counted for Prometheus. Imported only with METRICS=1.

Each process writes a file below METRICS_DIR, and /metrics adds up all of them, so it does not matter
which process is asked. No label holds an id, a host or anything of a merchant.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

from django.conf import settings
from prometheus_client import Counter, Histogram, values

from vendors.http.call_context import CallRecord

HOST = socket.gethostname().replace("_", "-")  # the files' names are split at _
OUTCOMES = {"time-out", "no answer"}
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30)  # seconds; 30 is the longest call


def _process() -> str:
    """Containers that share DATA_DIR have processes of the same number."""
    return f"{HOST}-{os.getpid()}"


settings.METRICS_DIR.mkdir(parents=True, exist_ok=True)
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(settings.METRICS_DIR)
values.ValueClass = values.MultiProcessValue(_process)  # type: ignore[no-untyped-call]

CALLS = Counter(
    "gangway_vendor_calls", "Calls that were made to vendors.", ["vendor", "call", "outcome"]
)
SECONDS = Histogram(
    "gangway_vendor_call_seconds",
    "How long they took, answered or not.",
    ["vendor", "call"],
    buckets=BUCKETS,
)


def observe(called: CallRecord) -> None:
    """Count one call; its outcome as 2xx, 3xx, 4xx, 5xx, time-out or no answer."""
    outcome = called.outcome if called.outcome in OUTCOMES else f"{called.outcome[:1]}xx"
    CALLS.labels(called.vendor, called.call, outcome).inc()
    SECONDS.labels(called.vendor, called.call).observe(called.seconds)


def forget_dead(folder: Path) -> None:
    """Delete what processes of this host have counted that live no more: at the web server's start."""
    for path in folder.glob(f"*_{HOST}-*.db"):
        number = path.stem.rpartition("-")[2]
        if number.isdigit() and not _lives(int(number)):
            path.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True
