"""Cache backends: a table, or Redis (REDIS_URL) with that table as the fallback while Redis does not answer.

Django's Redis backend raises an error while Redis does not answer. The cache holds nothing that must not be
forgotten or come back: sessions and rate limits are in tables of their own.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import redis
from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.redis import RedisCache
from django.db import OperationalError, connections, router, transaction

log = logging.getLogger(__name__)
FALLBACK = "database"  # its name in settings.CACHES
PAUSE = 5.0  # seconds until the next attempt to reach Redis
CHANGES = {"add", "set", "touch", "delete", "incr"}


class _Outage:
    """What this process knows about an outage of Redis; all threads share it."""

    def __init__(self) -> None:
        self.retry_at = 0.0  # monotonic time of the next attempt; 0 while Redis answers
        self.changed: set[tuple[str, int | None]] = set()  # keys that are stale in Redis

    def extend(self, error: Exception) -> None:
        if not self.retry_at:
            kind = type(error).__name__
            log.warning("Redis does not answer (%s): the database is the cache", kind)
        self.retry_at = time.monotonic() + PAUSE


outage = _Outage()


# Any: the methods have different signatures, and only their first parameter, the key, is used here.
def _with_fallback(name: str) -> Callable[..., Any]:
    """The method `name` of Redis's cache, or of the database's while Redis does not answer."""

    def method(self: RedisOrDatabase, key: str, *args: Any, **options: Any) -> Any:  # Any: as above
        if time.monotonic() >= outage.retry_at:
            try:
                self.drop_stale_keys()
                return getattr(RedisCache, name)(self, key, *args, **options)
            except redis.RedisError as error:
                outage.extend(error)
        if name in CHANGES:
            outage.changed.add((key, options.get("version")))
        return getattr(caches[FALLBACK], name)(key, *args, **options)

    return method


class RedisOrDatabase(RedisCache):
    """Django's Redis cache with a fallback. Methods for several keys call those for one key."""

    add, get, set = _with_fallback("add"), _with_fallback("get"), _with_fallback("set")
    touch, delete = _with_fallback("touch"), _with_fallback("delete")
    incr, has_key = _with_fallback("incr"), _with_fallback("has_key")
    get_many, set_many = BaseCache.get_many, BaseCache.set_many
    delete_many = BaseCache.delete_many

    def drop_stale_keys(self) -> None:
        """Delete what changed during the outage: Redis may still have the values of before."""
        while outage.changed:
            key, version = change = next(iter(outage.changed))
            RedisCache.delete(self, key, version=version)
            outage.changed.discard(change)
        outage.retry_at = 0.0


class Table(DatabaseCache):
    """Django's cache in a table. A database that cannot be written is an error here.

    Django's returns False then, as for a key that is there already. A rate limit would take that for
    “used up”, and a page would say that a code has just been sent.
    """

    def _base_set(
        self, mode: str, key: str, value: object, timeout: object = DEFAULT_TIMEOUT
    ) -> bool:
        alias = router.db_for_write(self.cache_model_class)
        # In a transaction of ours, so that its beginning and its end are none that Django hides.
        with transaction.atomic(using=alias), _failures(alias) as failures:
            done: bool = super()._base_set(mode, key, value, timeout)  # type: ignore[misc]  # in no stub
            if failures:
                raise failures[0]
        return done


@contextmanager
def _failures(alias: str) -> Iterator[list[OperationalError]]:
    """The statements of the block that the database could not carry out, also where Django swallows that."""
    found: list[OperationalError] = []

    def note(execute: Callable[..., object], *args: object) -> object:
        try:
            return execute(*args)
        except OperationalError as error:
            found.append(error)
            raise

    wrappers = connections[alias].execute_wrappers
    wrappers.insert(0, note)  # outside of those that raise this error themselves (write_lock.py)
    try:
        yield found
    finally:
        wrappers.remove(note)
