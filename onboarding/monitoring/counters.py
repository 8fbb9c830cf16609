"""Prometheus counters and histograms of calls to vendors and of security events. Only with METRICS=1.

This is prometheus_client's multiprocess mode: each process writes its files below METRICS_DIR, and
/metrics adds up all of them, so any process can be scraped. No label holds an id, a host or data of a
merchant.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from prometheus_client import Counter, Histogram, values

from vendors.http.call_context import CallRecord

if TYPE_CHECKING:  # gunicorn.conf.py imports this module where there are no models yet
    from onboarding.models import SecurityEvent

HOST = socket.gethostname().replace("_", "-")  # prometheus_client splits file names at _
OUTCOMES = {"time-out", "no answer"}
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30)  # seconds; a call takes at most 30


def _process() -> str:
    """Host and process id: containers that share DATA_DIR have equal process ids."""
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

EVENTS = Counter("gangway_security_events", "Events of the security log.", ["kind"])


def count_event(event: SecurityEvent) -> None:
    EVENTS.labels(event.kind).inc()


def observe(called: CallRecord) -> None:
    """Count one call. Its `outcome` label is 2xx, 3xx, 4xx, 5xx, time-out or no answer."""
    outcome = called.outcome if called.outcome in OUTCOMES else f"{called.outcome[:1]}xx"
    CALLS.labels(called.vendor, called.call, outcome).inc()
    SECONDS.labels(called.vendor, called.call).observe(called.seconds)


def forget_dead(folder: Path) -> None:
    """Delete the files of this host's dead processes. CallRecord when the web server starts."""
    for path in folder.glob(f"*_{HOST}-*.db"):
        pid = path.stem.rpartition("-")[2]
        if pid.isdigit() and not _is_alive(int(pid)):
            path.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it belongs to another user
        return True
    return True
