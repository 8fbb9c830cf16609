"""Diagnostics of `manage.py doctor`: all checks, each with what is wrong and the exact fix.

`finding`: the result of a check · `site`: what runs here · `database`: whether it lets us in ·
`memos`: encryption keys · `people`: staff · `services`: vendors · `start`: those that stop a process from
starting
"""

from __future__ import annotations

from collections.abc import Iterator

from . import memos, people, services, site
from .database import database
from .finding import Finding

__all__ = ["Finding", "examine"]


def examine() -> Iterator[Finding]:
    """Run all checks. While the database does not answer, those that need it become a note."""
    yield from site.system_checks()
    yield (reached := database())
    answers = reached.level == "ok"
    yield (migrations := site.migrations() if answers else _skipped("migrations"))
    migrated = migrations.level == "ok"
    yield site.cache() if answers else _skipped("cache")
    yield site.mail()
    yield site.site()
    yield site.proxies()
    for id, check in (
        ("worker", site.worker),
        ("clocks", site.clocks),
        ("backlog", site.backlog),
        ("memos", memos.keys),
        ("staff", people.staff_factors),
    ):
        yield check() if migrated else _skipped(id)
    yield from services.vendors_and_clock(use_breaker=migrated)


def _skipped(id: str) -> Finding:
    words = f"Not checked ({id}): the database does not answer, or tables are missing."
    return Finding(id, "note", words, "Repair the database first, then run doctor again.")
