"""A checkout of Gangway that the bench runs from outside: its database, its commands, its workers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
from cryptography.fernet import Fernet
from psycopg import sql

from tests.support.site import wait_until

from . import quick_vendor

STARTED = "Worker started"
PATIENCE = 120  # seconds until a worker has started or stopped
MEMO_KEY = Fernet.generate_key().decode()


@dataclass(frozen=True)
class Checkout:
    """`near` and `far` are the addresses of its database; `more` are settings beyond the usual ones."""

    name: str
    path: Path
    folder: Path
    near: str
    far: str
    vendor_url: str
    more: dict[str, str]

    def env(self, database: str) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG")}
        return {
            **inherited,
            **quick_vendor.environ(self.vendor_url),
            "DATA_DIR": str(self.folder / "data"),
            "DATABASE_URL": database,
            "SECRET_KEY": "bench" * 12,
            "MEMO_KEYS": MEMO_KEY,
            "EMAIL_URL": f"file://{self.folder / 'mails'}",
            "STAFF_EMAIL": "staff@example.com",
            "PYTHONDONTWRITEBYTECODE": "1",
            **self.more,
        }

    def manage(self, *arguments: str, **more: str) -> str:
        """Run a command of manage.py, with `more` settings; its output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.path,
            env=self.env(self.near) | more,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{self.name}: manage.py {arguments[0]}: {done.stdout}{done.stderr}")
        return done.stdout

    def prepare(self) -> None:
        (self.folder / "mails").mkdir(parents=True)
        self.manage("migrate", "--verbosity", "0")
        self.manage("createcachetable")

    @contextmanager
    def connected(self) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        """A connection of the bench to its database. Foreign keys are not checked: that takes most of the
        time in which a million rows are copied."""
        with psycopg.connect(self.near, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")
            yield connection

    @contextmanager
    def workers(self, count: int, *, far: bool = False) -> Iterator[list[int]]:
        """So many workers, started, while the block runs: their process ids."""
        processes = [self._worker(number, far) for number in range(count)]
        try:
            for number, process in enumerate(processes):
                wait_until("a worker starts", partial(self._started, number, process), PATIENCE)
            yield [process.pid for process in processes]
        finally:
            _stop(processes)

    def _worker(self, number: int, far: bool) -> subprocess.Popen[bytes]:
        env = self.env(self.far if far else self.near)
        with self._log(number).open("wb") as log:
            command = [sys.executable, "manage.py", "worker"]
            return subprocess.Popen(command, cwd=self.path, env=env, stdout=log, stderr=log)

    def _started(self, number: int, process: subprocess.Popen[bytes]) -> bool:
        log = self._log(number).read_text()
        if process.poll() is not None:
            raise RuntimeError(f"{self.name}: a worker has ended: {log[-2000:]}")
        return STARTED in log

    def _log(self, number: int) -> Path:
        return self.folder / f"worker-{number}.log"

    def logged(self, *words: str) -> int:
        """How many lines of the workers' logs have one of these words, since those workers started."""
        logs = [path.read_text() for path in self.folder.glob("worker-*.log")]
        lines = [line for log in logs for line in log.splitlines()]
        return sum(any(word in line for word in words) for line in lines)


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """As an operator does, by SIGTERM; one that does not stop is killed."""
    deadline = time.monotonic() + PATIENCE
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def create_database(server: str, name: str) -> None:
    """An empty database on the server at this address."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def at(server: str, database: str, port: int | None = None) -> str:
    """The address of a database on a server, or behind a proxy at another port."""
    address, _, _ = server.rpartition("/")
    if port is None:
        return f"{address}/{database}"
    return f"{address.rpartition(':')[0]}:{port}/{database}"
