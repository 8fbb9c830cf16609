"""Celery on Redis (RUNNER=celery): brings a row that is due to whichever worker is free.

It is a transport and nothing more. What is due stands in the rows; a message names one, and whether
it goes first. A message that is lost is sent again, one that comes twice finds nothing due, and
while Redis is away each worker does what it finds by itself. Only workers import this module.
"""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import redis
from celery import Celery
from celery.worker import WorkController, state
from celery.worker.consumer import Consumer as Consuming
from django.conf import settings
from kombu.exceptions import OperationalError
from redis.backoff import NoBackoff
from redis.retry import Retry

from . import runner
from .executor import Work
from .runner import Due, Kind

log = logging.getLogger(__name__)
QUEUE = "gangway"
FRESH = 10  # seconds in which a row that was sent is not sent again
SECONDS = {"socket_connect_timeout": 0.2, "socket_timeout": 0.2}  # that a sweep waits for Redis
PAUSE = 1.0  # seconds between two tries to reach it again
AWAY = (redis.RedisError, OperationalError, OSError)


def broker(url: str) -> dict[str, Any]:
    """REDIS_URL as Celery wants it: a socket has another name there, TLS is asked for apart."""
    secure = {"ssl_cert_reqs": ssl.CERT_REQUIRED} if url.startswith("rediss:") else False
    address = url.replace("unix:", "redis+socket:", 1) if url.startswith("unix:") else url
    return {"broker_url": address, "broker_use_ssl": secure}


logging.getLogger("celery").setLevel(logging.WARNING)  # a line for each message says nothing
app = Celery("gangway", set_as_current=False)
app.conf.update(
    **broker(settings.REDIS_URL),
    task_default_queue=QUEUE,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    worker_consumer=f"{__name__}:Consumer",
    worker_cancel_long_running_tasks_on_connection_loss=True,  # there are none: it warns otherwise
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
)


class Consumer(Consuming):  # type: ignore[misc]
    """Looks for a Redis that went away every second; Celery's own would wait up to half a minute.

    Of its errors only the kind is logged, once: their texts name the broker's address.
    """

    def ensure_connected(self, conn: Any) -> Any:
        kinds = set[str]()

        def failed(error: Exception, wait: float) -> None:
            if (kind := type(error).__name__) not in kinds:
                log.warning("Redis takes no connection (%s): no messages meanwhile", kind)
            kinds.add(kind)

        return conn.ensure_connection(
            failed,
            interval_start=PAUSE,
            interval_step=0,
            interval_max=PAUSE,
            callback=state.maybe_shutdown,
        )


@app.task(name="gangway.row")  # type: ignore[untyped-decorator]
def row(vendor: str, kind: Kind, pk: int, back: bool = False) -> None:
    """Hand the row to this process's executor. Its queue is full: the row stays due."""
    due = Due(vendor, kind, pk, back)
    runner.executor.submit(vendor, due.key, lambda: _begin(due), first=back)


def _begin(due: Due) -> Work | None:
    with suppress(*AWAY), _redis() as client:
        client.delete(_mark(due))  # it may become due again at once
    return due.work()


def _mark(due: Due) -> str:
    return f"{QUEUE}:sent:{due.key}"


def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, retry=Retry(NoBackoff(), 0), **SECONDS)


class Sender:
    """Sends what is due; for one thread. A row is sent once, however many workers sweep."""

    def __init__(self) -> None:
        self._marks, self._connection = _redis(), _writer()
        self._away, self._rests_until = False, 0.0

    def take(self, due: Due) -> None:
        """Send it; without Redis it is done here."""
        if time.monotonic() < self._rests_until or not self._sent(due):
            runner.executor.submit(due.vendor, due.key, due.work, first=due.back)

    def _sent(self, due: Due) -> bool:
        try:
            if self._marks.set(_mark(due), 1, nx=True, ex=FRESH):
                row.apply_async(args=due, connection=self._connection, retry=False)
        except AWAY as error:
            self._lost(error)
            return False
        self._away = False
        return True

    def _lost(self, error: Exception) -> None:
        if not self._away:
            log.warning("Redis is away (%s): we do what is due ourselves", type(error).__name__)
        self._away, self._connection = True, _writer()
        self._rests_until = time.monotonic() + PAUSE


def _writer() -> Any:
    return app.connection_for_write(transport_options={**SECONDS, "max_retries": 0})


@contextmanager
def _receiving(stop: threading.Event) -> Iterator[None]:
    """Messages are taken in a thread of their own for as long as the block lasts."""
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
        stop.set()  # a worker that no longer takes messages is to be started anew


def work_forever(stop: threading.Event) -> None:
    """The worker: take messages, and send what is due, until `stop` is set."""
    sender = Sender()
    with _receiving(stop):
        runner.work_forever(stop, sender.take)
