"""A running web server for the attacks, and how long its pages take meanwhile."""

from __future__ import annotations

import atexit
import shutil
import tempfile
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


_prepared: list[Path] = []  # a data folder that the next site of this process begins with


class WebServer(Site):
    """A site without a worker: only its web server, which is ready when it is alive."""

    def prepare(self) -> None:
        """Migrating takes most of the time, so a SQLite file is made once."""
        if "DATABASE_URL" in self.extra_env:
            super().prepare()
            return
        if _prepared:
            shutil.copytree(_prepared[0], self.folder / "data")
            (self.folder / "mails").mkdir()
            return
        super().prepare()
        _prepared.append(Path(tempfile.mkdtemp(prefix="gangway-prepared-")) / "data")
        atexit.register(shutil.rmtree, _prepared[0].parent, ignore_errors=True)
        shutil.copytree(self.folder / "data", _prepared[0])

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
