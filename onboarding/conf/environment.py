"""Environment variables of the site: names, types, defaults and the README's descriptions."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field

from onboarding import email_addresses
from vendors.reader import Settings

from . import service_urls

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
Value = TypeVar("Value")
Text = Annotated[str, AfterValidator(str.strip)]


def _setting(
    default: str | tuple[()] | None,
    about: str,
    *,
    secret: bool = False,
    least: int | None = None,
    most: int | None = None,
) -> Any:  # Any: as pydantic's Field, so that it can be the default of any type
    """A field of Site. `default` is written as an operator would write it; None: it depends on other
    settings. `least` and `most` are limits."""
    return Field(default, description=about, repr=not secret, ge=least, le=most)


def _readable(parse: Callable[[Value], object]) -> AfterValidator:
    """Accepts values that `parse` can read. Its ValueErrors are shown to operators and quote no value."""

    def check(value: Value) -> Value:
        if value:
            parse(value)
        return value

    return AfterValidator(check)


def _matching(pattern: str, message: str) -> AfterValidator:
    """Accepts text that matches the whole pattern."""

    def parse(text: str) -> None:
        if not re.fullmatch(pattern, text):
            raise ValueError(message)

    return _readable(parse)


def _database(url: str) -> None:
    service_urls.database(url, threads=1)


def _duration(text: str) -> timedelta:
    """Parses `90s`, `5m`, `24h` or `1d`. A number without a unit is in seconds."""
    if not re.fullmatch(r"0*[1-9][0-9]{0,7}[smhd]?", text):
        raise ValueError("must be a number above 0 followed by s, m, h or d")
    return timedelta(seconds=int(text.rstrip("smhd")) * SECONDS.get(text[-1], 1))


class Site(Settings):
    """All settings of the site. Those of the vendors are fields of their dataclasses."""

    site_url: Annotated[Text, _readable(service_urls.site)] = _setting(
        "", "address merchants open; https in production"
    )
    secret_key: Text = _setting("", "Django’s signing key, 50 random characters", secret=True)
    memo_keys: tuple[str, ...] = _setting(
        (), "Fernet keys, comma-separated; the first encrypts", secret=True
    )
    database_url: Annotated[Text, _readable(_database)] = _setting(
        "",
        "`postgres://user:pass@host:port/name?sslmode=…`; default: a SQLite file in `DATA_DIR`",
        secret=True,
    )
    data_dir: Text = _setting("data", "folder of the SQLite file and of the sandbox’s state")
    allowed_hosts: tuple[str, ...] = _setting(
        (), "host names beyond that of `SITE_URL`; their pages redirect to it"
    )
    host: Text = _setting("127.0.0.1", "address the web server binds to")
    port: int = _setting("8000", "port the web server binds to", least=1, most=65534)
    proxy_count: int = _setting(
        "0", "proxies before us; 0 ignores `X-Forwarded-*`", least=0, most=10
    )
    hsts_subdomains: bool = _setting(
        "0",
        "`1`: browsers ask for https at all subdomains of the host too, and may know it beforehand",
    )
    redis_url: Annotated[Text, _readable(service_urls.cache)] = _setting(
        "", "cache on Redis instead of in the database", secret=True
    )
    runner: Literal["threads", "celery"] = _setting(
        "threads", "has no effect any more: workers share their work through the database"
    )
    check_period: Annotated[timedelta, BeforeValidator(_duration)] = _setting(
        "24h", "time between two checks of a connected shop: `90s` `5m` `24h` `1d`"
    )
    notice_after: Annotated[timedelta, BeforeValidator(_duration)] = _setting(
        "30s", "time that a merchant has to see on their page what a mail would tell them"
    )
    broken_notice_after: Annotated[timedelta, BeforeValidator(_duration)] = _setting(
        "5m", "time that a shop has to work again by itself before its team is emailed"
    )
    retention_days: int = _setting(
        "400", "days after which what is over is deleted", least=1, most=36500
    )
    call_detail_days: int = _setting(
        "7",
        "days after which calls that went well are kept as hourly counts",
        least=1,
        most=36500,
    )
    mail_log_days: int = _setting(
        "90", "days for which the mail log knows of a mail", least=1, most=36500
    )
    max_businesses: int = _setting(
        "200", "businesses that one person may own; 0: no bound", least=0
    )
    max_businesses_per_day: int = _setting(
        "30", "businesses that one person may add in a day; 0: no bound", least=0
    )
    max_open_shops: int = _setting(
        "200", "shops of one business that are begun and not finished; 0: no bound", least=0
    )
    max_open_shops_per_person: int = _setting(
        "500", "shops that one person has begun and not finished; 0: no bound", least=0
    )
    max_attempts_per_hour: int = _setting(
        "300",
        "attempts that one person may begin in an hour, each with calls to a vendor; 0: no bound",
        least=0,
    )
    log_format: Literal["text", "json"] = _setting("text", "`text` or `json`")
    metrics: bool = _setting("0", "`1` serves Prometheus metrics at `/metrics`")
    staff_mfa: bool | None = _setting(
        None,
        "`1` asks staff for a second step when they sign in: a passkey or an authenticator app",
    )
    debug: bool = _setting("0", "`1` shows tracebacks; only on a loopback `SITE_URL`")
    sandbox: bool = _setting("0", "`1`: vendors without settings use our sandbox; only on loopback")
    sandbox_url: Text = _setting("", "where the sandbox listens")

    # -- mail and appearance -----------------------------------------------------------------------

    email_url: Annotated[Text, _readable(service_urls.mail)] = _setting(
        "", "`smtp[s]://user:pass@host:port`, `file:///dir`, `console:`, `demo:`", secret=True
    )
    email_from: Annotated[Text, _readable(email_addresses.one_mailbox)] = _setting(
        "",
        "sender of our mails, one mailbox; default: `BRAND_NAME` and `no-reply@` the site’s host",
    )
    support_email: Annotated[tuple[str, ...], _readable(service_urls.mailboxes)] = _setting(
        (), "address shown to merchants who need help"
    )
    security_contact: Annotated[tuple[str, ...], _readable(service_urls.contacts)] = _setting(
        (), "addresses or `https:` pages in `security.txt`; default `SUPPORT_EMAIL`"
    )
    staff_email: Annotated[tuple[str, ...], _readable(service_urls.mailboxes)] = _setting(
        (), "addresses told when something becomes staff’s turn"
    )
    brand_name: Annotated[Text, _readable(service_urls.brand)] = _setting(
        "Gangway", "name in the header and in mails"
    )
    brand_logo: Annotated[
        Text,
        _matching(r"https://[^\s\"';,]+|/static/[^\s\"';,]+", "must be https://… or /static/…"),
        _readable(service_urls.split),
    ] = _setting("", "image in the header: an `https:` address or a path under `/static/`")
    brand_colour: Annotated[Text, _matching("#[0-9a-fA-F]{6}", "must look like #1a2b3c")] = (
        _setting("", "accent colour, as `#rrggbb`")
    )
    brand_url: Annotated[
        Text,
        _matching(r"https?://[^\s\"'<>;,]+", "must be https://… (or http://…), without spaces"),
        _readable(service_urls.page),
    ] = _setting("", "your own site: “Back to …” leads there when a shop is connected")
    legal_links: Annotated[tuple[str, ...], _readable(service_urls.links)] = _setting(
        (), "links in the footer: `Privacy=https://…,Terms=https://…`"
    )


class Setting(NamedTuple):
    """One row of the README's table."""

    name: str
    default: str
    about: str
    secret: bool


# Defaults that depend on other settings: here they are empty, and settings.py computes them.
DERIVED = {
    "site_url": "http://localhost:$PORT",
    "sandbox_url": "http://127.0.0.1:$PORT+1",
    "staff_mfa": "1, on loopback 0",
}
SETTINGS = tuple(
    Setting(
        name=name.upper(),
        default=field.default or DERIVED.get(name, ""),
        about=field.description or "",
        secret=not field.repr,
    )
    for name, field in Site.model_fields.items()
)
