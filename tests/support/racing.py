"""Race tests: several processes prepare an action, start it together and report the result."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from tests.support.site import PATIENCE, ROOT

Request = Mapping[str, Any]


@dataclass
class Racer:
    """One process, connected to the test database; it performs one action after the other."""

    process: subprocess.Popen[str]
    number: int = 0

    def get_ready(self, request: Request) -> None:
        self.number += 1
        self._write(json.dumps({"number": self.number, **request}))

    def is_ready(self) -> None:
        assert "ready" in self._read()

    def go(self) -> None:
        self._write("go")

    def result(self) -> Any:
        """What its action returned. If it raised, this fails with the traceback."""
        message = self._read()
        assert "result" in message, message["failed"]
        return message["result"]

    def _write(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        """The message about the current action: a failed test may have left an older one in the pipe."""
        assert self.process.stdout
        for line in self.process.stdout:
            message: dict[str, Any] = json.loads(line)
            if message["number"] == self.number:
                return message
        raise AssertionError("this racer died: its traceback is in the output above")


@dataclass
class Racers:
    """The processes of a test module. They are started once, because starting takes seconds."""

    env: Mapping[str, str]
    ready: list[Racer] = field(default_factory=list)

    def start(self, *acts: Request, spare: int = 0) -> list[Racer]:
        """Prepare all actions, then start them together. `spare`: how many racers are still busy."""
        while len(self.ready) < spare + len(acts):
            self.ready.append(self._another())
        racers = self.ready[spare : spare + len(acts)]
        for racer, request in zip(racers, acts, strict=True):
            racer.get_ready(request)
        for racer in racers:
            racer.is_ready()
        for racer in racers:
            racer.go()
        return racers

    def race(self, *acts: Request, spare: int = 0) -> list[Any]:
        """The results, when all are done."""
        return [racer.result() for racer in self.start(*acts, spare=spare)]

    def kill(self, act: Request) -> None:
        """A process of its own, which dies of this act."""
        racer = self._another()
        racer.get_ready(act)
        racer.is_ready()
        racer.go()
        assert racer.process.wait(PATIENCE) == 9
        for pipe in (racer.process.stdin, racer.process.stdout):
            assert pipe
            pipe.close()

    def _another(self) -> Racer:
        command = [sys.executable, "-m", "tests.support.racer"]
        pipe = subprocess.PIPE
        return Racer(
            subprocess.Popen(command, cwd=ROOT, env=self.env, stdin=pipe, stdout=pipe, text=True)
        )

    def stop(self) -> None:
        for racer in self.ready:
            assert racer.process.stdin
            racer.process.stdin.close()
        for racer in self.ready:
            racer.process.wait(30)
            assert racer.process.stdout
            racer.process.stdout.close()


def first(racers: list[Racer]) -> tuple[Any, list[Racer]]:
    """The result of the racer that finishes first, and the other racers."""
    pipes = {racer.process.stdout.fileno(): racer for racer in racers if racer.process.stdout}
    done, _, _ = select.select(pipes, [], [], PATIENCE)
    assert done, "no racer finished"
    racer = pipes[done[0]]
    return racer.result(), [each for each in racers if each is not racer]


@contextmanager
def racers(mails: Path, **extra_env: str) -> Iterator[Racers]:
    """Processes with the keys and the database of this one, stopped at the end."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    made = Racers(
        {
            **inherited,
            "SITE_URL": settings.SITE_URL,
            "DATA_DIR": str(settings.DATA_DIR),
            "DATABASE_URL": database_url(),
            "EMAIL_URL": f"file://{mails}",
            "STAFF_EMAIL": "staff@example.com",
            "PYTHONWARNINGS": "error",
            **extra_env,
        }
    )
    try:
        yield made
    finally:
        made.stop()


def database_url(name: str = "") -> str:
    """DATABASE_URL of the test database, or of another one on the same server."""
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{given['NAME']}"
    user, password, host, port = (given[key] for key in ("USER", "PASSWORD", "HOST", "PORT"))
    return f"postgres://{user}:{password}@{host}:{port}/{name or given['NAME']}"
