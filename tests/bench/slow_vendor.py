"""A vendor that takes ten seconds an answer, a crowd in its flow, and the pages of everybody else.

    python -m tests.bench.slow_vendor [--merchants 300] [--seconds 10] [--postgres]

The same pages are read at the same pace before and during; only ratios count, because machines are
shared. The merchants come within half a minute and then are all in the flow at once.
Exit status 1: a target is missed (p50 ≤ 1.2×, p99 ≤ 5× or 100 ms, no error, all connected).
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import requests

from tests import postgres
from tests.bench.crowd import Shopper, crowd
from tests.site import ROOT, Site, free_port, until

VENDOR, CONNECTOR = "itembase", "itembase-ebay"
PACE = 0.1  # seconds between two pages of a reader
SANDBOX = "import sys; from vendors import sandbox; sandbox.serve('127.0.0.1', int(sys.argv[1]), sys.argv[2])"


@dataclass
class Readers:
    """Reads pages of an uninvolved merchant, one after the other, and keeps how long each took."""

    who: Shopper
    times: list[float] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        home = f"/m/{self.who.merchant}/"
        shop = self.who.get(home).text.partition(f"{home}shops/")[2][:10]
        pages = ["/", "/connectors/", home, f"{home}shops/{shop}/", f"{home}shops/{shop}/status/"]
        while not self._stop.wait(PACE):
            pages.append(pages.pop(0))
            began = time.perf_counter()
            self.who.get(pages[0])
            self.times.append((time.perf_counter() - began) * 1000)

    def stop(self) -> None:
        self._stop.set()

    @property
    def p50(self) -> float:
        return statistics.median(self.times)

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.times, n=100)[98]


@contextmanager
def server(asked: bool) -> Iterator[dict[str, str]]:
    """The settings of a PostgreSQL that lasts as long as the bench; none for SQLite."""
    if not asked:
        yield {}
        return
    bin = postgres.programs() or sys.exit("There is no PostgreSQL on this machine.")
    with postgres.throwaway(bin) as address:
        yield {"DATABASE_URL": address}


@contextmanager
def site_and_sandbox(folder: Path, more: dict[str, str]) -> Iterator[Site]:
    """The sandbox is a process of its own: its work must not slow the readers down."""
    port = free_port()
    (folder / "sandbox").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", SANDBOX, str(port), str(folder / "sandbox")], cwd=ROOT
    )
    stage: Any = SimpleNamespace(url=f"http://127.0.0.1:{port}")
    site = Site(folder, stage, more={"WEB_CONCURRENCY": "2", **more})
    try:
        until("the sandbox answers", lambda: _answers(stage.url))
        site.prepare()
        site.start()
        yield site
    finally:
        site.stop()
        process.terminate()
        process.wait(10)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.ConnectionError:
        return False


def read_for(who: Shopper, seconds: float) -> Readers:
    readers = Readers(who)
    thread = threading.Thread(target=readers.run)
    thread.start()
    time.sleep(seconds)
    readers.stop()
    thread.join()
    return readers


def rush(merchants: list[Shopper], reader: Shopper, within: float) -> tuple[Readers, float]:
    """They come one after the other `within` seconds, and are all there at once from then on.

    What the uninvolved reader saw meanwhile, and how long it took.
    """
    readers, began = Readers(reader), time.monotonic()
    reading = threading.Thread(target=readers.run)
    going = [threading.Thread(target=one.connect, args=(CONNECTOR,)) for one in merchants]
    reading.start()
    for thread in going:
        thread.start()
        time.sleep(within / len(going))
    for thread in going:
        thread.join()
    spent = time.monotonic() - began
    readers.stop()
    reading.join()
    return readers, spent


def slow(site: Site, seconds: float) -> None:
    """Every call of the vendor's API takes so long; its pages do not."""
    fault = {
        "vendor": VENDOR,
        "route": "*",
        "kind": "slow",
        "times": None,
        "params": {"seconds": seconds},
    }
    requests.post(f"{site.stage.url}/_control/fault", json=fault, timeout=5).raise_for_status()


def verdict(before: Readers, during: Readers, merchants: list[Shopper], spent: float) -> bool:
    connected = sum(one.connected for one in merchants)
    errors = [error for one in (*merchants, during.who) for error in one.errors]
    ways = sorted(one.seconds for one in merchants)
    print(
        f"other pages before: p50 {before.p50:.1f} ms, p99 {before.p99:.1f} ms ({len(before.times)})"
    )
    print(
        f"other pages during: p50 {during.p50:.1f} ms, p99 {during.p99:.1f} ms ({len(during.times)})"
    )
    print(f"ratios: p50 {during.p50 / before.p50:.2f}x, p99 {during.p99 / before.p99:.2f}x")
    median = statistics.median(ways)
    print(f"connected: {connected} of {len(merchants)} in {spent:.0f} s; median {median:.0f} s")
    print(f"errors: {len(errors)} {sorted(set(errors))[:5]}")
    fast = during.p50 <= 1.2 * before.p50 and (during.p99 <= 5 * before.p99 or during.p99 <= 100)
    return fast and connected == len(merchants) and not errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--merchants", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=10.0, help="an answer of the vendor takes")
    parser.add_argument("--within", type=float, default=30.0, help="seconds in which all come")
    parser.add_argument("--postgres", action="store_true", help="instead of SQLite")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        server(asked.postgres) as more,
        site_and_sandbox(Path(folder), more) as site,
    ):
        *merchants, reader = crowd(site, asked.merchants)
        read_for(reader, 5)  # warms up
        before = read_for(reader, 30)
        slow(site, asked.seconds)
        during, spent = rush(merchants, reader, asked.within)
        good = verdict(before, during, merchants, spent)
        if not good:
            Path("slow_vendor.log").write_text(site.logs())
    sys.exit(0 if good else "A target is missed.")


if __name__ == "__main__":
    main()
