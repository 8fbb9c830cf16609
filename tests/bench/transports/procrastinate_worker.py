"""A worker with procrastinate: `python -m tests.bench.transports.procrastinate_worker [schema]`

Each worker looks, claims rows, and adds a job for each to procrastinate's table; any worker takes it. The
job carries what names the row, and the token of the claim; `queueing_lock` keeps a row from having two jobs
that wait. With the argument `schema` it makes procrastinate's tables, and ends.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import django

django.setup()

import procrastinate  # noqa: E402
import psycopg  # noqa: E402
from django.db import connection as database  # noqa: E402
from procrastinate import exceptions  # noqa: E402

from onboarding.background.runner import DueRow, Kind  # noqa: E402
from onboarding.background.shutdown import stop_on_signal  # noqa: E402

from . import sending  # noqa: E402

log = logging.getLogger(__name__)
logging.getLogger("procrastinate").setLevel(logging.WARNING)
QUEUE = "gangway"
WAITING = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND queue_name = %s"


def _address() -> str:
    known = database.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    return psycopg.conninfo.make_conninfo(**{name: known[name] for name in names})


app = procrastinate.App(
    connector=procrastinate.PsycopgConnector(conninfo=_address(), min_size=2, max_size=8)
)


@app.task(name="row", queue=QUEUE)
def do(vendor: str, kind: Kind, pk: int, returned: bool, claim: str) -> None:
    sending.do(DueRow(vendor, kind, pk, returned, claim))


class JobTable:
    """For the thread of the look."""

    def __init__(self) -> None:
        connector = procrastinate.SyncPsycopgConnector(conninfo=_address(), min_size=1, max_size=1)
        connected = app.with_connector(connector)
        connected.open()
        self._jobs = connected.job_manager

    def waiting(self) -> int:
        with database.cursor() as cursor:
            cursor.execute(WAITING, [QUEUE])
            [count] = cursor.fetchone()
        return int(count)

    def send(self, rows: Sequence[DueRow]) -> None:
        """All in one statement; one by one if an older job of one of them still waits."""
        try:
            self._defer(rows)
        except exceptions.AlreadyEnqueued:
            for row in rows:
                try:
                    self._defer([row])
                except exceptions.AlreadyEnqueued:
                    log.warning("%s waits with an older claim", row.key)
        except exceptions.ConnectorException as error:
            log.warning("jobs cannot be added (%s): their leases run out", type(error).__name__)

    def _defer(self, rows: Sequence[DueRow]) -> None:
        jobs = [do.configure(queueing_lock=row.key).make_new_job(**_named(row)) for row in rows]
        self._jobs.batch_defer_jobs(jobs)


def _named(row: DueRow) -> dict[str, object]:
    return {
        "vendor": row.vendor,
        "kind": row.kind,
        "pk": row.pk,
        "returned": row.returned,
        "claim": row.claim,
    }


class Receiver:
    """procrastinate's worker in a thread of its own."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(sending.THREADS, "jobs"))
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._task = self._loop.create_task(self._work())
            self._loop.run_until_complete(self._task)
        except (asyncio.CancelledError, Exception) as error:
            if not self._stop.is_set():
                log.exception("procrastinate's worker has ended: %s", type(error).__name__)
        finally:
            self._stop.set()

    async def _work(self) -> None:
        async with app.open_async():
            await app.run_worker_async(
                queues=[QUEUE],
                concurrency=sending.THREADS,
                install_signal_handlers=False,
                delete_jobs="always",
            )

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self.thread.join(15)


def main() -> None:
    if sys.argv[1:] == ["schema"]:
        with app.open():
            app.schema_manager.apply_schema()
        return
    with stop_on_signal() as stop:
        receiver = Receiver(stop)
        receiver.thread.start()
        print("Worker started", flush=True)
        sending.SendingWorker(stop, JobTable()).run()
        receiver.end()


main()
