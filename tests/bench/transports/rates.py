"""How many checks a second, and what each costs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from .engines import Engine
from .meter import Meter, Spent
from .shops import Shops

SETTLE = 4.0  # seconds until new workers have made their first looks
WARM_UP = 3.0  # seconds of work before a measurement
POLL = 0.2  # seconds
HEADINGS = (
    *("vendor", "workers", "engine", "checks/s", "CPU ms", "of PostgreSQL", "of Redis"),
    *("all CPU ms", "statements", "commits", "WAL bytes", "tries", "twice", "errors"),
)


@dataclass(frozen=True)
class Figures:
    vendor: int
    workers: int
    engine: str
    rate: float
    cpu: float
    postgres: float
    redis: float
    statements: float
    commits: float
    wal: float
    tries: float
    twice: int
    errors: int

    @classmethod
    def median(cls, several: Sequence[Figures]) -> Figures:
        """Of each figure by itself; of shops asked twice and of errors the sum."""
        first = several[0]
        middle = {
            name: statistics.median(getattr(each, name) for each in several)
            for name in (
                "rate",
                "cpu",
                "postgres",
                "redis",
                "statements",
                "commits",
                "wal",
                "tries",
            )
        }
        sums = {name: sum(getattr(each, name) for each in several) for name in ("twice", "errors")}
        return replace(first, **middle, **sums)

    def row(self) -> tuple[str, ...]:
        total = self.cpu + self.postgres + self.redis
        return (
            *(f"{self.vendor} ms", str(self.workers), self.engine, f"{self.rate:.0f}"),
            *(f"{each:.1f}" for each in (self.cpu, self.postgres, self.redis, total)),
            *(f"{self.statements:.1f}", f"{self.commits:.1f}", f"{self.wal:.0f}"),
            *(f"{self.tries:.2f}", str(self.twice), str(self.errors)),
        )


@dataclass
class Rates:
    """Measures one engine after the other. `seconds`: how long each measurement takes."""

    shops: Shops
    meter: Meter
    seconds: float
    idle: dict[tuple[str, int], Spent] = field(default_factory=dict)

    def measure(self, engine: Engine, vendor: int, workers: int) -> Figures:
        self.shops.rest()
        with self.shops.checkout.workers(engine.command, workers) as running:
            self.meter.workers = running.pids()
            time.sleep(SETTLE)
            idle = self._idle(engine, workers)
            self.meter.vendor.begin(vendor)
            count = self.shops.make_due()
            time.sleep(WARM_UP)
            claimed = self.shops.claimed()
            whole = self._spent(until=count)
            ahead = self.shops.claimed() - claimed
            errors = running.logged(" ERROR ", "Traceback")
        checks, own = whole.asked, whole.without(idle)
        if not checks:
            raise RuntimeError(f"{engine.name}: no check in {whole.seconds:.0f} s")
        return Figures(
            vendor=vendor,
            workers=workers,
            engine=engine.name,
            rate=checks / whole.seconds,
            cpu=whole.worker_cpu / checks * 1000,
            postgres=whole.postgres_cpu / checks * 1000,
            redis=whole.redis_cpu / checks * 1000,
            statements=own.statement_count / checks,
            commits=own.commits / checks,
            wal=whole.wal / checks,
            tries=own.tries(ahead) / checks,
            twice=self.meter.vendor.asked().twice,
            errors=errors,
        )

    def _idle(self, engine: Engine, workers: int) -> Spent:
        """What idle workers spend; measured once for each engine and number of workers."""
        key = engine.name, workers
        if key not in self.idle:
            self.idle[key] = self._spent()
        return self.idle[key]

    def _spent(self, until: int | None = None) -> Spent:
        began = self.meter.mark()
        while time.monotonic() - began.at < self.seconds:
            time.sleep(POLL)
            if until and self.meter.vendor.asked().shops >= until:
                break
        return Spent.between(began, self.meter.mark())


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
