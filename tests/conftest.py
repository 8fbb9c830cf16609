"""Fixtures for all tests, and a report of the tests that this machine could not run."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.contenttypes.management import create_contenttypes
from django.core.cache import cache
from django.db import connection
from django.db.models.signals import post_migrate
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from onboarding import clock
from onboarding.background import runner
from onboarding.conf import cache_backend
from onboarding.notifications import sending
from tests.hosts import needs as hosts
from tests.support import chromium, messages, pgbouncer, postgres
from tests.support import faketime as faketime_library
from tests.support import nginx as nginx_program
from tests.support.people import People, everybody
from tests.support.scripted import Configurable, Scripted, offered
from tests.support.visit import InlineExecutor
from tests.support.workers import Redis

CHROMIUM = chromium.PROGRAM
POSTGRES = postgres.programs()
PGBOUNCER = pgbouncer.program() if POSTGRES else ""
NGINX = nginx_program.program()
REDIS = shutil.which("redis-server") or ""
FAKETIME = faketime_library.library()
GETTEXT = not messages.missing_tools()
ROOT = Path(__file__).resolve().parent.parent
LIGHTHOUSE = shutil.which(str(ROOT / "tests/lighthouse/node_modules/.bin/lighthouse")) or ""
FAST = ("unit", "vendors")  # the folders of `make test-fast`
_left_out = pytest.StashKey[list[str]]()


def pytest_configure() -> None:
    """REQUIRE_…=1: the run fails if this program is missing, instead of skipping its tests."""
    programs = {
        "BROWSER": CHROMIUM,
        "REDIS": REDIS,
        "POSTGRES": POSTGRES,
        "PGBOUNCER": PGBOUNCER,
        "NGINX": NGINX,
        "FAKETIME": FAKETIME,
        "GETTEXT": GETTEXT,
        "LIGHTHOUSE": shutil.which("node") and LIGHTHOUSE,
    }
    for name, found in programs.items():
        if os.environ.get(f"REQUIRE_{name}") == "1" and not found:
            raise pytest.UsageError(f"REQUIRE_{name}=1, but this machine has no such program.")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what this machine cannot run, and report it at the end."""
    left_out = config.stash[_left_out] = []
    browser = [item for item in items if item.get_closest_marker("browser")]
    if browser and not CHROMIUM:
        left_out.append(_missing("Chromium", "chromium", f"{len(browser)} browser tests"))
        for item in browser:
            item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))
    broker = [item for item in items if "broker" in getattr(item, "fixturenames", ())]
    if broker and not REDIS:
        left_out.append(_missing("Redis", "redis-server", f"{len(broker)} tests with Redis"))
        for item in broker:
            item.add_marker(pytest.mark.skip(reason="no Redis on this machine"))
    pooled = [item for item in items if "pooler" in getattr(item, "fixturenames", ())]
    if pooled and not PGBOUNCER:
        left_out.append(_missing("PgBouncer", "pgbouncer", f"{len(pooled)} tests of a pooler"))
        for item in pooled:
            item.add_marker(pytest.mark.skip(reason="no PgBouncer on this machine"))
    proxied = [item for item in items if "nginx" in getattr(item, "fixturenames", ())]
    if proxied and not NGINX:
        left_out.append(_missing("nginx", "nginx-light", f"{len(proxied)} tests of a proxy"))
        for item in proxied:
            item.add_marker(pytest.mark.skip(reason="no nginx on this machine"))
    clocked = [item for item in items if "faketime" in getattr(item, "fixturenames", ())]
    if clocked and not FAKETIME:
        left_out.append(_missing("faketime", "faketime", f"{len(clocked)} tests of wrong clocks"))
        for item in clocked:
            item.add_marker(pytest.mark.skip(reason="no faketime on this machine"))
    merged = [item for item in items if "xgettext" in getattr(item, "fixturenames", ())]
    if merged and not GETTEXT:
        left_out.append(_missing("GNU gettext", "gettext", f"{len(merged)} tests of catalogues"))
        for item in merged:
            item.add_marker(pytest.mark.skip(reason="no GNU gettext on this machine"))
    weighed = [item for item in items if item.get_closest_marker("lighthouse")]
    if weighed and not (LIGHTHOUSE and shutil.which("node")):
        how = "Node.js 18 or later, then: npm ci --prefix tests/lighthouse"
        left_out.append(f"{len(weighed)} tests with Lighthouse: it is not here ({how})")
        for item in weighed:
            item.add_marker(pytest.mark.skip(reason="no Lighthouse on this machine"))
    hosted = [item for item in items if "several_hosts" in getattr(item, "fixturenames", ())]
    if hosted and (lacks := hosts.missing()):
        left_out.append(f"{len(hosted)} tests on several hosts: they need {lacks}")
        for item in hosted:
            item.add_marker(pytest.mark.skip(reason=f"no {lacks} here"))
    both = sum(item.get_closest_marker("both") is not None for item in items)
    if both and not POSTGRES and connection.vendor == "sqlite":
        what = f"{both} tests on PostgreSQL (they ran on SQLite)"
        left_out.append(_missing("PostgreSQL", "postgresql", what))


def _missing(program: str, package: str, what: str) -> str:
    return f"{what}: no {program} here (Debian: apt-get install {package})"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of xdist reports what it skipped to the process that prints it."""
    output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = session.config.stash.get(_left_out, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker collects every test, so all report the same lines."""
    reported = getattr(node, "workeroutput", {}).get("left_out", [])
    node.config.stash[_left_out] = reported or node.config.stash.get(_left_out, [])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if left_out := config.stash.get(_left_out, []):
        terminalreporter.section("LEFT OUT")
    for line in left_out:
        terminalreporter.write_line(line)
    if measured := _measured(terminalreporter):
        terminalreporter.section("MEASURED")
    for line in measured:
        terminalreporter.write_line(line)


def _measured(terminalreporter: pytest.TerminalReporter) -> list[str]:
    """What tests have recorded as the property "measured", such as a count beside its bound."""
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        if report.when == "call"
    ]
    properties = [each for report in reports for each in report.user_properties]
    return sorted(str(value) for name, value in properties if name == "measured")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Flush tables fast: it happens after each test, and took longer than most tests."""
    post_migrate.disconnect(create_contenttypes)
    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection.ops, "sql_flush", partial(_flush_sql, connection.ops.sql_flush))
        yield


def _flush_sql(
    sql_flush: Callable[..., list[str]], style: object, tables: list[str], **how: bool
) -> list[str]:
    """Keep content types and permissions. PostgreSQL needs 1 ms to delete, 200 ms to truncate."""
    tables = [name for name in tables if name not in {"django_content_type", "auth_permission"}]
    if connection.vendor == "sqlite":
        return sql_flush(style, tables, **how)
    unbound = "SET LOCAL session_replication_role = replica"  # foreign keys in any order
    return [";".join([unbound, *(f'DELETE FROM "{name}"' for name in tables)])]


@pytest.fixture(scope="session", autouse=True)
def _own_host() -> Iterator[None]:
    """Test clients open the site under the name of its SITE_URL: every other one is led there."""
    unpatched: Any = RequestFactory.__dict__["_base_environ"]

    def at_site(factory: RequestFactory, **request: object) -> Any:
        return unpatched(factory, **{"SERVER_NAME": "localhost", **request})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RequestFactory, "_base_environ", at_site)
        yield


@pytest.fixture(autouse=True)
def _no_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the fast tests fast: they start no process unless they are marked `process`."""
    room = request.node.path.relative_to(ROOT / "tests").parts[0]
    if room not in FAST or request.node.get_closest_marker("process"):
        return

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError(
            "a fast test starts a process: mark it `process`, or move it to tests/site/"
        )

    monkeypatch.setattr(subprocess.Popen, "__init__", refuse)


@pytest.fixture
def database_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The site's clock as the product has it, and nothing is known of it yet."""
    monkeypatch.setattr(clock, "_last", None)
    monkeypatch.setattr(clock, "_tried", float("-inf"))
    monkeypatch.setattr(clock, "_said", False)


@pytest.fixture(autouse=True)
def _own_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process time is what the test says (time-machine), and nobody asks PostgreSQL for its own."""
    if "database_clock" not in request.fixturenames:
        monkeypatch.setattr(clock, "_last", None)
        monkeypatch.setattr(clock, "refresh", lambda: None)
        monkeypatch.setattr(clock, "learn", lambda shown, began: None)


@pytest.fixture(autouse=True)
def _empty_cache(request: pytest.FixtureRequest) -> None:
    """Clear the cache: no rollback or flush does."""
    marker = request.node.get_closest_marker("django_db")
    asked = {"transactional_db", "live_server"} & set(request.fixturenames)
    if asked or (marker and marker.kwargs.get("transaction")):
        request.getfixturevalue("transactional_db")
        cache.clear()


@pytest.fixture
def fresh_environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a child process: no settings of ours except its own data folder."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**inherited, "DATA_DIR": str(tmp_path / "data"), "PYTHONWARNINGS": "error"}


@pytest.fixture
def people(transactional_db: None) -> People:
    """Alice, her colleague Bob, and Charlie of another business; with real transactions."""
    return everybody()


@pytest.fixture(autouse=True)
def _long_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long timeouts for requests that wait for a vendor or the mail server, so that a busy machine fails
    no test."""
    monkeypatch.setattr(runner, "HAND_OVER_TIMEOUT", 60)
    monkeypatch.setattr(sending, "WAIT", 60)


@pytest.fixture
def scripted(settings: Settings) -> Scripted:
    """The only vendor on offer, with scripted answers."""
    vendor = Scripted()
    settings.VENDORS = offered(vendor)
    return vendor


@pytest.fixture
def configurable(settings: Settings) -> Configurable:
    """The only vendor on offer, with connectors that staff configure."""
    vendor = Configurable()
    settings.VENDORS = offered(vendor)
    return vendor


@pytest.fixture
def broker() -> Iterator[Redis]:
    """A temporary Redis server. Tests that use it are skipped where Redis is not installed."""
    made = Redis()
    made.start()
    yield made
    made.stop()
    cache_backend.outage.retry_at, cache_backend.outage.changed = 0.0, set()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a temporary PostgreSQL."""
    if POSTGRES is None:
        pytest.skip("no PostgreSQL on this machine")
    with postgres.throwaway(POSTGRES) as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database."""
    server, _, _ = postgres_server.rpartition("/")
    name = f"site_{secrets.token_hex(4)}"
    with psycopg.connect(postgres_server, autocommit=True) as own:
        own.execute(f"CREATE DATABASE {name}")
        yield f"{server}/{name}"
        own.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def pooler(postgres_url: str) -> Iterator[str]:
    """The URL of an empty database behind PgBouncer. Skipped where that is not installed."""
    with pgbouncer.in_front_of(postgres_url) as url:
        yield url


@pytest.fixture
def faketime() -> Callable[[int], dict[str, str]]:
    """The environment of a process whose clock is so many seconds ahead. Skipped without faketime."""
    return partial(faketime_library.ahead, FAKETIME)


@pytest.fixture
def xgettext() -> None:
    """Tests that ask for it are skipped where GNU gettext is not installed."""


@pytest.fixture
def inline_executor(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner's work runs inline when it is submitted, so that no test waits or depends on timing."""
    monkeypatch.setattr(runner, "executor", InlineExecutor())
