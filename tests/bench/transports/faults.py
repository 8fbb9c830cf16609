"""What happens to the rows at work when a part of each engine breaks in the middle of the work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg

from .checkout import Workers
from .engines import Engine
from .servers import Servers

ANSWER = 100  # milliseconds until the vendor answers
WORKERS = 2
BEFORE = 5.0  # seconds of work before the fault
AFTERWARDS = 5.0  # seconds in which nobody may be asked again
PATIENCE = 240.0  # seconds
AWAY = 5.0  # seconds for which Redis stays away
PROMPT = 10.0  # seconds within which rows are settled that nothing happened to
HEADINGS = (
    *(
        "fault",
        "engine",
        "rows claimed then",
        "of them not done within 10 s",
        "the last of them done",
    ),
    *(
        "nothing was asked for",
        "all done after",
        "asked twice",
        "lost",
        "processes that ended",
        "left in the queue",
    ),
)
CLAIMED = "SELECT id FROM onboarding_connection WHERE lease_until > now()"
LEFT = """
SELECT count(*) FROM onboarding_connection WHERE id = ANY(%s) AND due_at <= now()
"""


@dataclass
class Watch:
    """What a watcher sees after the fault, in seconds since."""

    late: int = 0  # claimed rows that were not done within PROMPT
    last_done: float = 0.0
    silent: float = 0.0  # the longest time without a new shop
    ended: float = 0.0
    claimed: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Fault:
    name: str
    inject: Callable[[Servers, Workers], None]
    hits: Callable[[Engine], bool] = lambda engine: True


def _kill_worker(servers: Servers, workers: Workers) -> None:
    workers.kill(0)


def _empty_redis(servers: Servers, workers: Workers) -> None:
    servers.redis.kill()
    time.sleep(AWAY)
    servers.redis.start()


def _restart_postgres(servers: Servers, workers: Workers) -> None:
    servers.restart_postgres()


FAULTS = (
    Fault("kill -9 of one of two workers", _kill_worker),
    Fault("Redis killed, empty again after 5 s", _empty_redis, lambda engine: engine.uses_redis),
    Fault("PostgreSQL restarted", _restart_postgres),
)


def run(servers: Servers, engine: Engine, fault: Fault, due: int) -> tuple[str, ...]:
    """A row of the table."""
    servers.clean()
    servers.shops.rest()
    servers.vendor.begin(ANSWER)
    with servers.shops.checkout.workers(engine.command, WORKERS) as workers:
        servers.shops.make_due(due)
        time.sleep(BEFORE)
        workers.supervise()
        claimed, at = _claimed(servers), time.monotonic()
        breaking = threading.Thread(target=fault.inject, args=[servers, workers])
        breaking.start()
        watch = _watch(servers, claimed, due, at)
        breaking.join()
        time.sleep(AFTERWARDS)
        restarts, in_queues = workers.restarts, servers.in_queues()
    asked, lost = servers.vendor.asked(), servers.shops.unsettled()
    return (
        *(fault.name, engine.name, str(len(claimed)), str(watch.late), f"{watch.last_done:.0f} s"),
        *(f"{watch.silent:.0f} s", f"{watch.ended:.0f} s", str(asked.twice)),
        *(str(due - asked.shops + lost), str(restarts), str(in_queues)),
    )


def _claimed(servers: Servers) -> list[int]:
    with servers.shops.checkout.connected() as database:
        return [int(str(pk)) for [pk] in database.execute(CLAIMED).fetchall()]


def _watch(servers: Servers, claimed: list[int], due: int, at: float) -> Watch:
    watch = Watch(claimed=claimed)
    shops, newest = servers.vendor.asked().shops, at
    left, late_counted = len(claimed), False
    while (now := time.monotonic()) - at < PATIENCE:
        watch.ended, asked = now - at, servers.vendor.asked().shops
        if asked > shops:
            shops, newest = asked, now
        if asked < due:
            watch.silent = max(watch.silent, now - newest)
        with suppress(psycopg.Error):
            before, left = left, _left(servers, claimed)
            if left < before:
                watch.last_done = now - at
            if now - at > PROMPT and not late_counted:
                watch.late, late_counted = left, True
            if not left and asked >= due and not servers.shops.unsettled():
                break
        time.sleep(0.25)
    return watch


def _left(servers: Servers, claimed: list[int]) -> int:
    with servers.shops.checkout.connected() as database:
        [[count]] = database.execute(LEFT, [claimed]).fetchall()
    return int(str(count))
