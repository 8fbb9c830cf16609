"""The worker: claims what is due while its executor has room, and starts periodic work.

It looks again at once while more is due. Otherwise it sleeps until the next row becomes due, until
somebody wakes it, and at most for a second.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from contextlib import suppress

from django.db import connections

from onboarding import clock, db_slots, journey, wakeups
from onboarding.models.catalogue import vendors_with_shops
from onboarding.monitoring import heartbeat
from onboarding.monitoring.database_outage import OUTAGES, outage

from . import runner, schedule
from .clock_guard import ClockGuard
from .executor import WORKER_BOUND
from .key_guard import KeyGuard

log = logging.getLogger(__name__)
INTERVAL = 1.0  # seconds between two runs of the schedule, and the longest between two looks
SHORTEST = 0.1  # seconds between two looks while rows become due one by one
# Seconds after which a thread has to pass the interpreter on. Ours do so by themselves each millisecond or
# two, when they wait for the database or a vendor. With Python's 0.005 a check took an eighth more CPU.
SWITCH_INTERVAL = 0.05


def work_forever(stop: threading.Event | None = None) -> None:
    """Run a worker until `stop` is set."""
    _Worker(stop or threading.Event()).run()


def _run_as_batch() -> None:
    """Tell Linux that this is background work: it gets longer turns, and does not preempt the web server.

    A check took an eighth less CPU with it. Threads inherit it, so call it before they start.
    """
    if sys.platform == "linux":
        with suppress(OSError):  # a sandbox may forbid it
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


class _Worker:
    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._awake = threading.Event()
        self._told = False  # somebody has made something due
        self._claimed: dict[str, runner.DueRow] = {}  # by key; those of the last looks
        self._full: set[str] = set()  # vendors with more due rows than there was room for
        self._vendors: set[str] = set()
        self._schedule_at = 0.0  # monotonic time
        self._guards = ClockGuard(), KeyGuard()

    def run(self) -> None:
        sys.setswitchinterval(SWITCH_INTERVAL)
        _run_as_batch()
        runner.executor.bound = max(runner.executor.bound, WORKER_BOUND)
        runner.executor.on_done = self._wake_for_room
        db_slots.serve_a_worker()
        threading.Thread(target=self._wake_at_the_end, daemon=True).start()
        listener = wakeups.Listener(self._wake)
        listener.start()
        while not self._stop.is_set():
            self._sleep(self._turn())
        listener.stop()
        self._stop_work()
        heartbeat.worker_heartbeat.stop()

    def _stop_work(self) -> None:
        """Finish what has begun. Other workers may have what has not."""
        dropped = set(runner.executor.shutdown())
        with suppress(*OUTAGES):  # without the database the leases run out
            for row in self._claimed.values():
                if row.key in dropped:
                    row.release()

    def _wake_for_room(self) -> None:
        """A job is done. The loop is not woken for each: that would cost more than the look."""
        if self._full and self._has_room():
            self._awake.set()

    def _wake_at_the_end(self) -> None:
        self._stop.wait()
        self._awake.set()

    def _wake(self) -> None:
        self._told = True
        self._awake.set()

    def _turn(self) -> float:
        """Do what is to be done now. Returns the seconds until there may be more."""
        pause = INTERVAL
        try:
            heartbeat.worker_heartbeat.beat()
            if all(guard.allows() for guard in self._guards):
                self._run_schedule()
                pause = self._look()
        except OUTAGES as error:
            outage.began(error)
        except Exception:
            log.exception("a look for work failed; the next one tries again")
        else:
            outage.ended()
        connections.close_all()
        return pause

    def _run_schedule(self) -> None:
        """One worker of all, each second: it would cost each of them more than their looks."""
        if time.monotonic() >= self._schedule_at:
            self._schedule_at = time.monotonic() + INTERVAL
            if schedule.is_mine(INTERVAL):
                schedule.run(runner.executor.submit)
            self._vendors = vendors_with_shops()

    def _look(self) -> float:
        self._told = False
        self._claimed = {
            key: self._claimed[key] for key in runner.executor.unfinished() & self._claimed.keys()
        }
        rooms = {vendor: runner.executor.room(vendor) for vendor in self._vendors}
        self._full = runner.look(rooms, self._submit)
        if self._full:
            return INTERVAL
        next_due = journey.next_due(self._vendors)
        left = (next_due - clock.now()).total_seconds() if next_due else INTERVAL
        return min(max(left, SHORTEST), INTERVAL)

    def _submit(self, row: runner.DueRow) -> None:
        """Have a thread work on the row. It is given back if the executor is full or closed after all."""
        if runner.executor.submit(row.vendor, row.key, row.run, first=row.returned):
            self._claimed[row.key] = row
        else:
            row.release()

    def _sleep(self, seconds: float) -> None:
        """Until there is room for more, or somebody wakes us, or the time is over."""
        until = time.monotonic() + seconds
        while not (self._stop.is_set() or self._told or self._has_room()):
            if not self._awake.wait(max(until - time.monotonic(), 0)):
                return
            self._awake.clear()

    def _has_room(self) -> bool:
        """Whether a look is worth it: a vendor has more due rows, and room for many of them."""
        enough = runner.executor.bound // 2
        return any(runner.executor.room(vendor) >= enough for vendor in self._full)
