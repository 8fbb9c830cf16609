"""Checks of this site: settings, database, cache, mail, address, proxies, workers, clocks, backlog."""

from __future__ import annotations

import http.client
import os
import secrets
import smtplib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.core.cache import cache as shared_cache
from django.core.checks import WARNING, run_checks
from django.core.mail import get_connection
from django.db import Error
from django.db import connection as database

from onboarding import clock
from onboarding.monitoring import heartbeat

from .finding import Finding, Level

MANAGE = ".venv/bin/python manage.py"


def system_checks() -> Iterator[Finding]:
    """One finding for each message of Django's system checks. An error stops every process."""
    found = [message for message in run_checks() if message.level >= WARNING]
    for message in found:
        level: Level = "fault" if message.is_serious() else "note"
        words = f"{message.msg} ({message.id})"
        fix = message.hint or "The table in README.md says what the setting takes."
        yield Finding(f"settings/{message.id}", level, words, fix)
    if not any(message.is_serious() for message in found):
        yield Finding("settings", "ok", "All settings can be read.")


def migrations() -> Finding:
    if pending := heartbeat.pending_migrations():
        words = f"{len(pending)} migrations are not applied, the first is {pending[0]}."
        return Finding("migrations", "fault", words, f"{MANAGE} migrate")
    return Finding("migrations", "ok", "All migrations are applied.")


def cache() -> Finding:
    """The cache holds only what may be forgotten; sessions and rate limits are rows."""
    if said := redis_fault():
        words = f"{said} The database is used as the cache instead, which is slower."
        return Finding("cache", "fault", words, REDIS_FIX)
    key, value = f"doctor-{secrets.token_hex(8)}", secrets.token_hex(8)
    try:
        shared_cache.set(key, value, 30)
        stored = shared_cache.get(key) == value
        shared_cache.delete(key)
    except (Error, redis.RedisError) as error:
        words = f"The cache does not work ({type(error).__name__})."
        return Finding("cache", "fault", words, CACHE_TABLE)
    if not stored:
        return Finding("cache", "fault", "The cache loses what is stored in it.", CACHE_TABLE)
    return Finding("cache", "ok", "The cache keeps what is stored in it.")


CACHE_TABLE = f"{MANAGE} createcachetable"
REDIS_FIX = (
    "Start Redis; compare host, port, user and password in REDIS_URL with it. Unset REDIS_URL and the "
    f"database is used: {CACHE_TABLE}"
)


def redis_fault() -> str:
    """Why Redis cannot be used, in a sentence; "" if it can, or is not meant to be."""
    if not settings.REDIS_URL:
        return ""
    options = {"socket_connect_timeout": 2, "socket_timeout": 2}
    try:
        redis.Redis.from_url(settings.REDIS_URL, **options).ping()
    except redis.AuthenticationError:
        return "Redis refuses our user or password."
    except redis.ResponseError as error:  # it says itself what it wants, such as a password
        return f"Redis refuses us ({str(error).partition(' ')[0]})."
    except (redis.RedisError, OSError, ValueError) as error:  # ValueError: not a valid URL
        return f"Redis does not answer ({type(error).__name__})."
    return ""


# -- mail: nothing is sent -------------------------------------------------------------------------


def mail() -> Finding:
    kind = settings.EMAIL_BACKEND.rpartition("backends.")[2].partition(".")[0]
    if kind == "smtp":
        return _smtp()
    if kind == "filebased":
        return _folder(Path(settings.EMAIL_FILE_PATH or ""))
    where = "on the demo’s page of mails" if settings.DEMO_MAILS else "on the console"
    return Finding("mail", "ok", f"Mails are shown {where}.")


def _smtp() -> Finding:
    """Open a connection and sign in, as for a mail, and close it."""
    server, fix = get_connection(), "Compare EMAIL_URL with what the mail provider says: "
    try:
        server.open()
    except smtplib.SMTPAuthenticationError:
        words = "The mail server refuses our user or password."
        return Finding("mail", "fault", words, f"{fix}user and password, URL-encoded.")
    except OSError as error:  # this includes all other errors of SMTP and TLS
        words = f"The mail server cannot be used ({type(error).__name__})."
        more = (
            "host, port, and smtps: for TLS from the first byte. Is the port open for this machine?"
        )
        return Finding("mail", "fault", words, fix + more)
    finally:
        with suppress(OSError):
            server.close()
    return Finding("mail", "ok", "The mail server accepts our sign-in. Nothing was sent.")


def _folder(folder: Path) -> Finding:
    nearest = next(each for each in (folder, *folder.parents) if each.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        words = f"Mails cannot be written into {folder}."
        fix = f"mkdir -p {folder}, owned by the user who runs Gangway."
        return Finding("mail", "fault", words, fix)
    return Finding("mail", "ok", f"Mails are written into {folder}.")


# -- how the site is reached -----------------------------------------------------------------------


def site() -> Finding:
    """Call the site at a loopback address. Any other may not be reachable from this machine."""
    live = f"{settings.SITE_URL}/health/live"
    if not settings.LOOPBACK:
        words, fix = f"{settings.SITE_URL} was not called from here.", f"Open {live} in a browser."
        return Finding("site", "note", words, fix)
    if settings.HTTPS:
        return Finding("site", "note", "A loopback https address was not called.", f"Open {live}.")
    if _is_alive():
        return Finding("site", "ok", f"{settings.SITE_URL} answers.")
    return Finding("site", "note", f"Gangway does not answer at {live}.", "Start it: make serve")


def _is_alive() -> bool:
    address = urlsplit(settings.SITE_URL)
    client = http.client.HTTPConnection(address.hostname or "", address.port or 80, timeout=3)
    try:
        client.request("GET", "/health/live")
        return client.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        client.close()


def proxies() -> Finding:
    """Check that PROXY_COUNT fits SITE_URL: our web server itself has no TLS."""
    count = settings.PROXY_COUNT
    if settings.HTTPS and not count:
        words = (
            "SITE_URL is https and PROXY_COUNT is 0: every page would redirect to itself for ever."
        )
        fix = "PROXY_COUNT=1, if one proxy ends TLS; it has to set X-Forwarded-For and -Proto."
        return Finding("proxies", "fault", words, fix)
    if count and not settings.HTTPS:
        words = f"PROXY_COUNT is {count} and SITE_URL is plain http."
        fix = "SITE_URL=https://… if a proxy ends TLS; PROXY_COUNT=0 if there is none."
        return Finding("proxies", "note", words, fix)
    return Finding("proxies", "ok", f"PROXY_COUNT is {count}, as SITE_URL needs it.")


# -- workers ---------------------------------------------------------------------------------------


def worker() -> Finding:
    fix = f"{MANAGE} worker (make serve starts one itself)"
    workers = heartbeat.workers()
    if workers.silence is None:
        return Finding("worker", "fault", "No worker has been seen.", fix)
    seconds = f"{workers.silence.total_seconds():.0f} s"
    if not workers.alive:
        return Finding("worker", "fault", f"No worker has been seen for {seconds}.", fix)
    if workers.all_pause:
        return Finding("worker", "fault", "No worker takes rows: their clocks are off.", CLOCK_FIX)
    seen = f"A worker was seen {seconds} ago."
    if workers.silent:
        names = ", ".join(each.name for each in workers.silent)
        words = f"{seen} Not heard from for a minute or more: {names}."
        return Finding("worker", "note", words, "Start them again if they should still be running.")
    return Finding("worker", "ok", seen)


CLOCK_FIX = (
    "Synchronise the clocks of that machine and of the database’s: timedatectl set-ntp true (or chrony). "
    f"Beyond {clock.TOO_FAR.total_seconds():.0f} s a worker takes no rows until then."
)


def clocks() -> Finding:
    """The database's clock is the site's: how far this machine's and the workers' are off."""
    if database.vendor != "postgresql":
        return Finding("clocks", "ok", "The site and its database share this machine’s clock.")
    clock.read()
    off = {"This machine’s": clock.skew()} if clock.is_off(clock.skew()) else {}
    off |= {f"The worker {each.name}’s": each.skew for each in heartbeat.workers().off}
    if not off:
        return Finding("clocks", "ok", "All clocks agree with the database’s.")
    words = " ".join(f"{whose} clock is {clock.in_words(skew)}." for whose, skew in off.items())
    return Finding("clocks", "fault", words, CLOCK_FIX)


def backlog() -> Finding:
    due = heartbeat.backlog().values()
    rows, age = sum(each.rows for each in due), max(each.age for each in due)
    if not rows:
        return Finding("backlog", "ok", "Nothing is due.")
    more = "At least " if any(each.is_longer for each in due) else ""
    words = f"{more}{rows} rows are due, the oldest since {age.total_seconds():.0f} s."
    if age > heartbeat.BACKLOG_LIMIT:
        fix = (
            f"See the findings about workers and vendors here; start more workers: {MANAGE} worker"
        )
        return Finding("backlog", "fault", words, fix)
    return Finding("backlog", "ok", words)
