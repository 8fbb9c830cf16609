"""This checkout, run from outside: its database, its commands, and workers of one engine."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psycopg
from cryptography.fernet import Fernet

from tests.support.site import ROOT, wait_until

from . import quick_vendor

STARTED = "Worker started"
PATIENCE = 120  # seconds until a worker has started or stopped
MEMO_KEY = Fernet.generate_key().decode()


@dataclass(frozen=True)
class Checkout:
    """`more` are settings beyond the usual ones."""

    folder: Path
    database: str  # its address
    vendor_url: str
    more: Mapping[str, str]

    @property
    def env(self) -> dict[str, str]:
        inherited = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ
        }
        return {
            **inherited,
            **quick_vendor.environ(self.vendor_url),
            "DATA_DIR": str(self.folder / "data"),
            "DATABASE_URL": self.database,
            "DJANGO_SETTINGS_MODULE": "onboarding.settings",
            "SECRET_KEY": "bench" * 12,
            "MEMO_KEYS": MEMO_KEY,
            "EMAIL_URL": f"file://{self.folder / 'mails'}",
            "STAFF_EMAIL": "staff@example.com",
            "PYTHONDONTWRITEBYTECODE": "1",
            **self.more,
        }

    def run(self, *arguments: str) -> str:
        """Run Python with these arguments; its output."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments[:2])}: {done.stdout}{done.stderr}")
        return done.stdout

    def manage(self, *arguments: str) -> str:
        return self.run("manage.py", *arguments)

    def prepare(self) -> None:
        (self.folder / "mails").mkdir(parents=True)
        self.manage("migrate", "--verbosity", "0")
        self.manage("createcachetable")

    @contextmanager
    def connected(self) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        """A connection of the bench to its database."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            yield connection

    @contextmanager
    def workers(self, command: list[str], count: int) -> Iterator[Workers]:
        """So many workers, started, while the block runs."""
        workers = Workers(self, [sys.executable, *command])
        try:
            for _ in range(count):
                workers.start()
            for number in range(count):
                started = partial(workers.has_started, number)
                wait_until("a worker starts", started, PATIENCE)
            yield workers
        finally:
            workers.stop()


@dataclass
class Workers:
    """The processes of one engine. `supervise` starts those again that end by themselves, as systemd does."""

    checkout: Checkout
    command: list[str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    restarts: int = 0  # of those that nobody has killed
    killed: set[int] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)
    _supervisor: threading.Thread | None = None

    def start(self) -> None:
        number = len(self.processes)
        with self._log(number).open("wb") as log:
            process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.checkout.env, stdout=log, stderr=log
            )
        self.processes.append(process)

    def has_started(self, number: int) -> bool:
        log = self._log(number).read_text()
        if self.processes[number].poll() is not None:
            raise RuntimeError(f"a worker has ended: {log[-4000:]}")
        return STARTED in log

    def _log(self, number: int) -> Path:
        return self.checkout.folder / f"worker-{number}.log"

    def pids(self) -> list[int]:
        return [process.pid for process in self.processes]

    def kill(self, number: int) -> None:
        """kill -9, as when a machine runs out of memory."""
        self.killed.add(self.processes[number].pid)
        self.processes[number].kill()
        self.processes[number].wait()

    def supervise(self) -> None:
        known = set[int]()

        def watch() -> None:
            while not self._stop.wait(1.0):
                for process in list(self.processes):
                    if process.poll() is not None and process.pid not in known:
                        known.add(process.pid)
                        self.restarts += process.pid not in self.killed
                        self.start()

        self._supervisor = threading.Thread(target=watch, daemon=True)
        self._supervisor.start()

    def logged(self, *words: str) -> int:
        """How many lines of their logs have one of these words."""
        logs = [self._log(number).read_text() for number in range(len(self.processes))]
        lines = [line for log in logs for line in log.splitlines()]
        return sum(any(word in line for word in words) for line in lines)

    def logs(self) -> str:
        return "\n".join(self._log(number).read_text() for number in range(len(self.processes)))

    def stop(self) -> None:
        """As an operator does, by SIGTERM; one that does not stop within 30 s is killed."""
        self._stop.set()
        if self._supervisor:
            self._supervisor.join()
        deadline = time.monotonic() + 30
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
