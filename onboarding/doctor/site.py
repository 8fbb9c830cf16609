"""What runs here: settings, database, cache, mail, the site's address, proxies, workers."""

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
from django.core.cache import cache as shared
from django.core.checks import WARNING, run_checks
from django.core.mail import get_connection
from django.db import Error
from django.db import connection as opened

from onboarding.conf.cache_backend import outage
from onboarding.monitoring import heartbeat

from .finding import Finding

MANAGE = ".venv/bin/python manage.py"


def settings_said() -> Iterator[Finding]:
    """What the system checks say; an error stops every process."""
    found = [message for message in run_checks() if message.level >= WARNING]
    for message in found:
        level = "fault" if message.is_serious() else "note"
        words = f"{message.msg} ({message.id})"
        fix = message.hint or "The table in README.md says what the setting takes."
        yield Finding(f"settings/{message.id}", level, words, fix)  # type: ignore[arg-type]
    if not any(message.is_serious() for message in found):
        yield Finding("settings", "ok", "All settings can be read.")


def database() -> Finding:
    try:
        with opened.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        words = f"The database does not answer ({type(error).__name__})."
        return Finding("database", "fault", words, _database_fix())
    return Finding("database", "ok", f"The database ({opened.display_name}) answers.")


def _database_fix() -> str:
    if opened.vendor == "sqlite":
        folder = Path(str(opened.settings_dict["NAME"])).parent
        return f"The folder {folder} and the file in it must belong to the user who runs Gangway."
    return (
        "Start PostgreSQL; then compare host, port, name, user and password in DATABASE_URL: "
        "psql with the same address must answer."
    )


def migrations() -> Finding:
    if waiting := heartbeat.pending():
        words = f"{len(waiting)} migrations are not applied, the first is {waiting[0]}."
        return Finding("migrations", "fault", words, f"{MANAGE} migrate")
    return Finding("migrations", "ok", "All migrations are applied.")


def cache() -> Finding:
    """Sign-in codes and rate limits stand there."""
    key, value = f"doctor-{secrets.token_hex(8)}", secrets.token_hex(8)
    try:
        shared.set(key, value, 30)
        kept = shared.get(key) == value
        shared.delete(key)
    except (Error, redis.RedisError) as error:
        words = f"The cache does not work ({type(error).__name__})."
        return Finding("cache", "fault", words, _cache_fix())
    if outage.retry_at:
        words = "Redis does not answer. The database stands in for it, more slowly."
        return Finding("cache", "fault", words, _cache_fix())
    if not kept:
        return Finding("cache", "fault", "The cache forgets what is put into it.", _cache_fix())
    return Finding("cache", "ok", "The cache keeps what is put into it.")


def _cache_fix() -> str:
    if settings.REDIS_URL:
        return f"Start Redis; REDIS_URL must name it. Unset, the database is used: {CACHE_TABLE}"
    return CACHE_TABLE


CACHE_TABLE = f"{MANAGE} createcachetable"


def runner() -> Finding:
    if settings.RUNNER != "celery":
        return Finding("runner", "ok", "Workers share the work through the database.")
    try:
        options = {"socket_connect_timeout": 2, "socket_timeout": 2}
        redis.Redis.from_url(settings.REDIS_URL, **options).ping()
    except (redis.RedisError, ValueError) as error:  # ValueError: it is no address
        words = f"RUNNER=celery, and Redis does not answer ({type(error).__name__})."
        fix = "Start Redis; REDIS_URL must name it. Until then each worker does what it finds."
        return Finding("runner", "fault", words, fix)
    return Finding("runner", "ok", "Workers share the work through Redis, which answers.")


# -- mail: nothing is sent -------------------------------------------------------------------------


def mail() -> Finding:
    kind = settings.EMAIL_BACKEND.rpartition("backends.")[2].partition(".")[0]
    if kind == "smtp":
        return _smtp()
    if kind == "filebased":
        return _folder(Path(settings.EMAIL_FILE_PATH or ""))
    where = "on the demo's page of mails" if settings.DEMO_MAILS else "on the console"
    return Finding("mail", "ok", f"Mails are shown {where}.")


def _smtp() -> Finding:
    """The connection is opened, as for a mail, and closed."""
    server, fix = get_connection(), "Compare EMAIL_URL with what the mail provider says: "
    try:
        server.open()
    except smtplib.SMTPAuthenticationError:
        words = "The mail server refuses our user or password."
        return Finding("mail", "fault", words, f"{fix}user and password, URL-encoded.")
    except OSError as error:  # SMTP's other errors and TLS's are among them
        words = f"The mail server cannot be used ({type(error).__name__})."
        more = (
            "host, port, and smtps: for TLS from the first byte. Is the port open for this machine?"
        )
        return Finding("mail", "fault", words, fix + more)
    finally:
        with suppress(OSError):
            server.close()
    return Finding("mail", "ok", "The mail server lets us in. Nothing was sent.")


def _folder(folder: Path) -> Finding:
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        words = f"Mails cannot be written into {folder}."
        fix = f"mkdir -p {folder}, owned by the user who runs Gangway."
        return Finding("mail", "fault", words, fix)
    return Finding("mail", "ok", f"Mails are written into {folder}.")


# -- how the site is reached -----------------------------------------------------------------------


def site() -> Finding:
    """Only a loopback address is called: any other may lead out and in again, or not at all."""
    live = f"{settings.SITE_URL}/health/live"
    if not settings.LOOPBACK:
        words, fix = f"{settings.SITE_URL} was not called from here.", f"Open {live} in a browser."
        return Finding("site", "note", words, fix)
    if settings.HTTPS:
        return Finding("site", "note", "A loopback https address was not called.", f"Open {live}.")
    if _lives():
        return Finding("site", "ok", f"{settings.SITE_URL} answers.")
    return Finding("site", "note", f"Nothing of ours answers at {live}.", "Start it: make serve")


def _lives() -> bool:
    address = urlsplit(settings.SITE_URL)
    there = http.client.HTTPConnection(address.hostname or "", address.port or 80, timeout=3)
    try:
        there.request("GET", "/health/live")
        return there.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        there.close()


def proxies() -> Finding:
    """Our web server speaks no TLS itself."""
    count = settings.PROXY_COUNT
    if settings.HTTPS and not count:
        words = "SITE_URL is https and PROXY_COUNT is 0: every page would lead to itself for ever."
        fix = "PROXY_COUNT=1, if one proxy ends TLS; it has to set X-Forwarded-For and -Proto."
        return Finding("proxies", "fault", words, fix)
    if count and not settings.HTTPS:
        words = f"PROXY_COUNT is {count} and SITE_URL is plain http."
        fix = "SITE_URL=https://… if a proxy ends TLS; PROXY_COUNT=0 if there is none."
        return Finding("proxies", "note", words, fix)
    return Finding("proxies", "ok", f"PROXY_COUNT is {count}, as SITE_URL needs it.")


# -- workers ---------------------------------------------------------------------------------------


def worker() -> Finding:
    silence, fix = heartbeat.silence(), f"{MANAGE} worker (make serve starts one itself)"
    if silence is None:
        return Finding("worker", "fault", "No worker has been seen.", fix)
    seconds = f"{silence.total_seconds():.0f} s"
    if silence > heartbeat.SILENT:
        return Finding("worker", "fault", f"No worker has been seen for {seconds}.", fix)
    return Finding("worker", "ok", f"A worker was seen {seconds} ago.")


def backlog() -> Finding:
    due = heartbeat.backlog().values()
    rows, age = sum(each.rows for each in due), max(each.age for each in due)
    if not rows:
        return Finding("backlog", "ok", "Nothing is due.")
    words = f"{rows} rows are due, the oldest since {age.total_seconds():.0f} s."
    if age > heartbeat.LATE:
        fix = (
            f"Look at what is said of worker and vendors here; start more workers: {MANAGE} worker"
        )
        return Finding("backlog", "fault", words, fix)
    return Finding("backlog", "ok", words)
