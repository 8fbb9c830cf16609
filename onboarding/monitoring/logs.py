"""What a log line looks like: text or JSON, with the reference of the request it belongs to."""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from secrets import choice
from types import TracebackType
from typing import Any

reference: ContextVar[str] = ContextVar("reference", default="-")

TEXT = "{asctime} {levelname} {name} [{reference}] {message}"
LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # without 0, 1, I and O, which are misread aloud
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\([^)]*\)=\(.*\)")
# Their texts quote names of our code; those of others quote what a merchant or a vendor sent.
OF_CODE = (AttributeError, ImportError, NameError, TypeError)
OURS = ("onboarding.", "vendors.", "django.core.exceptions.")
LONGEST = 300  # letters of an exception's text
Caught = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def new_reference() -> str:
    """A short reference such as 7K3Q-9M2P: what a person quotes, what log lines carry."""
    letters = "".join(choice(LETTERS) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def forget_reference(**kwargs: object) -> None:
    """What this thread logs from now on belongs to no request."""
    reference.set("-")


@contextmanager
def referred() -> Iterator[None]:
    """Work that belongs to no request gets a reference of its own, for its events, calls, lines."""
    token = reference.set(new_reference()) if reference.get() == "-" else None
    try:
        yield
    finally:
        if token:
            reference.reset(token)


class WithReference(logging.Filter):
    """Gives every record the reference of the request that its thread is serving."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.reference = reference.get()
        return True


class WithoutQuery(logging.Filter):
    """Cuts the query off request lines: a return from a vendor carries codes and tokens there."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.msg, str):
            record.msg = _cut(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(_cut(a) if isinstance(a, str) else a for a in record.args)
        return True


def _cut(text: str) -> str:
    return re.sub(r"\?[^\s\"']*", "", text)


def summary(error: BaseException) -> str:
    """An exception in one line, without what it quotes: that may be a secret, or about a person."""
    kind = type(error)
    name = (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
    text = next(iter(str(error).splitlines()), "")  # PostgreSQL's DETAIL quotes the row
    if not isinstance(error, OF_CODE) and not kind.__module__.startswith(OURS):
        text = QUOTED.sub("'…'", text)
    return f"{name}: {text[:LONGEST]}" if text else name


def chain(error: BaseException) -> list[BaseException]:
    """What led to an exception, the first one first, and the exception itself."""
    found: list[BaseException] = []
    step: BaseException | None = error
    while step is not None and step not in found:
        found.insert(0, step)
        step = step.__cause__ or (None if step.__suppress_context__ else step.__context__)
    return found


class Text(logging.Formatter):
    """One line of text, and below it a traceback without values."""

    def formatException(self, ei: Caught) -> str:  # noqa: N802  (Python’s own)
        """Files, lines and source, as Python has them."""
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
            **self.more(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)

    def more(self, record: logging.LogRecord) -> dict[str, Any]:
        return {}


class JsonAccess(Json):
    """gunicorn's line about a request, whose parts come as a mapping (gunicorn's `atoms`)."""

    def more(self, record: logging.LogRecord) -> dict[str, Any]:
        part: Any = record.args
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


def speak_for_python() -> None:
    """What Python itself would print becomes lines like all others: warnings, and fatal errors."""
    logging.captureWarnings(True)
    log = logging.getLogger("python")

    def ended(kind: type[BaseException], error: BaseException, tb: TracebackType | None) -> None:
        log.critical("this process ends", exc_info=(kind, error, tb))

    def thread_ended(args: threading.ExceptHookArgs) -> None:
        if error := args.exc_value:
            info = (args.exc_type, error, args.exc_traceback)
            log.critical("the thread %s ends", getattr(args.thread, "name", "-"), exc_info=info)

    sys.excepthook, threading.excepthook = ended, thread_ended


def logging_settings(style: str) -> dict[str, Any]:
    """Django's LOGGING for LOG_FORMAT `text` or `json`, all of it to standard error."""
    console = {
        "class": "logging.StreamHandler",
        "filters": ["reference"],
        "formatter": style,
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "reference": {"()": "onboarding.monitoring.logs.WithReference"},
            "without_query": {"()": "onboarding.monitoring.logs.WithoutQuery"},
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
        "loggers": {
            "django": {"level": "INFO", "handlers": [], "propagate": True},
            "django.server": {"level": "INFO", "handlers": ["request_lines"], "propagate": False},
            # Scanners knock by address all day; the access log has their 400.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            # These write whole addresses and queries at DEBUG.
            "urllib3": {"level": "WARNING"},
            "requests": {"level": "WARNING"},
            "django.db.backends": {"level": "WARNING"},
        },
    }
