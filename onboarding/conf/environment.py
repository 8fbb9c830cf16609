"""Settings from the environment: one list of names, read once, faults kept for the system checks.

A value comes from the variable `NAME` or, for a secret, from the file that `NAME_FILE` names.
A value that cannot be read never stops the import of the settings: the default is taken, the
fault is kept in `Environ.problems`, and the system checks refuse to start with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple, TypeVar

T = TypeVar("T")
TRUE = {"1", "true", "yes", "on"}
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400} | {str(digit): 1 for digit in range(10)}
FALSE = {"", "0", "false", "no", "off"}


class Setting(NamedTuple):
    """One row of the README's table. `later`: read and checked, but nothing uses it yet."""

    name: str
    default: str
    about: str
    secret: bool = False
    later: bool = False


class Problem(NamedTuple):
    """What is wrong with the value of one setting, in words that never quote a secret."""

    name: str
    message: str


SITE = (
    Setting("SITE_URL", "http://localhost:$PORT", "address merchants open; https in production"),
    Setting("SECRET_KEY", "", "Django's signing key, 50 random characters", secret=True),
    Setting("MEMO_KEYS", "", "Fernet keys, comma-separated; the first encrypts", secret=True),
    Setting(
        "DATABASE_URL",
        "",
        "`postgres://user:pass@host:port/name?sslmode=…`; default: a SQLite file in `DATA_DIR`",
        secret=True,
    ),
    Setting("DATA_DIR", "data", "folder of the SQLite file and of the sandbox's state"),
    Setting("ALLOWED_HOSTS", "", "host names beyond that of `SITE_URL`"),
    Setting("HOST", "127.0.0.1", "address the web server binds to"),
    Setting("PORT", "8000", "port the web server binds to"),
    Setting("PROXY_COUNT", "0", "proxies before us; 0 ignores `X-Forwarded-*`"),
    Setting("REDIS_URL", "", "cache on Redis instead of in the database", secret=True),
    Setting(
        "RUNNER",
        "threads",
        "how workers share the work: `threads`, or `celery` (needs `REDIS_URL`)",
    ),
    Setting(
        "CHECK_PERIOD", "24h", "time between two checks of a connected shop: `90s` `5m` `24h` `1d`"
    ),
    Setting("RETENTION_DAYS", "400", "days after which what is over is deleted"),
    Setting("LOG_FORMAT", "text", "`text` or `json`"),
    Setting("METRICS", "0", "`1` serves Prometheus metrics at `/metrics`"),
    Setting("STAFF_MFA", "0", "`1` asks staff for a second factor", later=True),
    Setting("DEBUG", "0", "`1` shows tracebacks; only on a loopback `SITE_URL`"),
    Setting("SANDBOX", "0", "`1`: vendors without settings use our sandbox; only on loopback"),
    Setting("SANDBOX_URL", "http://127.0.0.1:$PORT+1", "where the sandbox listens"),
)

FACE = (
    Setting(
        "EMAIL_URL",
        "",
        "`smtp[s]://user:pass@host:port`, `file:///dir`, `console:`, `demo:`",
        secret=True,
    ),
    Setting("EMAIL_FROM", "", "sender of our mails; default `no-reply@` the site's host"),
    Setting("SUPPORT_EMAIL", "", "address shown to merchants who need help"),
    Setting("STAFF_EMAIL", "", "addresses told when something becomes staff's turn"),
    Setting("BRAND_NAME", "Gangway", "name in the header and in mails"),
    Setting(
        "BRAND_LOGO", "", "image in the header: an `https:` address or a path under `/static/`"
    ),
    Setting("BRAND_COLOUR", "", "accent colour, as `#rrggbb`"),
    Setting("LEGAL_LINKS", "", "links in the footer: `Privacy=https://…,Terms=https://…`"),
)

SETTINGS = SITE + FACE


@dataclass
class Environ:
    """The values of SETTINGS out of one mapping; `problems` fills up while they are read."""

    values: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)
    _known: dict[str, Setting] = field(default_factory=lambda: {s.name: s for s in SETTINGS})

    def is_set(self, name: str) -> bool:
        """Whether the operator gave this setting a value, directly or by a file."""
        return bool(self.text(name, default=""))

    def text(self, name: str, default: str | None = None) -> str:
        """The value, stripped; the list's own default when there is none."""
        setting = self._known[name]
        given = self.values.get(name, "").strip()
        if setting.secret and (path := self.values.get(f"{name}_FILE", "").strip()):
            given = self._from_file(name, given, Path(path))
        return given or (setting.default if default is None else default)

    def flag(self, name: str) -> bool:
        """True for 1, true, yes, on; False for 0, false, no, off and nothing."""
        value = self.text(name).lower()
        if value not in TRUE | FALSE:
            self.problem(name, "must be 1 or 0")
        return value in TRUE

    def number(self, name: str, least: int, most: int) -> int:
        """A whole number within [least, most]; the default when it is neither."""
        value = self.text(name)
        if value.isascii() and value.isdigit() and least <= int(value) <= most:
            return int(value)
        self.problem(name, f"must be a whole number from {least} to {most}")
        return int(self._known[name].default)

    def words(self, name: str) -> list[str]:
        """A comma-separated list, without empty entries."""
        return [word.strip() for word in self.text(name).split(",") if word.strip()]

    def duration(self, name: str) -> timedelta:
        """A span of time such as 90s, 5m, 24h, 1d; a bare number is seconds."""
        value = self.text(name)
        if not re.fullmatch(r"0*[1-9][0-9]{0,7}[smhd]?", value):
            self.problem(name, "must be a number above 0 followed by s, m, h or d")
            value = self._known[name].default
        return timedelta(seconds=int(value.rstrip("smhd")) * SECONDS[value[-1:]])

    def choice(self, name: str, *choices: str) -> str:
        """One of the choices; the default when it is none of them."""
        value = self.text(name)
        if value in choices:
            return value
        self.problem(name, f"must be one of: {', '.join(choices)}")
        return self._known[name].default

    def matching(self, name: str, pattern: str, message: str) -> str:
        """Text that is empty or matches the whole pattern; empty when it does not."""
        value = self.text(name)
        if not value or re.fullmatch(pattern, value):
            return value
        self.problem(name, message)
        return ""

    def parsed(self, name: str, value: str, parse: Callable[[str], T], otherwise: T) -> T:
        """`parse(value)`; a ValueError becomes a problem, its text being safe to show."""
        try:
            return parse(value)
        except ValueError as error:
            self.problem(name, str(error))
            return otherwise

    def problem(self, name: str, message: str) -> None:
        """Keep a fault for the system checks, once."""
        if Problem(name, message) not in self.problems:
            self.problems.append(Problem(name, message))

    def _from_file(self, name: str, given: str, path: Path) -> str:
        if given:
            self.problem(name, f"set either {name} or {name}_FILE, not both")
        try:
            content = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            content = ""
        if not content:
            self.problem(name, f"{name}_FILE must name a file that can be read and is not empty")
        return content
