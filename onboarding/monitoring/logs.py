"""Logging: formatters for text and JSON lines, the request reference (a correlation id), no secrets.

Every line carries the reference of its request. Tracebacks have no values, and URLs no query. No logged
value makes a line of its own or steers a terminal: `one_line` quotes what could, in every formatter.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import traceback
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from secrets import token_bytes
from types import TracebackType
from typing import Any, Literal

reference: ContextVar[str] = ContextVar("reference", default="-")

TEXT = "{asctime} {levelname} {name} [{reference}] {message}"
# 32 of them, so that each is as likely; without 0, 1, I and O, which are misread aloud.
LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\([^)]*\)=\(.*\)")
# Their texts quote names of our code. Texts of other exceptions may quote what a merchant or a vendor sent.
SAFE_ERRORS = (AttributeError, ImportError, NameError, TypeError)
SAFE_MODULES = ("onboarding.", "vendors.", "django.core.exceptions.")
LONGEST = 300  # characters of an exception's text
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def new_reference() -> str:
    """A short reference such as 7K3Q-9M2P: people quote it, log lines carry it."""
    letters = "".join(LETTERS[byte % len(LETTERS)] for byte in token_bytes(8))
    return f"{letters[:4]}-{letters[4:]}"


def forget_reference(**kwargs: object) -> None:
    """Clear the reference of this thread: its request is over. A receiver of Django's signal."""
    reference.set("-")


@contextmanager
def with_reference() -> Iterator[None]:
    """Give a block that belongs to no request a reference of its own, for its events, calls and lines."""
    token = reference.set(new_reference()) if reference.get() == "-" else None
    try:
        yield
    finally:
        if token:
            reference.reset(token)


class ReferenceFilter(logging.Filter):
    """Adds the reference of the current request to every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.reference = reference.get()
        return True


class QueryRedactingFilter(logging.Filter):
    """Cuts the query off request lines: a return from a vendor has codes and tokens in it."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.msg, str):
            record.msg = _without_query(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(_without_query(a) if isinstance(a, str) else a for a in record.args)
        return True


def _without_query(text: str) -> str:
    return re.sub(r"\?[^\s\"']*", "", text)


# Control characters, what splits lines, format characters (those for direction among them), lone
# surrogates and private ones.
_NOT_SHOWN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def one_line(text: str) -> str:
    """The text with what nobody sees, or what ends a line, written as Python writes it: `\\n`, `\\u202e`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape").decode() if unicodedata.category(char) in _NOT_SHOWN else char
        for char in text
    )


def summary(error: BaseException) -> str:
    """An exception in one line. Quoted text is replaced by '…': it may be a secret or personal data."""
    kind = type(error)
    name = (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
    text = next(iter(str(error).splitlines()), "")  # PostgreSQL's DETAIL quotes the row
    if not isinstance(error, SAFE_ERRORS) and not kind.__module__.startswith(SAFE_MODULES):
        text = QUOTED.sub("'…'", text)
    return one_line(f"{name}: {text[:LONGEST]}" if text else name)


def chain(error: BaseException) -> list[BaseException]:
    """The exceptions that led to this one, the first one first, and the exception itself."""
    found: list[BaseException] = []
    step: BaseException | None = error
    while step is not None and step not in found:
        found.insert(0, step)
        step = step.__cause__ or (None if step.__suppress_context__ else step.__context__)
    return found


class Text(logging.Formatter):
    """A line of text, followed by a traceback without values."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (Python's own)
        return one_line(super().formatMessage(record))

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802  (Python’s own)
        """Files, lines and source, as in Python's own tracebacks; exceptions as `summary` has them."""
        parts = [
            "".join(
                ["Traceback (most recent call last):\n", *traceback.format_tb(each.__traceback__)]
            )
            + summary(each)
            for each in (chain(ei[1]) if ei[1] else [])
        ]
        return "\n\nwhile that was handled:\n\n".join(parts)


class Json(Text):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "reference": getattr(record, "reference", "-"),
            "message": record.getMessage(),
            **self.fields(record),
        }
        line = {name: one_line(v) if isinstance(v, str) else v for name, v in line.items()}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)

    def fields(self, record: logging.LogRecord) -> dict[str, object]:
        """More fields of this record, which win over the usual ones: `extra={"fields": {...}}`."""
        more: dict[str, object] = getattr(record, "fields", {})
        return more


ACCESS = "{message}"  # gunicorn writes the time and the reference itself


class JsonAccess(Json):
    """gunicorn's access log line. Its parts come as a mapping (gunicorn's `atoms`) in `record.args`."""

    def fields(self, record: logging.LogRecord) -> dict[str, object]:
        part: Any = record.args  # Any: logging does not type what a caller passes
        return {
            "message": f"{part['m']} {part['U']} {part['s']}",
            "reference": part["{x-request-reference}o"],
            "address": part["h"],
            "method": part["m"],
            "path": part["U"],
            "status": int(part["s"]),
            "bytes": part["B"],
            "ms": part["M"],
        }


def log_warnings_and_crashes() -> None:
    """Log what Python itself would print to standard error: warnings and uncaught exceptions."""
    logging.captureWarnings(True)
    log = logging.getLogger("python")

    def log_crash(
        kind: type[BaseException], error: BaseException, tb: TracebackType | None
    ) -> None:
        log.critical("this process ends", exc_info=(kind, error, tb))

    def log_thread_crash(args: threading.ExceptHookArgs) -> None:
        if error := args.exc_value:
            info = (args.exc_type, error, args.exc_traceback)
            log.critical("the thread %s ends", getattr(args.thread, "name", "-"), exc_info=info)

    sys.excepthook, threading.excepthook = log_crash, log_thread_crash


LOGGERS: dict[str, dict[str, object]] = {
    "django": {"level": "INFO", "handlers": [], "propagate": True},
    "django.server": {"level": "INFO", "handlers": ["request_lines"], "propagate": False},
    # Scanners request IP addresses all day; their 400 is in the access log.
    "django.security.DisallowedHost": {"level": "CRITICAL"},
    # At DEBUG these log whole URLs and queries.
    "urllib3": {"level": "WARNING"},
    "requests": {"level": "WARNING"},
    "django.db.backends": {"level": "WARNING"},
    # One warning for each try to connect; database_outage.py writes one line for all of them.
    "psycopg.pool": {"level": "ERROR"},
}


def logging_settings(style: Literal["text", "json"]) -> dict[str, object]:
    """Django's LOGGING for LOG_FORMAT `text` or `json`. Everything goes to standard error."""
    console = {
        "class": "logging.StreamHandler",
        "filters": ["reference"],
        "formatter": style,
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "reference": {"()": "onboarding.monitoring.logs.ReferenceFilter"},
            "without_query": {"()": "onboarding.monitoring.logs.QueryRedactingFilter"},
        },
        "formatters": {
            "text": {"()": "onboarding.monitoring.logs.Text", "format": TEXT, "style": "{"},
            "json": {"()": "onboarding.monitoring.logs.Json"},
        },
        "handlers": {
            "console": console,
            "request_lines": {**console, "filters": ["reference", "without_query"]},
        },
        "root": {"handlers": ["console"], "level": "INFO"},
        "loggers": LOGGERS,
    }
