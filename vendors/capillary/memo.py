"""What is kept in this process for a while: the operator's token, and the list of scopes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """One thing for each owner, until it is too old.

    The vendor is never asked under the lock: two threads may both fetch, and the later one wins.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._things: dict[Hashable, tuple[T, float]] = {}

    def get(self, owner: Hashable, fetch: Callable[[], tuple[T, float]]) -> T:
        """`fetch` answers with the thing and for how many seconds it is good."""
        with self._lock:
            thing, until = self._things.get(owner, (None, 0.0))
        if thing is not None and time.monotonic() < until:
            return thing
        began = time.monotonic()
        fresh, seconds = fetch()
        with self._lock:
            self._things[owner] = fresh, began + seconds
        return fresh

    def forget(self, owner: Hashable, thing: T) -> None:
        """Unless another one has taken its place meanwhile."""
        with self._lock:
            if self._things.get(owner, (None, 0.0))[0] == thing:
                del self._things[owner]
