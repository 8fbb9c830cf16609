"""In-memory cache of this process with a time to live for each value, such as the operator's token."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class ProcessCache(Generic[T]):
    """One value for each owner, until it expires. Thread-safe.

    `fetch` is never called under the lock: two threads may both fetch, and the later value stays.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[Hashable, tuple[T, float]] = {}

    def get(self, owner: Hashable, fetch: Callable[[], tuple[T, float]]) -> T:
        """The cached value, or a fresh one: `fetch` returns it and its lifetime in seconds."""
        with self._lock:
            value, expires_at = self._values.get(owner, (None, 0.0))
        if value is not None and time.monotonic() < expires_at:
            return value
        began = time.monotonic()
        fresh, seconds = fetch()
        with self._lock:
            self._values[owner] = fresh, began + seconds
        return fresh

    def forget(self, owner: Hashable, value: T) -> None:
        """Drop `value`, unless another one has replaced it."""
        with self._lock:
            if self._values.get(owner, (None, 0.0))[0] == value:
                del self._values[owner]

    def clear(self) -> None:
        with self._lock:
            self._values.clear()
