"""Service URLs: turn the URLs in the settings (site, database, cache, mail) into Django's settings.

Every parser raises ValueError with a message that is safe to show: it never quotes the URL, which may
contain a password.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypedDict
from urllib.parse import SplitResult, unquote, urlsplit

from onboarding.email_addresses import normalised
from vendors.contract.characters import is_plain, is_visible
from vendors.http.urls import is_loopback

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA temp_store=MEMORY;"
    "PRAGMA mmap_size=268435456;PRAGMA cache_size=-20000"
)
# A vendor call inside a transaction is a bug. PostgreSQL aborts such a transaction after 5 s. All statements
# are short, and compiling one (jit) takes longer: most of the 14 ms of a look at a million due rows.
POSTGRES_LIMITS = {
    "statement_timeout": "30s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "5s",
    "jit": "off",
}
LIMITS_AS_OPTIONS = " ".join(f"-c {name}={value}" for name, value in POSTGRES_LIMITS.items())
MAIL_BACKENDS = {
    "smtp": "onboarding.notifications.smtp.MailBackend",
    "smtps": "onboarding.notifications.smtp.MailBackend",
    "file": "django.core.mail.backends.filebased.EmailBackend",
    "console": "django.core.mail.backends.console.EmailBackend",
    "demo": "onboarding.notifications.demo_mail.MailBackend",
}


class DatabaseSettings(TypedDict, total=False):
    """One entry of Django's DATABASES."""

    ENGINE: str
    NAME: str
    USER: str
    PASSWORD: str
    HOST: str
    PORT: str
    CONN_MAX_AGE: int | None
    CONN_HEALTH_CHECKS: bool
    OPTIONS: dict[str, object]
    TEST: dict[str, object]
    DISABLE_SERVER_SIDE_CURSORS: bool


class CacheSettings(TypedDict):
    """One entry of Django's CACHES."""

    BACKEND: str
    LOCATION: str
    OPTIONS: dict[str, float]


class MailSettings(TypedDict, total=False):
    """Django's EMAIL_* settings."""

    EMAIL_BACKEND: str
    EMAIL_TIMEOUT: int
    EMAIL_FILE_PATH: str
    EMAIL_HOST: str
    EMAIL_PORT: int
    EMAIL_HOST_USER: str
    EMAIL_HOST_PASSWORD: str
    EMAIL_USE_SSL: bool
    EMAIL_USE_TLS: bool


def site(url: str) -> SplitResult:
    """The parts of the site's URL: scheme (http or https), host, and perhaps a port."""
    parts = split(url.rstrip("/"))
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http or https address such as https://connect.example.com")
    if parts.username or parts.path or parts.query or parts.fragment:
        raise ValueError("must be scheme, host and port only, without a path")
    return parts


def loopback(url: str) -> bool:
    """Whether the host of a URL is this machine."""
    return is_loopback(split(url).hostname or "")


def split(url: str) -> SplitResult:
    """`urlsplit` that also checks the port. Its ValueError does not quote the URL."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("is not a valid address") from None
    return parts


def sqlite(path: str) -> DatabaseSettings:
    """Django's entry for a SQLite file, tuned for many threads and several processes."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,  # seconds; SQLite has no queue of writers, so a writer may have to wait long
            "init_command": SQLITE_PRAGMAS,
        },
    }


def database(url: str, threads: int) -> DatabaseSettings:
    """Django's entry for `postgres://user:pass@host:port/name?sslmode=…` or `sqlite:///path`.

    The pool has a connection for each of the `threads` web threads and 4 for background work. More do not
    help, because a thread that waits for a vendor returns its connection. (With 130 such threads, 10
    connections were as fast as 40.)
    """
    scheme = url.partition(":")[0].lower()
    if scheme == "sqlite":
        return sqlite(_sqlite_path(url))
    if scheme not in {"postgres", "postgresql"}:
        raise ValueError(DATABASE_FORM)
    found = _libpq(url)
    options = found.pop("options", "")
    return {
        "ENGINE": "onboarding.conf.postgresql",
        "NAME": found.pop("dbname"),
        "USER": found.pop("user", ""),
        "PASSWORD": found.pop("password", ""),
        "HOST": found.pop("host", ""),
        "PORT": found.pop("port", ""),
        "CONN_MAX_AGE": 0,  # the pool keeps the connections
        "CONN_HEALTH_CHECKS": True,
        # A cursor of the server does not survive a pooler between two transactions.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {
            **found,
            "options": f"{LIMITS_AS_OPTIONS} {options}".strip(),  # the operator's own come last, and win
            # 10 s is longer than lock_timeout, so a thread that waits for a row gives up first.
            "pool": {"min_size": 4, "max_size": threads + 4, "timeout": 10},
        },
    }


DATABASE_FORM = "must look like postgres://user:pass@host:port/name or sqlite:///path"


def _sqlite_path(url: str) -> str:
    parts = split(url)
    path = unquote(parts.path[1:])
    if not path or parts.netloc:
        raise ValueError(DATABASE_FORM)
    return path


def _libpq(url: str) -> dict[str, str]:
    """The parameters of a PostgreSQL URL, as libpq itself reads it: hosts, sockets, all of its options."""
    from psycopg import Error, conninfo  # not needed with SQLite

    try:
        found = {name: str(value) for name, value in conninfo.conninfo_to_dict(url).items()}
    except Error:
        names = ", ".join(name for name in _query_names(url) if name not in _libpq_names())
        unknown = f"has a parameter that libpq does not know: {names}"
        raise ValueError(unknown if names else DATABASE_FORM) from None
    ports = [port for port in found.get("port", "").split(",") if port]
    if not all(port.isdigit() and 0 < int(port) < 65536 for port in ports):
        raise ValueError(f"has no valid port. {ESCAPES}")
    if "@" in found.get("host", "") or {"@", "/"} & set(found.get("dbname", "")):
        raise ValueError(f"cannot be taken apart. {ESCAPES}")
    if not found.get("dbname"):
        raise ValueError(DATABASE_FORM)
    return found


ESCAPES = "In the password, write @ as %40, / as %2F and % as %25"


def _query_names(url: str) -> list[str]:
    """Names of the parameters after `?`, as far as they can be no part of a password."""
    names = [part.partition("=")[0] for part in url.rpartition("?")[2].split("&")]
    return [name for name in names if "?" in url and re.fullmatch("[a-z_]{1,40}", name)]


def _libpq_names() -> set[str]:
    from psycopg import pq

    return {option.keyword.decode() for option in pq.Conninfo.get_defaults()}


def cache(redis_url: str) -> CacheSettings:
    """Django's entry for the cache that all processes share: Redis, or a table if there is no URL."""
    if not redis_url:
        return {
            "BACKEND": "onboarding.conf.cache_backend.Table",
            "LOCATION": "cache",
            # With Django's default of 300, the entries of a crowd evict each other.
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    if split(redis_url).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("must look like redis://host:6379/0")
    return {
        "BACKEND": "onboarding.conf.cache_backend.RedisOrDatabase",
        "LOCATION": redis_url,
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
    }


def mail(url: str) -> MailSettings:
    """Django's EMAIL_* settings for `smtp[s]://user:pass@host:port`, `file:///folder`, `console:`, `demo:`.

    `smtps:` is TLS from the first byte (port 465). `smtp:` (port 25) uses STARTTLS on port 587, and
    whenever a password is sent to another machine.
    """
    parts = split(url)
    if parts.scheme not in MAIL_BACKENDS:
        raise ValueError("must start with smtp://, smtps://, file:///, console: or demo:")
    found: MailSettings = {"EMAIL_BACKEND": MAIL_BACKENDS[parts.scheme], "EMAIL_TIMEOUT": 10}
    if parts.scheme == "file":
        found["EMAIL_FILE_PATH"] = _folder(parts)
    if parts.scheme.startswith("smtp"):
        found.update(_smtp(parts))
    return found


def _folder(parts: SplitResult) -> str:
    if parts.netloc or parts.path in {"", "/"}:
        raise ValueError("must look like file:///folder")
    return unquote(parts.path)


def _smtp(parts: SplitResult) -> MailSettings:
    if not parts.hostname:
        raise ValueError("must look like smtp://user:pass@host:port")
    implicit = parts.scheme == "smtps"
    password_leaves_machine = bool(parts.password) and not is_loopback(parts.hostname)
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if implicit else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": implicit,
        "EMAIL_USE_TLS": not implicit and (parts.port == 587 or password_leaves_machine),
    }


def mailboxes(words: Sequence[str]) -> list[str]:
    """Bare email addresses, without names. They may be local ones: an operator knows what that means."""
    try:
        return [normalised(word, local=True) for word in words]
    except ValueError:
        raise ValueError("must be a bare email address such as help@example.com") from None


def brand(name: str) -> str:
    """A name for headers of mails and pages: one line with something to see."""
    if not (is_plain(name) and is_visible(name)):
        raise ValueError("must be one line of visible text, without control characters")
    return name


def page(url: str) -> SplitResult:
    """The parts of the address of a web page that people are sent to: it has a host and no password."""
    parts = split(url)
    if not parts.hostname or parts.username is not None or parts.password is not None:
        raise ValueError("must be the address of a page such as https://www.example.com/shops")
    return parts


def contacts(words: Sequence[str]) -> list[str]:
    """The URI of each email address or `https:` page, for security.txt."""
    pages = [word for word in words if re.fullmatch(r"https://[^\s<>@]+", word)]
    mailboxes([word.removeprefix("mailto:") for word in words if word not in pages])
    return [w if w in pages else f"mailto:{w.removeprefix('mailto:')}" for w in words]


def links(words: Sequence[str]) -> list[tuple[str, str]]:
    """(label, URL) of each `Privacy=https://…`."""
    pairs = [word.partition("=") for word in words]
    if not all(label and url.startswith(("https://", "http://", "/")) for label, _, url in pairs):
        raise ValueError("must look like Privacy=https://example.com/privacy,Terms=https://…")
    return [(label.strip(), url.strip()) for label, _, url in pairs]
