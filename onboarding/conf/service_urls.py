"""Service URLs: parse the addresses in the settings (site, database, cache, mail) for Django.

Every parser raises ValueError with a message that is safe to show: it never quotes the address, which
may contain a password.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from vendors.http.urls import is_loopback

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA temp_store=MEMORY;"
    "PRAGMA mmap_size=268435456;PRAGMA cache_size=-20000"
)
# A vendor call inside a transaction is a bug. PostgreSQL ends such a transaction after 5 s.
POSTGRES_LIMITS = (
    "-c statement_timeout=30s -c lock_timeout=5s -c idle_in_transaction_session_timeout=5s"
)
MAIL_BACKENDS = {
    "smtp": "django.core.mail.backends.smtp.EmailBackend",
    "smtps": "django.core.mail.backends.smtp.EmailBackend",
    "file": "django.core.mail.backends.filebased.EmailBackend",
    "console": "django.core.mail.backends.console.EmailBackend",
    "demo": "onboarding.notifications.demo_mail.MailBackend",
}


def site(url: str) -> SplitResult:
    """The parts of the site's address: scheme (http or https), host, and perhaps a port."""
    parts = split(url.rstrip("/"))
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http or https address such as https://connect.example.com")
    if parts.username or parts.path or parts.query or parts.fragment:
        raise ValueError("must be scheme, host and port only, without a path")
    return parts


def loopback(url: str) -> bool:
    """Whether the host of an address is this machine."""
    return is_loopback(split(url).hostname or "")


def split(url: str) -> SplitResult:
    """`urlsplit` that also checks the port. Its ValueError does not quote the address."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("is not a valid address") from None
    return parts


def sqlite(path: str) -> dict[str, Any]:
    """Django's entry for a SQLite file, tuned for many threads and several processes."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,  # seconds; SQLite has no queue of writers, so one may wait long
            "init_command": SQLITE_PRAGMAS,
        },
    }


def database(url: str, threads: int) -> dict[str, Any]:
    """Django's entry for `postgres://user:pass@host:port/name?sslmode=…` or `sqlite:///path`.

    The pool has a connection for each web thread and 4 for background work. More do not help: a
    thread that talks to a vendor needs a connection only for moments. (With 130 such threads, 10
    connections were as fast as 40.)
    """
    parts = split(url)
    name = unquote(parts.path[1:])
    if parts.scheme == "sqlite" and name and not parts.netloc:
        return sqlite(name)
    if parts.scheme not in {"postgres", "postgresql"} or not name:
        raise ValueError("must look like postgres://user:pass@host:port/name or sqlite:///path")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 0,  # the pool keeps the connections
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **dict(parse_qsl(parts.query)),
            "options": POSTGRES_LIMITS,
            # Longer than lock_timeout, so that a thread that waits for a row gives up first.
            "pool": {"min_size": 4, "max_size": threads + 4, "timeout": 10},
        },
    }


def cache(redis_url: str) -> dict[str, Any]:
    """Django's entry for the cache that all processes share: Redis, or a table without an address."""
    if not redis_url:
        return {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": "cache",
            # With Django's 300, sessions would evict each other, and every page would write.
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    if split(redis_url).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("must look like redis://host:6379/0")
    return {
        "BACKEND": "onboarding.conf.cache_backend.RedisOrDatabase",
        "LOCATION": redis_url,
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
    }


def mail(url: str) -> dict[str, Any]:
    """Django's EMAIL_* settings for one address.

    `smtps:` is TLS from the first byte (port 465). `smtp:` (port 25) uses STARTTLS on port 587, and
    whenever it sends a password to another machine.
    """
    parts = split(url)
    if parts.scheme not in MAIL_BACKENDS:
        raise ValueError("must start with smtp://, smtps://, file:///, console: or demo:")
    found: dict[str, Any] = {"EMAIL_BACKEND": MAIL_BACKENDS[parts.scheme], "EMAIL_TIMEOUT": 10}
    if parts.scheme == "file":
        return found | {"EMAIL_FILE_PATH": _folder(parts)}
    if parts.scheme.startswith("smtp"):
        return found | _smtp(parts)
    return found


def _folder(parts: SplitResult) -> str:
    if parts.netloc or parts.path in {"", "/"}:
        raise ValueError("must look like file:///folder")
    return unquote(parts.path)


def _smtp(parts: SplitResult) -> dict[str, Any]:
    if not parts.hostname:
        raise ValueError("must look like smtp://user:pass@host:port")
    implicit = parts.scheme == "smtps"
    password_leaves = bool(parts.password) and not is_loopback(parts.hostname)
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if implicit else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": implicit,
        "EMAIL_USE_TLS": not implicit and (parts.port == 587 or password_leaves),
    }


def mailboxes(words: Sequence[str]) -> list[str]:
    """E-mail addresses without names."""
    if not all(re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", word) for word in words):
        raise ValueError("must be a bare e-mail address such as help@example.com")
    return [*words]


def links(words: Sequence[str]) -> list[tuple[str, str]]:
    """(label, address) of each `Privacy=https://…`."""
    pairs = [word.partition("=") for word in words]
    if not all(label and url.startswith(("https://", "http://", "/")) for label, _, url in pairs):
        raise ValueError("must look like Privacy=https://example.com/privacy,Terms=https://…")
    return [(label.strip(), url.strip()) for label, _, url in pairs]
