"""The servers of the comparison: PostgreSQL, Redis and the vendor, each started here and thrown away."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis
from psycopg import sql

from tests.support import postgres
from tests.support.site import free_port, wait_until

from .checkout import Checkout
from .engines import ENGINES
from .quick_vendor import QuickVendor, quick_vendor
from .shops import Shops

DATABASE = "bench"
# As on a server, but that the data need not survive a crash of the machine. Autovacuum is on: queues in
# tables live by it.
OPTIONS = (
    "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=300",
    "shared_preload_libraries=pg_stat_statements", "shared_buffers=256MB", "fsync=off",
    "full_page_writes=off", "max_wal_size=4GB", "autovacuum_naptime=5s",
)  # fmt: skip


@dataclass
class Redis:
    """A Redis server without persistence."""

    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        assert self.process
        return self.process.pid

    def start(self) -> None:
        command = [shutil.which("redis-server") or sys.exit("There is no Redis on this machine.")]
        command += [
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_until("Redis answers", self._answers)

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False

    def empty(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


@dataclass
class Servers:
    shops: Shops
    vendor: QuickVendor
    redis: Redis
    server: str  # address of PostgreSQL
    restart_postgres: Callable[[], None]

    def in_queues(self) -> int:
        """Messages that wait or were never acknowledged, and jobs."""
        with redis.Redis.from_url(self.redis.url) as client:
            messages = int(client.llen("gangway")) + int(client.hlen("unacked"))  # type: ignore[arg-type]
        with self.shops.checkout.connected() as database:
            [[jobs]] = database.execute("SELECT count(*) FROM procrastinate_jobs").fetchall()
        return messages + int(str(jobs))

    def clean(self) -> None:
        """Nothing is left in the queues of the engine before."""
        self.redis.empty()
        with self.shops.checkout.connected() as database:
            database.execute("DELETE FROM procrastinate_jobs")
            database.execute("DELETE FROM procrastinate_workers")
            database.execute("VACUUM ANALYZE")


@contextmanager
def servers(count: int) -> Iterator[Servers]:
    """With `count` shops."""
    bin = postgres.programs() or sys.exit("There is no PostgreSQL on this machine.")
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="gangway-transports-"))
        )
        server, restart = stack.enter_context(postgres.restartable(bin, OPTIONS))
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute("CREATE EXTENSION pg_stat_statements")
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        vendor = stack.enter_context(quick_vendor())
        broker = Redis()
        stack.callback(broker.kill)
        broker.start()
        address = f"{server.rpartition('/')[0]}/{DATABASE}"
        checkout = Checkout(folder / "site", address, vendor.url, {"BENCH_REDIS": broker.url})
        checkout.prepare()
        for engine in ENGINES.values():
            engine.prepare(checkout)
        yield Servers(Shops.seed(checkout, count), vendor, broker, server, restart)
