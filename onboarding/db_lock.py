"""Process-wide lock for work on rows: one thread works on rows at a time, and waits for vendors unlocked.

Without it, threads that get their vendors' answers at the same moment would take the CPU from the pages,
and wait for each other at SQLite's only write lock.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection as database

_lock = threading.Lock()
_thread = threading.local()  # `held`: whether this thread holds the lock


@contextmanager
def exclusive() -> Iterator[None]:
    """Hold the lock for the block. Reentrant: an inner block changes nothing."""
    if _held():
        yield
        return
    _acquire()
    try:
        yield
    finally:
        _release()


@contextmanager
def released() -> Iterator[None]:
    """Release the lock, if this thread holds it, while the block waits for a vendor; then take it again."""
    if not _held():
        yield
        return
    _release()
    try:
        yield
    finally:
        _acquire()


def give_back_connection() -> None:
    """Return this thread's connection to PostgreSQL's pool, unless a transaction is open.

    SQLite has no pool: its connection stays open, because opening one is slow.
    """
    if "pool" in database.settings_dict["OPTIONS"] and not database.in_atomic_block:
        database.close()


def _held() -> bool:
    return getattr(_thread, "held", False)


def _acquire() -> None:
    _lock.acquire()
    _thread.held = True


def _release() -> None:
    _thread.held = False
    _lock.release()
