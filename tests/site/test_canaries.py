"""Canaries: secrets of operators, vendors and staff leak nowhere.

All four vendors are connected, fail with messages of their own, and hit a bug of ours. Then every linked page
is read as a merchant, as staff and signed out, and so are logs, mails, metrics and the database.
"""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from importlib import import_module
from io import StringIO
from pathlib import Path

import pytest
from django.core import mail
from django.db import connection as database
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding import journey
from onboarding.background import schedule
from onboarding.management.commands.staff import make_staff
from onboarding.models import Account, Alert, Attempt, Connection
from tests.contract.fixtures import browser, connect_by_first_row, stage
from tests.contract.row import contracts
from tests.support.merchant import Browser, wait_until_idle
from tests.support.sweep import sweep
from vendors import sandbox
from vendors.contract import Order, Step, Vendor
from vendors.http import call_context

__all__ = ["browser", "stage"]  # fixtures

BY_MAIL = "allauth.account.auth_backends.AuthenticationBackend"
TYPED = "canary-typed-by-staff"
SAID = "canary-said-by-a-vendor"
BUG = "canary-in-a-bug"
OPERATOR = {
    "SECRET_KEY": "canary-secret-key-of-fifty-characters-0123456789-abcdef",
    "EMAIL_HOST_PASSWORD": "canary-mail-password",
}
CONTRACTS = contracts()
MANY = 300  # pages for one reader: filters and orders of lists make endless addresses
ELSEWHERE = ("/accounts/logout/", "/static/", "/admin/logout/", "/admin/jsi18n/")


@dataclass
class Reader:
    """A crawler: opens every linked page and records what it has read."""

    client: Client
    pages: dict[str, str] = field(default_factory=dict)

    def read(self, *paths: str) -> None:
        waiting = list(paths)
        while waiting and len(self.pages) < MANY:
            path = waiting.pop(0)
            if path not in self.pages and not path.startswith(ELSEWHERE):
                waiting += self._open(path)

    def _open(self, path: str) -> list[str]:
        answer = self.client.get(path)
        body = b"".join(answer) if answer.streaming else answer.content
        self.pages[path] = str(answer.headers) + html.unescape(body.decode(errors="replace"))
        found = re.findall(r'(?:href|hx-get)="([^"#]+)', self.pages[path])
        if answer.status_code in {301, 302, 303}:
            found.append(answer["Location"])
        return [here for link in found if (here := html.unescape(link)).startswith("/")]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[StringIO]:
    """All that is logged from here on; `caplog` itself forgets what a fixture has logged."""
    caplog.set_level(logging.DEBUG)
    for name in ("onboarding", "vendors", "django.request", "allauth"):
        caplog.set_level(logging.DEBUG, logger=name)
    written = StringIO()
    handler = logging.StreamHandler(written)
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def metering(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with METRICS=1."""
    settings.METRICS, settings.METRICS_DIR = True, tmp_path
    metrics = import_module("onboarding.monitoring.counters")  # it may be imported only now
    monkeypatch.setattr(call_context, "observers", [metrics.observe])


@pytest.fixture
def told(
    stage: sandbox.Running,
    browser: Browser,
    settings: Settings,
    log: StringIO,
    metering: None,
) -> sandbox.Running:
    """Four vendors connected, staff's secret entered, then every vendor fails in its own words."""
    for name, value in OPERATOR.items():
        setattr(settings, name, value)
    settings.STAFF_EMAIL = ["staff@example.com"]
    browser.client.force_login(browser.user, BY_MAIL)  # the session is signed with the new key
    for vendor in CONTRACTS:
        connect_by_first_row(vendor, browser, stage, f"My {vendor} shop")
    journey.save_staff_answers(Account.objects.get(vendor="sharespine").pk, {"api_password": TYPED})
    for vendor in CONTRACTS:
        body = f'{{"error": "{SAID}", "message": "{SAID}", "errors": [{{"message": "{SAID}"}}]}}'
        for status in (500, 400):
            stage.fault(vendor, kind="status", status=status, body=body, times=2)
        Connection.objects.filter(vendor=vendor).exclude(shop_id="").update(due_at=timezone.now())
        sweep()
        shop = Connection.objects.filter(vendor=vendor).latest("created")
        browser.press(f"{shop.get_absolute_url()}reconnect/")
        wait_until_idle()
    schedule.mail()
    return stage


def staff() -> Client:
    client = Client()
    client.force_login(make_staff("staff@example.com"), BY_MAIL)
    return client


def confided(stage: sandbox.Running, settings: Settings) -> set[str]:
    """All secrets."""
    found = {TYPED, SAID, BUG, *OPERATOR.values(), *settings.MEMO_KEYS}
    for vendor in settings.VENDORS.offered.values():
        found |= {getattr(vendor, each.name) for each in fields(vendor) if not each.repr}
    for slug, contract in CONTRACTS.items():
        for kind, columns in contract.confided.items():
            rows = stage.state(slug)[kind]
            assert rows, f"{slug} has no {kind}: the story does not reach them"
            found |= {str(row[column]) for row in rows for column in columns}
    return found - {""}


def traces(secrets: set[str], *places: str) -> list[str]:
    return sorted(secret for secret in secrets for place in places if secret in place)


def test_no_confidence_is_found_anywhere(
    told: sandbox.Running, browser: Browser, settings: Settings, log: StringIO
) -> None:
    readers = [Reader(browser.client), Reader(staff()), Reader(Client())]
    start = (
        "/",
        "/shops/",
        "/admin/",
        "/connectors/",
        "/health/ready",
        "/metrics",
        "/no/such/page",
    )
    for reader in readers:
        reader.read(*start, *(row.get_absolute_url() for row in Attempt.objects.all()))
    secrets = confided(told, settings)
    assert all(
        len(reader.pages) > least for reader, least in zip(readers, (25, 60, 10), strict=True)
    )
    assert "gangway_breaker" in readers[0].pages["/metrics"]
    assert Alert.objects.exists()
    assert mail.outbox
    for reader in readers:
        for path, page in reader.pages.items():
            assert not traces(secrets, path, page), path
    assert not traces(secrets, log.getvalue())
    assert not traces(secrets, *(f"{sent.subject}\n{sent.body}" for sent in mail.outbox))
    assert not traces(secrets, at_rest())


def at_rest() -> str:
    """The database as a thief would read it; on a server, all its rows as text."""
    if database.vendor == "sqlite":
        here = Path(str(database.settings_dict["NAME"]))
        files = here.parent.glob(f"{here.name}*")
        return "".join(path.read_bytes().decode("latin-1") for path in files)
    with database.cursor() as cursor:
        return "".join(_rows(cursor, table) for table in database.introspection.table_names())


def _rows(cursor: object, table: str) -> str:
    cursor.execute(f'SELECT * FROM "{table}"')  # type: ignore[attr-defined]
    return str(cursor.fetchall())  # type: ignore[attr-defined]


# -- our own bugs --------------------------------------------------------------------------------


def test_a_bug_in_a_flow_tells_nothing(
    told: sandbox.Running,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    log: StringIO,
) -> None:
    def broken(vendor: Vendor, order: Order) -> Step:
        password = order.staff  # a local variable that a traceback with locals would print
        raise RuntimeError("a bug") from KeyError(str(len(password)))

    told.clear()
    sharespine = type(settings.VENDORS.offered["sharespine"])
    monkeypatch.setattr(sharespine, "check", broken)
    Connection.objects.filter(vendor="sharespine").update(due_at=timezone.now())
    with pytest.raises(RuntimeError):
        sweep()
    assert not traces(confided(told, settings), log.getvalue())


BREAKS = {
    "merchant": ("/m/{merchant}/", "onboarding.views.shop.home.render"),
    "staff": ("/admin/", "django.contrib.admin.sites.AdminSite.get_app_list"),
    "nobody": ("/", "onboarding.views.start.catalogue.render"),
}


@pytest.mark.parametrize("who", BREAKS)
def test_a_forced_500_tells_nothing(
    who: str,
    told: sandbox.Running,
    browser: Browser,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    log: StringIO,
) -> None:
    def broken(*args: object, **kwargs: object) -> object:
        raise RuntimeError("a bug")

    client = {"merchant": browser.client, "staff": staff(), "nobody": Client()}[who]
    client.raise_request_exception = False
    page, view = BREAKS[who]
    monkeypatch.setattr(view, broken)
    answer = client.get(page.format(merchant=browser.merchant.reference))
    assert answer.status_code == 500
    assert answer["X-Request-Reference"] in answer.content.decode()
    secrets = confided(told, settings)
    assert not traces(secrets, answer.content.decode(), str(answer.headers), log.getvalue())
