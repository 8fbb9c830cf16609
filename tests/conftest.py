"""What every test may ask for; and a closing line that says what a run left out."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from django.core.cache import cache
from pytest_django.fixtures import Settings

from onboarding import runner
from tests.people import People, everybody
from tests.scripted import Planned, Scripted, offered
from tests.visit import AtOnce

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
ROOT = Path(__file__).resolve().parent.parent
_left_out = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without Chromium the browser tests are left out, loudly; REQUIRE_BROWSER=1 forbids that."""
    browser = [item for item in items if item.get_closest_marker("browser")]
    if not browser or CHROMIUM:
        return
    if os.environ.get("REQUIRE_BROWSER") == "1":
        raise pytest.UsageError("REQUIRE_BROWSER=1, but there is no Chromium.")
    config.stash[_left_out] = len(browser)
    for item in browser:
        item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if count := config.stash.get(_left_out, 0):
        terminalreporter.section("LEFT OUT")
        line = f"{count} browser tests: no Chromium here (Debian: apt-get install chromium)"
        terminalreporter.write_line(line)


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
    monkeypatch.setattr(runner, "PATIENCE", 60)


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
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner's work is done when it is handed over: no test waits, none depends on luck."""
    monkeypatch.setattr(runner, "executor", AtOnce())
