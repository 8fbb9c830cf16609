"""Celery on Redis (RUNNER=celery): a transport that brings each due row to a worker that is free.

It is only a transport. Which rows are due is a column of the rows; a message names one of them, and says
whether it goes first. A lost message is sent again, and a duplicate finds nothing due. While Redis is
down, each worker does the rows that it finds by itself. Only workers import this module.
"""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal, TypedDict

import redis
from celery import Celery
from celery.worker import WorkController, state
from celery.worker.consumer import Consumer as CeleryConsumer
from django.conf import settings
from kombu.exceptions import OperationalError
from redis.backoff import NoBackoff
from redis.retry import Retry

from . import runner
from .executor import Work
from .runner import DueRow, Kind

log = logging.getLogger(__name__)
QUEUE = "gangway"
MARK_SECONDS = 10  # in which a row that was sent is not sent again
TIMEOUTS = {"socket_connect_timeout": 0.2, "socket_timeout": 0.2}  # seconds a sweep waits for Redis
RETRY_DELAY = 1.0  # seconds between two tries to reach Redis
REDIS_ERRORS = (redis.RedisError, OperationalError, OSError)


class Broker(TypedDict):
    """Celery's settings of its broker."""

    broker_url: str
    broker_use_ssl: dict[str, ssl.VerifyMode] | Literal[False]


def broker(url: str) -> Broker:
    """Celery's settings for REDIS_URL: it names sockets otherwise, and has a setting of its own for TLS."""
    secure: dict[str, ssl.VerifyMode] | Literal[False] = False
    if url.startswith("rediss:"):
        secure = {"ssl_cert_reqs": ssl.CERT_REQUIRED}
    address = url.replace("unix:", "redis+socket:", 1) if url.startswith("unix:") else url
    return {"broker_url": address, "broker_use_ssl": secure}


logging.getLogger("celery").setLevel(logging.WARNING)  # one line for each message is noise
app = Celery("gangway", set_as_current=False)
app.conf.update(
    **broker(settings.REDIS_URL),
    task_default_queue=QUEUE,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    worker_consumer=f"{__name__}:Consumer",
    worker_cancel_long_running_tasks_on_connection_loss=True,  # no task is long; unset, Celery warns
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
)


class Consumer(CeleryConsumer):  # type: ignore[misc]
    """Tries every second to reconnect to Redis; Celery's own backoff grows up to half a minute.

    Only the class of each error is logged, once: the texts name the broker's address.
    """

    def ensure_connected(self, conn: Any) -> Any:  # Any: kombu has no types
        kinds = set[str]()

        def failed(error: Exception, wait: float) -> None:
            if (kind := type(error).__name__) not in kinds:
                log.warning("Redis does not answer (%s): no messages until it does", kind)
            kinds.add(kind)

        return conn.ensure_connection(
            failed,
            interval_start=RETRY_DELAY,
            interval_step=0,
            interval_max=RETRY_DELAY,
            callback=state.maybe_shutdown,
        )


@app.task(name="gangway.row")  # type: ignore[untyped-decorator]
def row(vendor: str, kind: Kind, pk: int, returned: bool = False) -> None:
    """Hand the row to this process's executor. If its queue is full, the row stays due."""
    due = DueRow(vendor, kind, pk, returned)
    runner.executor.submit(vendor, due.key, lambda: _run(due), first=returned)


def _run(due: DueRow) -> Work | None:
    with suppress(*REDIS_ERRORS), _redis() as client:
        client.delete(_mark(due))  # it may become due again at once
    return due.run()


def _mark(due: DueRow) -> str:
    """The key in Redis that says that the row was sent."""
    return f"{QUEUE}:sent:{due.key}"


def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, retry=Retry(NoBackoff(), 0), **TIMEOUTS)


class Sender:
    """Sends due rows as messages; for one thread. A row is sent once, however many workers sweep."""

    def __init__(self) -> None:
        self._marks, self._connection = _redis(), _connection()
        self._down, self._retry_at = False, 0.0  # monotonic time

    def send(self, due: DueRow) -> None:
        """Send the row to any worker. Without Redis, this process does it."""
        if time.monotonic() < self._retry_at or not self._try_send(due):
            runner.executor.submit(due.vendor, due.key, due.run, first=due.returned)

    def _try_send(self, due: DueRow) -> bool:
        try:
            if self._marks.set(_mark(due), 1, nx=True, ex=MARK_SECONDS):
                row.apply_async(args=due, connection=self._connection, retry=False)
        except REDIS_ERRORS as error:
            self._pause(error)
            return False
        self._down = False
        return True

    def _pause(self, error: Exception) -> None:
        if not self._down:
            kind = type(error).__name__
            log.warning("Redis does not answer (%s): this worker does all due rows itself", kind)
        self._down, self._connection = True, _connection()
        self._retry_at = time.monotonic() + RETRY_DELAY


def _connection() -> Any:  # Any: kombu has no types
    return app.connection_for_write(transport_options={**TIMEOUTS, "max_retries": 0})


@contextmanager
def _receiving(stop: threading.Event) -> Iterator[None]:
    """Receive messages in another thread while the block runs."""
    thread = threading.Thread(target=_receive, args=[stop], name="celery", daemon=True)
    thread.start()
    try:
        yield
    finally:
        state.should_stop = 0
        thread.join(10)


def _receive(stop: threading.Event) -> None:
    options = {"without_gossip": True, "without_mingle": True, "without_heartbeat": True}
    try:
        WorkController(app=app, pool="threads", concurrency=1, **options).start()
    finally:
        stop.set()  # a worker that receives no messages must be restarted


def work_forever(stop: threading.Event) -> None:
    """Run a worker: receive messages, and send due rows as messages, until `stop` is set."""
    sender = Sender()
    with _receiving(stop):
        runner.work_forever(stop, sender.send)
