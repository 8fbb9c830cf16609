"""The same moment: several threads wait at a barrier, then each does its part."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

Result = TypeVar("Result")
PATIENCE = 60  # seconds


def at_once(acts: Sequence[Callable[[], Result]]) -> list[Result]:
    """The results of all acts, each in a thread of its own, begun together."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], Result]) -> Result:
        barrier.wait(PATIENCE)
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))
