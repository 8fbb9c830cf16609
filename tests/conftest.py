"""What every test may ask for; and a closing line that says what a run left out."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.contrib.contenttypes.management import create_contenttypes
from django.core.cache import cache
from django.db import connection
from django.db.models.signals import post_migrate
from pytest_django.fixtures import Settings

from onboarding.background import runner
from onboarding.conf import cache_backend
from tests.support import postgres
from tests.support.people import People, everybody
from tests.support.scripted import Planned, Scripted, offered
from tests.support.visit import AtOnce
from tests.support.workers import Redis

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
REDIS = shutil.which("redis-server") or ""
ROOT = Path(__file__).resolve().parent.parent
FAST = ("unit", "vendors")  # the rooms of `make test-fast`
_left_out = pytest.StashKey[list[str]]()


def pytest_configure() -> None:
    """REQUIRE_…=1: what needs this program must not be left out."""
    programs = {"BROWSER": CHROMIUM, "REDIS": REDIS, "POSTGRES": postgres.programs()}
    for name, found in programs.items():
        if os.environ.get(f"REQUIRE_{name}") == "1" and not found:
            raise pytest.UsageError(f"REQUIRE_{name}=1, but this machine has no such program.")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What this machine cannot run is left out loudly."""
    left_out = config.stash[_left_out] = []
    browser = [item for item in items if item.get_closest_marker("browser")]
    if browser and not CHROMIUM:
        left_out.append(_missing("Chromium", "chromium", f"{len(browser)} browser tests"))
        for item in browser:
            item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))
    broker = [item for item in items if "broker" in getattr(item, "fixturenames", ())]
    if broker and not REDIS:
        left_out.append(_missing("Redis", "redis-server", f"{len(broker)} tests of Celery"))
        for item in broker:
            item.add_marker(pytest.mark.skip(reason="no Redis on this machine"))
    both = sum(item.get_closest_marker("both") is not None for item in items)
    if both and not postgres.programs() and connection.vendor == "sqlite":
        what = f"{both} tests on PostgreSQL (they ran on SQLite)"
        left_out.append(_missing("PostgreSQL", "postgresql", what))


def _missing(program: str, package: str, what: str) -> str:
    return f"{what}: no {program} here (Debian: apt-get install {package})"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of xdist tells what it left out to the process that prints it."""
    output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = session.config.stash.get(_left_out, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker collects every test, so that all tell the same."""
    told = getattr(node, "workeroutput", {}).get("left_out", [])
    node.config.stash[_left_out] = told or node.config.stash.get(_left_out, [])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if left_out := config.stash.get(_left_out, []):
        terminalreporter.section("LEFT OUT")
    for line in left_out:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Tables are emptied fast: that is done after each test, and took longer than most tests."""
    post_migrate.disconnect(create_contenttypes)
    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection.ops, "sql_flush", partial(_emptied, connection.ops.sql_flush))
        yield


def _emptied(
    sql_flush: Callable[..., list[str]], style: object, tables: list[str], **how: bool
) -> list[str]:
    """Types and permissions stay. PostgreSQL needs 1 ms to delete, 200 to truncate."""
    tables = [name for name in tables if name not in {"django_content_type", "auth_permission"}]
    if connection.vendor == "sqlite":
        return sql_flush(style, tables, **how)
    unbound = "SET LOCAL session_replication_role = replica"  # foreign keys in any order
    return [";".join([unbound, *(f'DELETE FROM "{name}"' for name in tables)])]


@pytest.fixture(autouse=True)
def _no_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast loop stays fast: its tests start no process, unless they are marked so."""
    room = request.node.path.relative_to(ROOT / "tests").parts[0]
    if room not in FAST or request.node.get_closest_marker("process"):
        return

    def started(*_: object, **__: object) -> None:
        raise AssertionError(
            "a test of the fast loop starts a process: mark it, or move it to site/"
        )

    monkeypatch.setattr(subprocess.Popen, "__init__", started)


@pytest.fixture(autouse=True)
def _empty_cache(request: pytest.FixtureRequest) -> None:
    """allauth counts tries in the cache table, which no rollback or flush empties by itself."""
    marker = request.node.get_closest_marker("django_db")
    asked = {"transactional_db", "live_server"} & set(request.fixturenames)
    if asked or (marker and marker.kwargs.get("transaction")):
        request.getfixturevalue("transactional_db")
        cache.clear()


@pytest.fixture
def fresh_environment(tmp_path: Path) -> dict[str, str]:
    """The environment for a child process: none of our settings but a folder of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "DATA_DIR": str(tmp_path / "data"), "PYTHONWARNINGS": "error"}


@pytest.fixture
def people(transactional_db: None) -> People:
    """Alice and her colleague Bob, and Charlie of another business; the journey writes for real."""
    return everybody()


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """How busy this machine is decides no test: requests wait for the vendor as long as it takes."""
    monkeypatch.setattr(runner, "HAND_OVER_TIMEOUT", 60)


@pytest.fixture
def scripted(settings: Settings) -> Scripted:
    """The only vendor on offer: it answers what the test says."""
    vendor = Scripted()
    settings.VENDORS = offered(vendor)
    return vendor


@pytest.fixture
def planned(settings: Settings) -> Planned:
    """The only vendor on offer, of the kind that staff set up."""
    vendor = Planned()
    settings.VENDORS = offered(vendor)
    return vendor


@pytest.fixture
def broker() -> Iterator[Redis]:
    """A Redis of our own; whoever asks for it is left out where there is none."""
    made = Redis()
    made.start()
    yield made
    made.stop()
    cache_backend.outage.retry_at, cache_backend.outage.changed = 0.0, set()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner's work is done when it is handed over: no test waits, none depends on luck."""
    monkeypatch.setattr(runner, "executor", AtOnce())
