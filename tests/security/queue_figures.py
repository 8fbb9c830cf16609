"""Prints what pages do while the mail server or the database fails: python -m tests.security.queue_figures

The table is that of docs/security/availability.md: who signs up, and who reads other pages meanwhile.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.security.crowds import (
    Took,
    full_cache,
    full_disk,
    lock_held,
    one_process,
    readers,
    sign_ups,
)
from tests.support import postgres
from tests.support.mail_server import running
from tests.support.site import Site, free_port

PAGES = ("/", "/connectors/")
CROWD = 60
Crowd = Callable[[], Took]


def row(site: Site, name: str, crowd: Crowd) -> None:
    with readers(site, *PAGES) as others:
        people = crowd()
    print(f"| {name} | {people} | {others} |", flush=True)  # noqa: T201


def people(site: Site, what: str, count: int = CROWD) -> Crowd:
    return lambda: sign_ups(site, count, what)


def of_mail(folder: Path) -> None:
    port = free_port()
    with one_process(folder, EMAIL_URL=f"smtp://127.0.0.1:{port}") as site:
        row(site, "the mail server is away", people(site, "away"))
        for name, pace in {"good": 0.0, "slow": 1.0, "silent": 3600.0}.items():
            with running(port) as server:
                server.pace = pace
                row(site, f"the mail server is {name}", people(site, name))


def of_sqlite(folder: Path) -> None:
    with one_process(folder) as site:
        row(site, "nothing fails", people(site, "none"))
        with lock_held(site):
            row(site, "SQLite is locked", people(site, "lock"))
        with full_disk(site):
            row(site, "the disk is full", people(site, "disk"))
        full_cache(site)
        row(site, "the cache is full", people(site, "cache"))


def of_postgresql(folder: Path) -> None:
    programs = postgres.programs()
    if programs is None:
        return
    with (
        postgres.restartable(programs) as (url, restart),
        one_process(folder, DATABASE_URL=url) as site,
    ):
        people(site, "before", 20)()
        restart()
        row(site, "PostgreSQL was restarted", people(site, "after"))


def main() -> None:
    print("| what fails | sixty who sign up | others |\n|---|---|---|", flush=True)  # noqa: T201
    for scene in (of_mail, of_sqlite, of_postgresql):
        with tempfile.TemporaryDirectory(prefix="queue-figures-") as name:
            scene(Path(name))


if __name__ == "__main__":
    main()
