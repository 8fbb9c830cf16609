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


class WebServer(Site):
    """A site without a worker: only its web server, which is ready when it is alive."""

    def _ready(self) -> bool:
        assert all(each.poll() is None for each in self.processes.values()), self.logs()[-3000:]
        try:
            return requests.get(f"{self.url}/health/live", timeout=5).ok
        except requests.RequestException:
            return False


@contextmanager
def web_server(folder: Path, **env: str) -> Iterator[Site]:
    """A web server, of two processes if WEB_CONCURRENCY says nothing else."""
    stage = sandbox.start(folder / "sandbox")
    more = {"WEB_CONCURRENCY": "2", **env}
    site = WebServer(folder, stage, extra_env=more, commands={"web": WEB})
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
    took: list[float] = []
    end, failed = time.monotonic() + seconds, 0
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
