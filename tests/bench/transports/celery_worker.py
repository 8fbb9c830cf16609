"""A worker with Celery on Redis: `python -m tests.bench.transports.celery_worker`

Each worker looks, claims rows in the database, and sends a message for each; any worker takes it. A message
carries vendor, kind, key, whether the merchant has returned, and the token of the claim. Nothing else is
kept in Redis. A lost message is sent again when the row's lease has ended, with another token, so that
a message that comes late or twice does nothing.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Sequence

import django
from celery import Celery
from celery.worker import WorkController, state

django.setup()

import redis  # noqa: E402
from kombu.exceptions import OperationalError  # noqa: E402
from redis.backoff import NoBackoff  # noqa: E402
from redis.retry import Retry  # noqa: E402

from onboarding.background.runner import DueRow, Kind  # noqa: E402
from onboarding.background.shutdown import stop_on_signal  # noqa: E402
from onboarding.journey import LEASE  # noqa: E402

from . import sending  # noqa: E402

log = logging.getLogger(__name__)
QUEUE = "gangway"
URL = os.environ["BENCH_REDIS"]
TIMEOUTS = {"socket_connect_timeout": 0.2, "socket_timeout": 0.2}  # seconds a look waits for Redis
ERRORS = (redis.RedisError, OperationalError, OSError)

logging.getLogger("celery").setLevel(logging.WARNING)
app = Celery("gangway", set_as_current=False)
app.conf.update(
    broker_url=URL,
    broker_transport_options={"visibility_timeout": LEASE.total_seconds() + 20},
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    task_default_queue=QUEUE,
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    task_serializer="json",
    accept_content=["json"],
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
)


@app.task(name="gangway.row")  # type: ignore[untyped-decorator]
def do(vendor: str, kind: Kind, pk: int, returned: bool, claim: str) -> None:
    sending.do(DueRow(vendor, kind, pk, returned, claim))


class RedisQueue:
    """For the thread of the look."""

    def __init__(self) -> None:
        self._client = redis.Redis.from_url(URL, retry=Retry(NoBackoff(), 0), **TIMEOUTS)
        self._connection = self._new_connection()
        self._retry_at = 0.0  # monotonic time

    def _new_connection(self):  # type: ignore[no-untyped-def]  # kombu has no types
        return app.connection_for_write(transport_options={**TIMEOUTS, "max_retries": 0})

    def waiting(self) -> int:
        if time.monotonic() < self._retry_at:
            raise sending.Away
        try:
            return int(self._client.llen(QUEUE))  # type: ignore[arg-type]
        except ERRORS as error:
            raise self._away(error) from error

    def send(self, rows: Sequence[DueRow]) -> None:
        for number, row in enumerate(rows):
            try:
                do.apply_async(args=list(row), connection=self._connection, retry=False)
            except ERRORS as error:
                raise self._away(error, rows[number:]) from error

    def _away(self, error: Exception, left: Sequence[DueRow] = ()) -> sending.Away:
        log.warning("Redis does not answer (%s), %d rows not sent", type(error).__name__, len(left))
        self._connection = self._new_connection()
        self._retry_at = time.monotonic() + 1.0
        return sending.Away()


def _receive(stop: threading.Event) -> None:
    options = {"without_gossip": True, "without_mingle": True, "without_heartbeat": True}
    try:
        WorkController(app=app, pool="threads", concurrency=sending.THREADS, **options).start()
    finally:
        stop.set()


def main() -> None:
    with stop_on_signal() as stop:
        receiver = threading.Thread(target=_receive, args=[stop], daemon=True)
        receiver.start()
        print("Worker started", flush=True)
        sending.SendingWorker(stop, RedisQueue()).run()
        state.should_stop = 0
        receiver.join(15)


main()
