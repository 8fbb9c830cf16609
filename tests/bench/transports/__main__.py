"""Three ways to share due rows between workers, measured in one run:

    python -m tests.bench.transports [--engines plain,celery,procrastinate] [--workers 1,2,4]
        [--vendor 0,100] [--seconds 10] [--repeats 3] [--shops 10000] [--due 3000]
        [--only rates,prompt,faults,fetch]

plain           what there is: each worker claims rows (SKIP LOCKED) and does them in its threads
celery          each worker claims rows and sends a message for each through Redis; any worker takes it
procrastinate   each worker claims rows and adds a job for each to a table; any worker takes it

rates    checks a second and what each costs; medians of the repeats
prompt   how long after a shop is due, and the workers are told so, the vendor is asked
faults   what a killed worker, an emptied Redis and a restarted PostgreSQL cost
fetch    how long procrastinate takes to find a due job among many that are due later

It needs PostgreSQL, Redis, and `pip install procrastinate==3.10.0` beside the requirements. All servers are
started here and thrown away. Measure on a quiet machine: all processes share its cores.
"""

from __future__ import annotations

import argparse
import signal
import sys
from itertools import product

import psycopg

from . import faults, fetch, prompt, rates
from .engines import ENGINES, Engine
from .meter import Meter
from .servers import DATABASE, Servers, servers


def _options() -> argparse.Namespace:
    def words(text: str) -> list[str]:
        return text.split(",")

    def numbers(text: str) -> list[int]:
        return [int(word) for word in words(text)]

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engines", type=words, default=list(ENGINES))
    parser.add_argument("--workers", type=numbers, default=[1, 2, 4])
    parser.add_argument("--vendor", type=numbers, default=[0, 100], help="milliseconds")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--repeats", type=int, default=3, help="of each measurement")
    parser.add_argument("--shops", type=int, default=10_000)
    parser.add_argument("--due", type=int, default=3_000, help="shops of each fault")
    parser.add_argument("--only", type=words, default=["rates", "prompt", "faults", "fetch"])
    return parser.parse_args()


def _rates(
    options: argparse.Namespace, made: Servers, engines: list[Engine]
) -> list[rates.Figures]:
    found = []
    with psycopg.connect(made.server, autocommit=True) as admin:
        meter = Meter(admin, DATABASE, made.vendor, redis=made.redis.pid)
        measuring = rates.Rates(made.shops, meter, options.seconds)
        for vendor, workers in product(options.vendor, options.workers):
            several = [
                _round(made, measuring, order, vendor, workers)
                for order in _orders(options, engines)
            ]
            for engine in engines:
                found.append(rates.Figures.median([each[engine.name] for each in several]))
                print(" | ".join(found[-1].row()), flush=True)
    return found


def _orders(options: argparse.Namespace, engines: list[Engine]) -> list[list[Engine]]:
    """The engines take turns, and another is first each time: what disturbs the machine disturbs all."""
    turns = [number % len(engines) for number in range(options.repeats)]
    return [engines[turn:] + engines[:turn] for turn in turns]


def _round(
    made: Servers, measuring: rates.Rates, engines: list[Engine], vendor: int, workers: int
) -> dict[str, rates.Figures]:
    found = {}
    for engine in engines:
        made.clean()
        found[engine.name] = measuring.measure(engine, vendor, workers)
    return found


def _faults(
    options: argparse.Namespace, made: Servers, engines: list[Engine]
) -> list[tuple[str, ...]]:
    found = []
    for fault in faults.FAULTS:
        for engine in filter(fault.hits, engines):
            found.append(faults.run(made, engine, fault, options.due))
            print(" | ".join(found[-1]), flush=True)
    return found


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = _options()
    engines = [ENGINES[name] for name in options.engines]
    tables = []
    with servers(options.shops) as made:
        if "rates" in options.only:
            rows = [each.row() for each in _rates(options, made, engines)]
            tables.append(rates.table(rates.HEADINGS, rows))
        if "prompt" in options.only:
            rows = [prompt.run(made, engine) for engine in engines]
            tables.append(rates.table(prompt.HEADINGS, rows))
            print(tables[-1], flush=True)
        if "faults" in options.only:
            tables.append(rates.table(faults.HEADINGS, _faults(options, made, engines)))
        if "fetch" in options.only:
            tables.append(rates.table(fetch.HEADINGS, fetch.run(made)))
    print("\n" + "\n\n".join(tables))


main()
