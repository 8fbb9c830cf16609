"""`make demo`: every vendor can be played at once, and with LOG_FORMAT=json every line is an object."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from onboarding.models import Connector
from tests.support.site import ROOT, free_port, wait_until
from vendors import ALL, sandbox

SERVE = [sys.executable, "bin/serve.py", "--demo"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a fresh demo, and the file with everything that it prints."""
    folder, port = tmp_path_factory.mktemp("demo"), free_port()
    env = {"PATH": "/usr/bin:/bin", "DATA_DIR": str(folder / "data"), "PORT": str(port)}
    env |= {"LOG_FORMAT": "json", "WEB_CONCURRENCY": "1"}
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(SERVE, cwd=ROOT, env=env, stdout=out, stderr=out)
    try:
        wait_until("the demo is ready", lambda: "Gangway is ready" in log.read_text(), 240)
        yield f"http://localhost:{port}", log
    finally:
        process.terminate()
        process.wait(40)


def test_all_vendors_can_be_played_at_once(demo: tuple[str, Path]) -> None:
    address, _ = demo
    catalogue = requests.get(f"{address}/connectors/", timeout=30).text
    platforms = sorted(set(re.findall(r'href="(/connect/[^/"]+/)"', catalogue)))
    pages = "".join(requests.get(f"{address}{path}", timeout=30).text for path in platforms)
    said = pages.casefold()
    missing = [each.slug for each in ALL if f"through {each.name}".casefold() not in said]
    assert missing == []


def test_every_line_of_every_process_is_an_object(demo: tuple[str, Path]) -> None:
    lines = [json.loads(line) for line in demo[1].read_text().splitlines()]
    assert all(set(line) >= {"time", "level", "logger", "message"} for line in lines)
    assert {"check", "serve", "sandbox", "gunicorn.error"} <= {line["logger"] for line in lines}


def test_what_staff_of_a_demo_have_set_stays(
    tmp_path: Path, transactional_db: None, settings: Settings
) -> None:
    import vendors  # here: the vendors of this test alone

    stage = sandbox.start(tmp_path)
    settings.SANDBOX, settings.VENDORS = True, vendors.load(sandbox.environ(stage.url))
    try:
        call_command("demo")
        assert Connector.objects.get(vendor="capillary").ready
        Connector.objects.filter(vendor="capillary").update(options={"expiry": "60"})
        call_command("demo")
        assert Connector.objects.get(vendor="capillary").options == {"expiry": "60"}
    finally:
        stage.stop()


def test_a_real_site_is_never_filled_with_it(settings: Settings) -> None:
    settings.SANDBOX = False
    with pytest.raises(CommandError, match="SANDBOX=1"):
        call_command("demo")
