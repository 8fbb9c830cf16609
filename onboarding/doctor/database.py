"""Check of the database: whether it lets us in, in its own words, with the fix that fits."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import Error, connection

from onboarding.conf import data_dir

from .finding import Finding

CONNECT_SECONDS = 5
# Only before the first migration.
MAY_CREATE = """SELECT to_regclass('django_migrations') IS NOT NULL
    OR coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)"""
OWNER = "Make the user the owner of the database: ALTER DATABASE … OWNER TO …"
REFUSES, SILENT = "The database refuses us", "The database does not answer"


class Advice(NamedTuple):
    """What helps when the server's words contain `said`. `permanent`: waiting does not."""

    said: str
    fix: str
    permanent: bool = True


ADVICE = (
    Advice(
        "authentication failed",
        "Correct user and password in DATABASE_URL; in the password, write @ as %40 and / as %2F.",
    ),
    Advice("no password", "DATABASE_URL needs the password: postgres://user:password@host/name."),
    Advice("role", "Create the user (createuser --pwprompt …), or correct it in DATABASE_URL."),
    Advice(
        "does not exist",
        "Create the database (createdb --owner=…), or correct its name in DATABASE_URL.",
    ),
    Advice("no such database", "Correct the name in DATABASE_URL, or name it in the pooler."),
    Advice("pg_hba.conf", "Allow this machine and user in pg_hba.conf, then reload PostgreSQL."),
    Advice(
        "startup parameter",
        "Take options=… out of DATABASE_URL, or allow it in the pooler (ignore_startup_parameters).",
    ),
    Advice("certificate", "Correct sslmode and sslrootcert in DATABASE_URL.", False),
    Advice("ssl", "Correct sslmode in DATABASE_URL, or switch TLS on at the server.", False),
    Advice("too many", "Raise max_connections, or run fewer processes.", False),
    Advice("connection slots", "Raise max_connections, or run fewer processes.", False),
    Advice(
        "resolve host", "Correct the host in DATABASE_URL, or this machine’s name server.", False
    ),
    Advice("starting up", "Wait until PostgreSQL has started.", False),
)
OTHERWISE = Advice(
    "", "Start PostgreSQL; then compare host, port and name in DATABASE_URL with it.", False
)


def database() -> Finding:
    return _sqlite() if connection.vendor == "sqlite" else _postgresql()


def is_permanent(finding: Finding) -> bool:
    """Whether a start without this database is useless: it will not come back by itself."""
    return finding.level == "fault" and not finding.message.startswith(SILENT)


# -- PostgreSQL ------------------------------------------------------------------------------------


def _postgresql() -> Finding:
    """A connection beside the pool, whose own errors are time-outs and say nothing."""
    import psycopg  # not needed with SQLite

    try:
        params = connection.get_connection_params()
        with psycopg.connect(**{"connect_timeout": CONNECT_SECONDS, **params}) as own:
            row = own.execute(MAY_CREATE).fetchone()
    except (Error, psycopg.Error) as error:
        said = _words(error)
        advice = next((each for each in ADVICE if each.said in said.lower()), OTHERWISE)
        words = f"{REFUSES if advice.permanent else SILENT}: {said}."
        return Finding("database", "fault", words, advice.fix)
    if row != (True,):
        words = f"{REFUSES}: the user may not create tables in its schema."
        return Finding("database", "fault", words, OWNER)
    return Finding("database", "ok", "The database (PostgreSQL) answers.")


def _words(error: Exception) -> str:
    """What the server, or the way to it, said: one line, without the password."""
    text = str(error).partition("\nMultiple connection attempts")[0]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = next((line for line in lines if "FATAL" in line or "ERROR" in line), lines[0])
    for mark in ("FATAL:", "ERROR:", "connection failed:", "connection is bad:"):
        said = said.partition(mark)[2].strip() or said
    password = str(settings.DATABASES["default"].get("PASSWORD") or "")
    return (said.replace(password, "…") if password else said).rstrip(".")


# -- SQLite ----------------------------------------------------------------------------------------


def _sqlite() -> Finding:
    path = Path(str(connection.settings_dict["NAME"]))
    words = data_dir.fault(path.parent) or _file_fault(path)
    if not words:
        return Finding("database", "ok", "The database (SQLite) answers.")
    fix = (
        f"The folder {path.parent} and the file in it must belong to the user who runs Gangway, "
        "on a disk with free space."
    )
    return Finding("database", "fault", f"{REFUSES}: {path}: {words}.", fix)


def _file_fault(path: Path) -> str:
    """Whether the file is a database that we may write; a missing one is made later."""
    if not path.exists():
        return ""
    try:
        path.open("r+b").close()
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5) as file:
            file.execute("SELECT count(*) FROM sqlite_master")
        file.close()
    except OSError as error:
        return os.strerror(error.errno or 0)
    except sqlite3.Error as error:
        return "" if "locked" in str(error) else str(error)
    return ""
