"""How many checks a second, and what each costs: workers × vendor × database."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from statistics import fmean

from .far_database import ROUND_TRIP
from .meter import Meter, Spent
from .shops import Shops

SETTLE = (
    4.0  # seconds until new workers have made their first looks and the periodic work of a start
)
WARM_UP = 3.0  # seconds of work before a measurement
POLL = 0.2  # seconds
LOOP = 20_000  # rounds of the loop that says how fast the machine is at the moment
MOST_TRIES = 1.1
MOST_CPU_GROWTH = 1.15
LEAST_RATE = 100.0
MOST_STATEMENTS, MOST_COMMITS = 12, 3
AT_THE_MARKS = 1.03  # what is under way at the two marks is counted in part
# One worker makes LEAST_RATE with the vendor at so many milliseconds, and the database there.
FAST = {(0, "near"), (100, "near"), (100, "far")}


@dataclass(frozen=True)
class Cell:
    """So many workers, a vendor that answers after `vendor` milliseconds, a database "near" or "far"."""

    vendor: int
    database: str
    workers: int

    @property
    def order(self) -> tuple[int, bool, int]:
        return self.vendor, self.database == "far", self.workers


@dataclass(frozen=True)
class Figures:
    """Of one cell, for each check. `cpu` and `postgres` are in milliseconds, `wal` in bytes.

    `rate` is checks a second; `look` is what PostgreSQL takes for a look, in milliseconds. `twice` is how
    many shops were asked more than once, `faults` how many errors the workers logged. `loop` is the CPU
    of a loop that ran beside the workers now and then, in milliseconds.
    """

    checkout: str
    cell: Cell
    checks: int
    rate: float
    tries: float
    cpu: float
    postgres: float
    statements: float
    commits: float
    transactions: float
    wal: float
    look: float
    twice: int
    faults: int
    loop: float

    @property
    def loops(self) -> float:
        """The CPU of a check, of workers and PostgreSQL, in loops: a machine that slows down changes both."""
        return (self.cpu + self.postgres) / self.loop


@dataclass
class Rates:
    """Measures the cells on one checkout. `seconds`: how long each measurement takes."""

    shops: Shops
    meter: Meter
    seconds: float
    _idle: dict[int, Spent] = field(default_factory=dict)  # by the number of workers

    def measure(self, cell: Cell) -> Figures:
        """Let the workers start, make all shops due, let them warm up, and measure between two marks.

        Statements, commits and tries are those that idle workers do not make. CPU and WAL are all.
        """
        self.shops.rest()
        vendor = self.meter.vendor
        with self.shops.checkout.workers(cell.workers, far=cell.database == "far") as pids:
            self.meter.workers = pids
            time.sleep(SETTLE)
            idle = self._idle_spending(cell.workers)
            vendor.begin(cell.vendor)
            count = self.shops.make_due()
            time.sleep(WARM_UP)
            spent, loop = self._spending(self.seconds, until=count)
        return self._figures(cell, spent, spent.without(idle), loop)

    def _idle_spending(self, workers: int) -> Spent:
        """Measured once for each number of workers: what they do once a second is the same everywhere."""
        if workers not in self._idle:
            idle, _ = self._spending(self.seconds)
            self._idle[workers] = idle
            print(f"{workers} idle workers: {_each_second(idle)}", flush=True)
        return self._idle[workers]

    def _spending(self, seconds: float, until: int | None = None) -> tuple[Spent, float]:
        """What is spent in so many seconds, or until so many shops were asked; and the ms of the loop."""
        began, loops = self.meter.mark(), list[float]()
        while time.monotonic() - began.at < seconds:
            time.sleep(POLL)
            loops.append(_loop_ms())
            if until and self.meter.vendor.asked().shops >= until:
                break
        return Spent.between(began, self.meter.mark()), fmean(loops)

    def _figures(self, cell: Cell, whole: Spent, own: Spent, loop: float) -> Figures:
        checks = whole.asked
        if not checks:
            raise RuntimeError(f"no check in {whole.seconds:.0f} s: {cell}")
        return Figures(
            checkout=self.shops.checkout.name,
            cell=cell,
            checks=checks,
            rate=checks / whole.seconds,
            tries=own.tries / checks,
            cpu=whole.worker_cpu / checks * 1000,
            postgres=whole.postgres_cpu / checks * 1000,
            statements=own.statement_count / checks,
            commits=own.commits / checks,
            transactions=own.transactions / checks,
            wal=whole.wal / checks,
            look=whole.look_ms,
            twice=self.meter.vendor.asked().twice,
            faults=self.shops.checkout.logged(" ERROR ", "Traceback"),
            loop=loop,
        )


def _loop_ms() -> float:
    """The CPU that a fixed piece of Python takes now, in milliseconds."""
    began = time.thread_time()
    for number in range(LOOP):
        str(number)
    return (time.thread_time() - began) * 1000


def _each_second(idle: Spent) -> str:
    cpu, postgres = idle.worker_cpu / idle.seconds, idle.postgres_cpu / idle.seconds
    statements = idle.statement_count / idle.seconds
    return (
        f"{cpu * 1000:.0f} ms of CPU a second, {postgres * 1000:.0f} ms of PostgreSQL,"
        f" {statements:.0f} statements"
    )


# -- what is asked of them -------------------------------------------------------------------------


def missed(found: Sequence[Figures]) -> Iterator[str]:
    """The bounds that the figures of one checkout miss, in words."""
    for each in found:
        yield from _missed_in_each(each)
        if each.cell.workers == 1:
            yield from _missed_by_one_worker(each)
    ordered = sorted(found, key=lambda each: each.cell.order)
    for _, cells in groupby(ordered, key=lambda each: each.cell.order[:2]):
        yield from _missed_by_growth(list(cells))


def _missed_in_each(each: Figures) -> Iterator[str]:
    if each.tries > MOST_TRIES:
        yield f"{named(each.cell)}: {each.tries:.2f} tries a check, more than {MOST_TRIES}"
    if each.twice:
        yield f"{named(each.cell)}: {each.twice} shops were asked twice"
    if each.faults:
        yield f"{named(each.cell)}: the workers logged {each.faults} errors"


def _missed_by_one_worker(each: Figures) -> Iterator[str]:
    """What does not depend on how many workers share the cores of this machine."""
    if (each.cell.vendor, each.cell.database) in FAST and each.rate < LEAST_RATE:
        yield f"{named(each.cell)}: {each.rate:.0f} checks a second, less than {LEAST_RATE:.0f}"
    if each.statements > MOST_STATEMENTS * AT_THE_MARKS:
        yield f"{named(each.cell)}: {each.statements:.1f} statements a check, more than {MOST_STATEMENTS}"
    if each.commits > MOST_COMMITS * AT_THE_MARKS:
        yield f"{named(each.cell)}: {each.commits:.1f} commits a check, more than {MOST_COMMITS}"


def _missed_by_growth(cells: Sequence[Figures]) -> Iterator[str]:
    """More workers may not make a check dearer, to the workers and PostgreSQL together.

    The cells are measured minutes apart, and a virtual machine's speed may change by a half in a second.
    """
    fewest = cells[0]
    for each in cells[1:]:
        growth = each.loops / fewest.loops
        if growth > MOST_CPU_GROWTH:
            yield (
                f"{named(each.cell)}: {growth:.2f}× the CPU a check of {fewest.cell.workers} workers,"
                f" more than {MOST_CPU_GROWTH}×"
            )


def named(cell: Cell) -> str:
    return f"{cell.workers} workers, vendor {cell.vendor} ms, database {cell.database}"


# -- the table -------------------------------------------------------------------------------------

HEADINGS = (
    *("vendor", "database", "workers", "checkout", "checks/s", "tries", "CPU ms", "of PostgreSQL"),
    *("loop ms", "statements", "commits", "transactions", "WAL bytes", "look ms", "twice"),
)


def table(found: Sequence[Figures]) -> str:
    """All cells, as a table in Markdown; the checkouts below each other."""
    rows = [HEADINGS, tuple("---" for _ in HEADINGS)]
    for each in sorted(found, key=lambda each: each.cell.order):
        rows.append(_row(each))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(each: Figures) -> tuple[str, ...]:
    cell = each.cell
    far = f"{ROUND_TRIP} ms away" if cell.database == "far" else "near"
    return (
        f"{cell.vendor} ms",
        far,
        str(cell.workers),
        each.checkout,
        f"{each.rate:.0f}",
        f"{each.tries:.2f}",
        f"{each.cpu:.1f}",
        f"{each.postgres:.1f}",
        f"{each.loop:.2f}",
        f"{each.statements:.1f}",
        f"{each.commits:.1f}",
        f"{each.transactions:.1f}",
        f"{each.wal:.0f}",
        f"{each.look:.2f}",
        str(each.twice),
    )
