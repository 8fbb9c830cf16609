"""404 as an answer: the vendor says that the object does not exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from vendors.contract import Refused

T = TypeVar("T")


def none_if_missing(call: Callable[[], T]) -> T | None:
    """What `call` returns, or None if the vendor answers 404. Every other error is raised."""
    try:
        return call()
    except Refused as refusal:
        if refusal.status != 404:
            raise
        return None
