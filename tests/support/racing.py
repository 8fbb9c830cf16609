"""Races: several processes get ready, are started together, and say what came of it."""

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

Asked = Mapping[str, Any]


@dataclass
class Racer:
    """One process, connected to the database of the tests; it does one act after the other."""

    process: subprocess.Popen[str]
    number: int = 0

    def get_ready(self, asked: Asked) -> None:
        self.number += 1
        self._write(json.dumps({"number": self.number, **asked}))

    def is_ready(self) -> None:
        assert "ready" in self._read()

    def go(self) -> None:
        self._write("go")

    def came(self) -> Any:
        """What its act returned; fails when it raised, with its traceback."""
        said = self._read()
        assert "came" in said, said["failed"]
        return said["came"]

    def _write(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        """What it says about this act: a test that failed may have left an older one behind."""
        assert self.process.stdout
        for line in self.process.stdout:
            said: dict[str, Any] = json.loads(line)
            if said["number"] == self.number:
                return said
        raise AssertionError("this racer died: its traceback is in the output above")


@dataclass
class Racers:
    """The processes of a file of tests: they are started once, for starting takes seconds."""

    env: Mapping[str, str]
    ready: list[Racer] = field(default_factory=list)

    def start(self, *acts: Asked, spare: int = 0) -> list[Racer]:
        """All get ready; only then all are told to go. `spare`: so many are still at something."""
        while len(self.ready) < spare + len(acts):
            self.ready.append(self._another())
        racers = self.ready[spare : spare + len(acts)]
        for racer, asked in zip(racers, acts, strict=True):
            racer.get_ready(asked)
        for racer in racers:
            racer.is_ready()
        for racer in racers:
            racer.go()
        return racers

    def race(self, *acts: Asked, spare: int = 0) -> list[Any]:
        """What came of each, when all are done."""
        return [racer.came() for racer in self.start(*acts, spare=spare)]

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
    """What came of whoever is done first; and who is not."""
    pipes = {racer.process.stdout.fileno(): racer for racer in racers if racer.process.stdout}
    done, _, _ = select.select(pipes, [], [], PATIENCE)
    assert done, "nobody came"
    racer = pipes[done[0]]
    return racer.came(), [each for each in racers if each is not racer]


@contextmanager
def racers(mails: Path, **more: str) -> Iterator[Racers]:
    """Processes with the keys and the database of this one."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    made = Racers(
        {
            **kept,
            "SITE_URL": settings.SITE_URL,
            "DATA_DIR": str(settings.DATA_DIR),
            "DATABASE_URL": database_url(),
            "EMAIL_URL": f"file://{mails}",
            "STAFF_EMAIL": "staff@example.com",
            "PYTHONWARNINGS": "error",
            **more,
        }
    )
    try:
        yield made
    finally:
        made.stop()


def database_url(name: str = "") -> str:
    """The database of the tests (or another of the same server), as a process of ours is told it."""
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{given['NAME']}"
    user, password, host, port = (given[key] for key in ("USER", "PASSWORD", "HOST", "PORT"))
    return f"postgres://{user}:{password}@{host}:{port}/{name or given['NAME']}"
