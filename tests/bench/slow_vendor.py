"""Load test: page latency for everybody else while 300 merchants wait for a slow vendor.

    python -m tests.bench.slow_vendor [--merchants 300] [--seconds 10] [--postgres]

The merchants arrive within half a minute and are then all in the flow at once. In production their
browsers and the vendor run on other machines; here they are processes with a low priority (`nice`)
that share the site's cores. So the pages of a twin, a second site without merchants, are read at the
same time: it shows how much of the slowdown is due to the machine. The targets are ratios to the same
pages before and after the load.
Exit status 1: a target is missed (p50 ≤ 1.2×, p99 ≤ 5× or 100 ms, no error, all connected).
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import requests

from tests.bench.load import Shopper, create_shoppers
from tests.support import postgres
from tests.support.site import ROOT, Site, free_port, wait_until

VENDOR, CONNECTOR = "itembase", "itembase-ebay"
PAUSE = 0.1  # seconds between two page reads
QUIET = 45.0  # seconds of reading before the load, and again after it
NICENESS = 19  # of the processes that would run on other machines
SANDBOX = "import sys; from vendors import sandbox; sandbox.serve('127.0.0.1', int(sys.argv[1]), sys.argv[2])"


@dataclass
class PageReader:
    """Reads the pages of an uninvolved merchant one after the other and records the latency of each."""

    who: Shopper
    times: list[float] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        home = f"/m/{self.who.merchant}/"
        shop = self.who.get(home).text.partition(f"{home}shops/")[2][:10]
        pages = ["/", "/connectors/", home, f"{home}shops/{shop}/", f"{home}shops/{shop}/status/"]
        while not self._stop.wait(PAUSE):
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
    """The settings of a temporary PostgreSQL server; none for SQLite."""
    if not asked:
        yield {}
        return
    bin = postgres.programs() or sys.exit("There is no PostgreSQL on this machine.")
    with postgres.throwaway(bin) as address:
        yield {"DATABASE_URL": address}


@contextmanager
def site_with_sandbox(on_postgres: bool) -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as name, server(on_postgres) as more:
        folder, port = Path(name), free_port()
        (folder / "sandbox").mkdir()
        command = [sys.executable, "-c", SANDBOX, str(port), str(folder / "sandbox")]
        process = subprocess.Popen(["nice", f"-n{NICENESS}", *command], cwd=ROOT)
        stage: Any = SimpleNamespace(url=f"http://127.0.0.1:{port}")
        site = Site(folder, stage, extra_env={"WEB_CONCURRENCY": "2", **more})
        try:
            wait_until("the sandbox answers", lambda: _answers(stage.url))
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


@contextmanager
def reading(*shoppers: Shopper) -> Iterator[list[PageReader]]:
    """Read pages as each of them while the block runs."""
    readers = [PageReader(who) for who in shoppers]
    threads = [threading.Thread(target=each.run) for each in readers]
    for thread in threads:
        thread.start()
    try:
        yield readers
    finally:
        for each in readers:
            each.stop()
        for thread in threads:
            thread.join()


def run_load(merchants: list[Shopper], within: float) -> list[Shopper]:
    """Run the load in a process of its own. Returns the merchants with their results."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, initializer=os.nice, initargs=(NICENESS,)) as executor:
        return executor.submit(arrive, merchants, within).result()


def arrive(merchants: list[Shopper], within: float) -> list[Shopper]:
    """The merchants arrive evenly over `within` seconds; returns when all have finished."""
    going = [threading.Thread(target=one.connect, args=(CONNECTOR,)) for one in merchants]
    for thread in going:
        thread.start()
        time.sleep(within / len(going))
    for thread in going:
        thread.join()
    return merchants


def slow(site: Site, seconds: float) -> None:
    """Slow down every call of the vendor's API, but not its pages."""
    fault = {
        "vendor": VENDOR,
        "route": "*",
        "kind": "slow",
        "times": None,
        "params": {"seconds": seconds},
    }
    requests.post(f"{site.stage.url}/_control/fault", json=fault, timeout=5).raise_for_status()


def verdict(seen: dict[str, PageReader], merchants: list[Shopper]) -> bool:
    for name, each in seen.items():
        print(f"{name}: p50 {each.p50:.1f} ms, p99 {each.p99:.1f} ms ({len(each.times)} pages)")
    site, baseline, twin = seen["site"], seen["site without them"], seen["twin"]
    print(
        f"to without them: p50 {site.p50 / baseline.p50:.2f}x, p99 {site.p99 / baseline.p99:.2f}x"
    )
    print(f"to the twin: p50 {site.p50 / twin.p50:.2f}x, p99 {site.p99 / twin.p99:.2f}x")
    connected = sum(one.connected for one in merchants)
    durations = sorted(one.seconds for one in merchants)
    median = statistics.median(durations)
    print(
        f"connected: {connected} of {len(durations)}; median {median:.0f} s, last {durations[-1]:.0f} s"
    )
    errors = [error for one in (*merchants, site.who) for error in one.errors]
    print(f"errors: {len(errors)} {sorted(set(errors))[:5]}")
    fast = site.p50 <= 1.2 * baseline.p50 and (site.p99 <= 5 * baseline.p99 or site.p99 <= 100)
    return fast and connected == len(merchants) and not errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--merchants", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=10.0, help="an answer of the vendor takes")
    parser.add_argument("--within", type=float, default=30.0, help="seconds in which all come")
    parser.add_argument("--postgres", action="store_true", help="instead of SQLite")
    asked = parser.parse_args()
    with site_with_sandbox(asked.postgres) as site, site_with_sandbox(asked.postgres) as twin:
        *merchants, reader = create_shoppers(site, asked.merchants)
        *_, other = create_shoppers(twin, 0)
        with reading(reader, other):
            time.sleep(5)  # warms up
        with reading(reader, other) as before:
            time.sleep(QUIET)
        slow(site, asked.seconds)
        with reading(reader, other) as during:
            ended = run_load(merchants, asked.within)
        with reading(reader, other) as after:
            time.sleep(QUIET)
        for one, later in zip(before, after, strict=True):
            one.times += later.times
        names = ["site without them", "twin without them", "site", "twin"]
        passed = verdict(dict(zip(names, before + during, strict=True)), ended)
        if not passed:
            Path("slow_vendor.log").write_text(site.logs())
    sys.exit(0 if passed else "A target is missed.")


if __name__ == "__main__":
    main()
