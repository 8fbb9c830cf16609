"""A running web server for the attacks, and how long its pages take meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.support.site import WEB, Site
from vendors import sandbox

PAGES = ("/health/live", "/connectors/")
GIVE_UP = 5.0  # seconds until an unanswered request counts as such


@contextmanager
def web_server(folder: Path, command: list[str] = WEB, **env: str) -> Iterator[Site]:
    """A site without a worker: only its web server, of two processes."""
    stage = sandbox.start(folder / "sandbox")
    more = {"WEB_CONCURRENCY": "2", **env}
    site = Site(folder, stage, extra_env=more, commands={"web": command})
    try:
        site.prepare()
        site.start("web")
        yield site
    finally:
        site.stop()
        stage.stop()


@dataclass(frozen=True)
class Took:
    """How long requests of one page took, in seconds. Unanswered ones count as GIVE_UP."""

    seconds: list[float]
    failed: int

    def share(self, part: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * part), len(ordered) - 1)]

    @property
    def p50(self) -> float:
        return self.share(0.5)

    @property
    def p99(self) -> float:
        return self.share(0.99)


def measure(site: Site, path: str, seconds: float) -> Took:
    """Open this page again and again for so long, each time with a new connection."""
    end, took, failed = time.monotonic() + seconds, [], 0
    while not took or time.monotonic() < end:
        started = time.monotonic()
        try:
            page = requests.get(
                f"http://127.0.0.1:{site.port}{path}",
                headers={"Host": "localhost"},
                timeout=GIVE_UP,
            )
            failed += page.status_code != 200
        except requests.RequestException:
            failed += 1
        took.append(time.monotonic() - started)
        time.sleep(0.02)
    return Took(took, failed)
