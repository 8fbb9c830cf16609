"""Executor: a bounded thread pool for each vendor, with a priority queue in front of it (a bulkhead).

A slow vendor fills its own pool only.
"""

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
from onboarding.monitoring.database_outage import OUTAGES, outage

log = logging.getLogger(__name__)
# Threads for each vendor in each process. Web processes have pages to serve, so workers do more.
WEB_BOUND, WORKER_BOUND = 8, 32
QUEUE_LIMIT = 100  # jobs of one vendor, running ones included; a worker starts the others later
FIRST, IN_TURN = 0, 1  # priorities in a queue

# One piece of work. If it made way for urgent work, it returns the remaining work.
Work = Callable[[], "Work | None"]


@dataclass(eq=False)
class _Job:
    """Work under one key. `running`: a thread has taken it.

    `first`: it has a place before all others. While it runs, it gets that place if it is queued again.
    """

    key: str
    work: Work
    number: int
    first: bool = False
    running: bool = False
    context: Context = field(default_factory=copy_context)
    done: Future[None] = field(default_factory=Future)


class Executor:
    """Thread pools for all vendors. A pool starts when it is first needed, after gunicorn has forked."""

    def __init__(self, bound: int = WEB_BOUND) -> None:
        self.bound = bound
        self._lock = threading.Lock()
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._queues: dict[str, list[tuple[int, int, _Job]]] = defaultdict(list)
        self._numbers = itertools.count()
        self._jobs: dict[str, dict[str, _Job]] = defaultdict(dict)  # unfinished; by vendor and key
        self._closed = False
        self.on_done: Callable[[], object] = lambda: None  # called when a job is done

    def submit(
        self, vendor: str, key: str, work: Work, *, first: bool = False
    ) -> Future[None] | None:
        """Queue `work`; returns a future, or None if the vendor's queue is full.

        A key has one job at a time: if one is queued or running, its future is returned, because work
        reads its row only when it runs. `first`: before all others; QUEUE_LIMIT is twice as high then.
        """
        with self._lock:
            job = self._jobs[vendor].get(key)
            if self._closed or (job is None and self._full(vendor, first)):
                return None
            if job is None:
                self._jobs[vendor][key] = job = _Job(key, work, next(self._numbers), first)
                self._enqueue(vendor, job)
                return job.done
            if not job.running:
                job.work = work  # the newer claim of the row counts
            if first and not job.first:
                job.first = True
                if not job.running:
                    self._enqueue(vendor, job)
            return job.done

    def _full(self, vendor: str, first: bool) -> bool:
        return self._count(vendor) >= QUEUE_LIMIT * (2 if first else 1)

    def _enqueue(self, vendor: str, job: _Job) -> None:
        """Put the job into the vendor's queue, and have its pool take one job from the queue."""
        place = FIRST if job.first else IN_TURN
        heapq.heappush(self._queues[vendor], (place, job.number, job))
        if vendor not in self._pools:
            self._pools[vendor] = ThreadPoolExecutor(self.bound, f"vendor-{vendor}")
        self._pools[vendor].submit(self._run_next, vendor)

    def _run_next(self, vendor: str) -> None:
        with self._lock:
            _, _, job = heapq.heappop(self._queues[vendor])
            if job.running:
                return  # it was queued twice: in turn, and then as first
            job.running, job.first = True, False
        left = None
        try:
            left = job.context.run(_log_bugs, job.work)
        finally:
            self._finish(vendor, job, left)

    def _finish(self, vendor: str, job: _Job, left: Work | None) -> None:
        """Complete the job, or queue its remaining work at its old place, not behind newer jobs."""
        with self._lock:
            if left is None or self._closed:
                self._end(vendor, job)
            else:
                job.work, job.running = left, False
                self._enqueue(vendor, job)
        self.on_done()

    def _end(self, vendor: str, job: _Job) -> None:
        del self._jobs[vendor][job.key]
        job.done.set_result(None)

    def room(self, vendor: str) -> int:
        """For how many more rows there is a thread, or will be soon: half as many again wait for theirs.

        More would wait here for long, while another worker has threads for them.
        """
        with self._lock:
            return self.bound + self.bound // 2 - self._count(vendor)

    def crowded(self, vendor: str) -> bool:
        """Whether some of the vendor's jobs wait for a thread of this process."""
        with self._lock:
            return self._count(vendor) > self.bound

    def urgent(self, vendor: str) -> bool:
        """Whether a job that goes first waits for a thread. Running work makes way for it."""
        with self._lock:
            return any(job.first and not job.running for _, _, job in self._queues[vendor])

    def unfinished(self) -> set[str]:
        """The keys of jobs that are queued or running."""
        with self._lock:
            return {key for jobs in self._jobs.values() for key in jobs}

    def _count(self, vendor: str) -> int:
        return len(self._jobs[vendor])

    def idle(self) -> None:
        """Wait until all submitted jobs are done."""
        with self._lock:
            futures = [job.done for jobs in self._jobs.values() for job in jobs.values()]
        wait(futures)

    def shutdown(self) -> list[str]:
        """Wait for running jobs and drop queued ones; returns the keys of those."""
        with self._lock:
            self._closed = True
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            left = [(vendor, job) for vendor, jobs in self._jobs.items() for job in jobs.values()]
            for vendor, job in left:
                self._end(vendor, job)
        return [job.key for _, job in left]


@logs.with_reference()
def _log_bugs(work: Work) -> Work | None:
    """Run the work. Log any exception, which a pool would swallow; the row stays due."""
    try:
        left = work()
    except OUTAGES as error:
        outage.began(error)
        raise
    except Exception:
        log.exception("background work failed with a bug")
        raise
    else:
        outage.ended()
        return left
    finally:
        connections.close_all()
