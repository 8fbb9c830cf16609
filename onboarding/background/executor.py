"""The threads that ask vendors: a bound for each vendor, and a line in front of it."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import Context, copy_context
from dataclasses import dataclass, field

from django.db import connections

from onboarding.monitoring import logs

log = logging.getLogger(__name__)
# Calls at once to one vendor, for each process: a slow vendor fills its own bound only. The web
# processes have pages to serve: in a crowd the worker does more than they.
BOUND, WORKERS_BOUND = 8, 32
QUEUED = 100  # more than that waits for the sweep
FIRST, IN_TURN = 0, 1

# What is to be done. It returns what is left of it when it gave its thread to somebody else.
Work = Callable[[], "Work | None"]


@dataclass(eq=False)
class _Job:
    """`first`: it has a place before all others; while it is taken: it gets one if it comes again."""

    work: Work
    number: int
    first: bool = False
    taken: bool = False
    context: Context = field(default_factory=copy_context)
    done: Future[None] = field(default_factory=Future)


class Executor:
    """Threads for each vendor, made when they are first needed (after gunicorn has forked)."""

    def __init__(self, bound: int = BOUND) -> None:
        self.bound = bound
        self._lock = threading.Lock()
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._lines: dict[str, list[tuple[int, int, _Job]]] = defaultdict(list)
        self._numbers = itertools.count()
        self._under_way: dict[str, _Job] = {}
        self._shut = False

    def submit(
        self, vendor: str, key: str, work: Work, *, first: bool = False
    ) -> Future[None] | None:
        """Start `work` soon; None when the vendor's queue is full. No key runs twice at once.

        What waits or runs under this key already stays as it is: work looks at its row when it
        runs. `first`: before all others. The queue has as much room again for these.
        """
        with self._lock:
            self._under_way = {k: job for k, job in self._under_way.items() if not job.done.done()}
            job = self._under_way.get(key)
            if self._shut or (job is None and self._full(vendor, first)):
                return None
            if job is None:
                self._under_way[key] = job = _Job(work, next(self._numbers), first)
                self._enter(vendor, job)
                return job.done
            if first and not job.first:
                job.first = True
                if not job.taken:
                    self._enter(vendor, job)
            return job.done

    def _full(self, vendor: str, first: bool) -> bool:
        return self._count(vendor) >= QUEUED * (2 if first else 1)

    def _enter(self, vendor: str, job: _Job) -> None:
        """Into the line; as many threads are asked for as there are places in it."""
        place = FIRST if job.first else IN_TURN
        heapq.heappush(self._lines[vendor], (place, job.number, job))
        if vendor not in self._pools:
            self._pools[vendor] = ThreadPoolExecutor(self.bound, f"vendor-{vendor}")
        self._pools[vendor].submit(self._next, vendor)

    def _next(self, vendor: str) -> None:
        with self._lock:
            _, _, job = heapq.heappop(self._lines[vendor])
            if job.taken:
                return  # it had two places, and the other came first
            job.taken, job.first = True, False
        left = None
        try:
            left = job.context.run(_loudly, job.work)
        finally:
            self._ran(vendor, job, left)

    def _ran(self, vendor: str, job: _Job, left: Work | None) -> None:
        """What is left waits where the job stood before, not behind all who came since."""
        with self._lock:
            if left is None or self._shut:
                job.done.set_result(None)
                return
            job.work, job.taken = left, False
            self._enter(vendor, job)

    def crowded(self, vendor: str) -> bool:
        """Whether some of the vendor's work waits for a thread of this process: it will not be done
        in a moment."""
        with self._lock:
            return self._count(vendor) > self.bound

    def urgent(self, vendor: str) -> bool:
        """Whether somebody who goes first waits for a thread."""
        with self._lock:
            return any(job.first and not job.taken for _, _, job in self._lines[vendor])

    def _count(self, vendor: str) -> int:
        going = [key for key, job in self._under_way.items() if not job.done.done()]
        return sum(key.startswith(f"{vendor}:") for key in going)

    def idle(self) -> None:
        """Wait until all that was submitted is done."""
        with self._lock:
            under_way = [job.done for job in self._under_way.values()]
        wait(under_way)

    def shut(self) -> None:
        """End with what is under way. What waits is dropped: the rows stay due."""
        with self._lock:
            self._shut = True
            waiting = [job for line in self._lines.values() for _, _, job in line]
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)
        for job in waiting:
            if not job.done.done():
                job.done.set_result(None)


@logs.referred()
def _loudly(work: Work) -> Work | None:
    """A bug in a thread is logged; the row it was about stays due."""
    try:
        return work()
    except Exception:
        log.exception("the journey stopped at a bug")
        raise
    finally:
        connections.close_all()
