"""What a log line looks like: text or JSON, with the reference of the request it belongs to."""

from __future__ import annotations

import json
import logging
import re
from contextvars import ContextVar
from typing import Any

reference: ContextVar[str] = ContextVar("reference", default="-")

TEXT = "{asctime} {levelname} {name} [{reference}] {message}"


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


class Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "reference": getattr(record, "reference", "-"),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


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
            "reference": {"()": "onboarding.logs.WithReference"},
            "without_query": {"()": "onboarding.logs.WithoutQuery"},
        },
        "formatters": {
            "text": {"format": TEXT, "style": "{"},
            "json": {"()": "onboarding.logs.Json"},
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
