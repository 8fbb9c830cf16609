"""Bench of the background engine on PostgreSQL, with real `manage.py worker` processes, from outside.

    python -m tests.bench.engine [--workers 1,2,4,8] [--vendor 0,100] [--database near,far]
        [--seconds 10] [--shops 20000] [--due 1000000] [--only rates,once,look,prompt]
        [--tree PATH …] [--setting NAME=VALUE …]

Everything is started here and thrown away: a PostgreSQL, a vendor that costs nothing (quick_vendor.py) and
a proxy that puts the database 2.5 ms away (far_database.py). The shops are connected, and their checks
find nothing new (shops.py). Four parts, each with bounds; exit status 1: this checkout misses one.

rates   checks a second and what a check costs, for each number of workers, vendor and database (rates.py)
once    10,000 due shops and 8 workers: none is asked twice in a period, and how long all take (once.py)
look    one look at a million due shops (look.py)
prompt  how long after a shop is due its check is begun (prompt.py)

`--tree` names checkouts to measure, one after the other, such as an older one and `.`, which is this one
and the default. Tables show them below each other; only this one has to keep the bounds. `--setting`
is for all workers, such as LOG_FORMAT=json. Measure on a quiet machine: vendor,
proxy, PostgreSQL and workers share its cores.

tries       how often a worker begins on a row, for each call that reaches the vendor: the claims that it
            writes in its look, or its tries to take the lease of the row's account (meter.py)
CPU ms      of all workers together; beside it that of PostgreSQL. Both with what idle workers use
loop ms     CPU of a loop of Python that the bench runs now and then: how fast the machine was. The CPU of
            one number of workers is compared with another's in such loops
statements  without BEGIN, COMMIT and ROLLBACK, and without what idle workers execute in the same time
commits     of transactions that write; without those of idle workers
transactions  as PostgreSQL counts them (xact_commit): with those that only read, each single statement, and
            each time the pool tries a connection; without those of idle workers
WAL bytes   without full page images, as between two checkpoints
look ms     what PostgreSQL takes for one look at what is due
twice       shops that were asked more than once
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.support import postgres
from tests.support.site import ROOT

from . import look, once, prompt, rates
from .checkout import Checkout, at, create_database
from .far_database import far_database
from .meter import Meter
from .quick_vendor import QuickVendor, quick_vendor
from .shops import Shops

# As on a server, but that the data need not survive a crash of the machine. Nothing happens by itself
# during a measurement: neither a checkpoint nor a vacuum.
OPTIONS = (
    "unix_socket_directories=", "max_connections=300",
    "shared_preload_libraries=pg_stat_statements", "shared_buffers=512MB", "fsync=off",
    "checkpoint_timeout=1d", "max_wal_size=64GB", "autovacuum=off",
)  # fmt: skip
PARTS = ("rates", "once", "look", "prompt")


@dataclass(frozen=True)
class Options:
    workers: list[int]
    vendor: list[int]
    database: list[str]
    seconds: float
    shops: int
    due: int
    only: list[str]
    tree: list[Path]
    setting: dict[str, str]

    @property
    def cells(self) -> list[rates.Cell]:
        combined = product(self.vendor, self.database, self.workers)
        return [rates.Cell(vendor, database, workers) for vendor, database, workers in combined]


@dataclass
class Bench:
    """The servers, which all checkouts share, each with a database of its own."""

    options: Options
    folder: Path
    server: str  # address of PostgreSQL
    proxy: int  # port of the proxy in front of it
    vendor: QuickVendor
    admin: psycopg.Connection[tuple[object, ...]]
    figures: list[rates.Figures] = field(default_factory=list)
    said: list[str] = field(default_factory=list)  # what the other parts found
    missed: list[str] = field(default_factory=list)  # bounds that this checkout misses

    def measure(self, number: int, path: Path) -> None:
        """Run all parts on one checkout."""
        checkout = self._checkout(f"bench_{number}", path)
        checkout.prepare()
        if {"rates", "once", "prompt"} & set(self.options.only):
            shops = Shops.seed(checkout, self.options.shops)
            meter = Meter(self.admin, f"bench_{number}", self.vendor)
            self._run("rates", checkout, partial(self._rates, shops, meter))
            self._run("once", checkout, partial(once.run, shops, self.vendor))
            self._run("prompt", checkout, partial(prompt.run, shops, self.vendor))
        self._run("look", checkout, partial(self._look, number, path))

    def _checkout(self, database: str, path: Path, **more: str) -> Checkout:
        create_database(self.server, database)
        return Checkout(
            name=_version(path),
            path=path,
            folder=self.folder / database,
            near=at(self.server, database),
            far=at(self.server, database, self.proxy),
            vendor_url=self.vendor.url,
            more={**self.options.setting, **more},
        )

    def _run(self, part: str, checkout: Checkout, measure: Callable[[], Sequence[str]]) -> None:
        """Run a part, unless it is left out. `measure` returns the bounds that were missed."""
        if part not in self.options.only:
            return
        print(f"\n{part}: {checkout.name}", flush=True)
        missed = measure()
        for each in missed:
            print(f"missed: {each}", flush=True)
        if checkout.path == ROOT:
            self.missed += missed

    def _rates(self, shops: Shops, meter: Meter) -> list[str]:
        measuring = rates.Rates(shops, meter, self.options.seconds)
        found = []
        for cell in self.options.cells:
            found.append(measuring.measure(cell))
            print(rates.table(found[-1:]).splitlines()[-1], flush=True)
        self.figures += found
        return list(rates.missed(found))

    def _look(self, number: int, path: Path) -> list[str]:
        checkout = self._checkout(f"bench_{number}_look", path, **look.environ())
        checkout.prepare()
        return look.run(checkout, self.options.due)


def _version(path: Path) -> str:
    """What git calls the state of this checkout."""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    return subprocess.run(command, cwd=path, capture_output=True, text=True, check=True).stdout[:-1]


@contextmanager
def bench(options: Options) -> Iterator[Bench]:
    bin = postgres.programs() or sys.exit("There is no PostgreSQL on this machine.")
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="gangway-bench-"))
        server = stack.enter_context(postgres.throwaway(bin, options=OPTIONS))
        admin = stack.enter_context(psycopg.connect(server, autocommit=True))
        admin.execute("CREATE EXTENSION pg_stat_statements")
        port = urlsplit(server).port
        assert port
        proxy = stack.enter_context(far_database(port))
        vendor = stack.enter_context(quick_vendor())
        yield Bench(options, Path(folder), server, proxy, vendor, admin)


def _options() -> Options:
    def words(text: str) -> list[str]:
        return text.split(",")

    def numbers(text: str) -> list[int]:
        return [int(word) for word in words(text)]

    def setting(text: str) -> tuple[str, str]:
        name, _, value = text.partition("=")
        return name, value

    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("--workers", type=numbers, default=[1, 2, 4, 8])
    parser.add_argument("--vendor", type=numbers, default=[0, 100], help="milliseconds")
    parser.add_argument("--database", type=words, default=["near", "far"])
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--shops", type=int, default=20_000)
    parser.add_argument("--due", type=int, default=1_000_000, help="shops of the look")
    parser.add_argument("--only", type=words, default=list(PARTS), help="some of the parts")
    parser.add_argument("--tree", type=Path, nargs="+", default=[ROOT], help="checkouts")
    parser.add_argument("--setting", type=setting, nargs="+", default=[], help="NAME=VALUE")
    found = parser.parse_args()
    if unknown := {*found.only} - {*PARTS} | {*found.database} - {"near", "far"}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    found.setting = dict(found.setting)
    found.tree = [path.resolve() for path in found.tree]
    return Options(**vars(found))


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = _options()
    with bench(options) as measuring:
        for number, path in enumerate(options.tree, 1):
            measuring.measure(number, path)
    if measuring.figures:
        print(f"\n{rates.table(measuring.figures)}")
    sys.exit("A bound is missed." if measuring.missed else 0)


if __name__ == "__main__":
    main()
