"""A process works at one row at a time; whoever waits for a vendor gives its turn away meanwhile.

When many answers come in the same moment, their threads would otherwise crowd out the pages, and each
other at the one lock that SQLite has for writing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection as database

_free = threading.Lock()
_here = threading.local()


@contextmanager
def exclusive() -> Iterator[None]:
    """The block works at rows. Within another turn it is part of that one."""
    if _held():
        yield
        return
    _take()
    try:
        yield
    finally:
        _give()


@contextmanager
def released() -> Iterator[None]:
    """The block waits for somebody else; a turn, if there is one, is given away and taken again."""
    if not _held():
        yield
        return
    _give()
    try:
        yield
    finally:
        _take()


def give_back_connection() -> None:
    """No connection of a pool is held while a vendor is asked. SQLite has none, and opening takes long."""
    if "pool" in database.settings_dict["OPTIONS"] and not database.in_atomic_block:
        database.close()


def _held() -> bool:
    return getattr(_here, "held", False)


def _take() -> None:
    _free.acquire()
    _here.held = True


def _give() -> None:
    _here.held = False
    _free.release()
