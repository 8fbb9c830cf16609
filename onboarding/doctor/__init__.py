"""Everything `manage.py doctor` looks at: what is wrong, and the exact fix.

`finding` what a check says · `house` what runs here · `memos` the keys · `away` the vendors
"""

from __future__ import annotations

from collections.abc import Iterator

from . import memos, services, site
from .finding import Finding

__all__ = ["Finding", "examine"]


def examine() -> Iterator[Finding]:
    """All findings. What needs the database is left out, and said to be, while it does not answer."""
    yield from site.settings_said()
    yield (database := site.database())
    answers = database.level == "ok"
    yield (migrations := site.migrations() if answers else _left_out("migrations"))
    whole = migrations.level == "ok"
    yield site.cache()
    yield site.mail()
    yield site.site()
    yield site.proxies()
    yield site.runner()
    for id, check in (("worker", site.worker), ("backlog", site.backlog), ("memos", memos.keys)):
        yield check() if whole else _left_out(id)
    yield from services.vendors_and_clock(remembered=whole)


def _left_out(id: str) -> Finding:
    words = f"Not looked at ({id}): the database does not answer, or lacks tables."
    return Finding(id, "note", words, "Mend the database first, then run doctor again.")
