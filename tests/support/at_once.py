"""Do several things at the same moment, each in a thread of its own with a database connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Barrier, BrokenBarrierError
from typing import TypeVar

import pytest
from django.db import connections

T = TypeVar("T")
MEETING = 1.0  # seconds that a thread waits for the others at a `meeting`


def at_once(*acts: Callable[[], T]) -> list[T]:
    """Start all of these together. Returns their results, or raises what one of them raised."""
    start = Barrier(len(acts))
    with ThreadPoolExecutor(len(acts)) as pool:
        running = [pool.submit(_run, act, start) for act in acts]
        return [each.result() for each in running]


def _run(act: Callable[[], T], start: Barrier) -> T:
    start.wait(30)
    try:
        return act()
    finally:
        connections.close_all()


def meeting(monkeypatch: pytest.MonkeyPatch, module: object, name: str, count: int = 2) -> None:
    """Each thread that has called this function waits for the others, so that all have looked first.

    Where a lock lets only one of them look, it goes on after MEETING.
    """
    barrier, original = Barrier(count), getattr(module, name)
    monkeypatch.setattr(module, name, partial(_call_and_meet, barrier, original))


def _call_and_meet(barrier: Barrier, original: Callable[..., T], *args: object, **kw: object) -> T:
    result = original(*args, **kw)
    with suppress(BrokenBarrierError):
        barrier.wait(MEETING)
    return result
