"""The cache on Redis (REDIS_URL). While Redis is away the database's table stands in.

Django raises where its cache is away, and every signed-in page reads a session through it: without
this, a Redis that is restarted would be a site that is down.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import redis
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.redis import RedisCache

log = logging.getLogger(__name__)
STAND_IN = "database"  # its name in settings.CACHES
PAUSE = 5.0  # seconds between two tries to reach Redis again
CHANGES = {"add", "set", "touch", "delete", "incr"}


class _Away:
    """What this process knows of the outage: one for all threads."""

    def __init__(self) -> None:
        self.until = 0.0
        self.changed: set[tuple[str, int | None]] = set()  # what Redis would answer wrongly

    def begins(self, error: Exception) -> None:
        if not self.until:
            log.warning("the cache's Redis is away (%s)", type(error).__name__)
        self.until = time.monotonic() + PAUSE


away = _Away()


def _either(name: str) -> Callable[..., Any]:
    def method(self: RedisOrDatabase, key: str, *args: Any, **options: Any) -> Any:
        if time.monotonic() >= away.until:
            try:
                self.catch_up()
                return getattr(RedisCache, name)(self, key, *args, **options)
            except redis.RedisError as error:
                away.begins(error)
        if name in CHANGES:
            away.changed.add((key, options.get("version")))
        return getattr(caches[STAND_IN], name)(key, *args, **options)

    return method


class RedisOrDatabase(RedisCache):
    """One key at a time: several are taken one by one."""

    add, get, set, touch = _either("add"), _either("get"), _either("set"), _either("touch")
    delete, incr, has_key = _either("delete"), _either("incr"), _either("has_key")
    get_many, set_many = BaseCache.get_many, BaseCache.set_many
    delete_many = BaseCache.delete_many

    def catch_up(self) -> None:
        """Redis is back, perhaps with what it knew before: a session that ended must stay so."""
        while away.changed:
            key, version = change = next(iter(away.changed))
            RedisCache.delete(self, key, version=version)
            away.changed.discard(change)
        away.until = 0.0
