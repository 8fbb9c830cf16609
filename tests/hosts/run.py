"""The proof on several hosts: two for the web and two for workers on one PostgreSQL, in trouble in turn.

    python -m tests.hosts.run [--only worker-1] [--trouble killed] [--shops 60] [--crowd 3]

Each host has a network namespace, a clock and processes of its own. While merchants connect shops without
pause and connected shops are checked every two minutes, each host is killed and started again, stopped for
a minute, set an hour ahead and back, and cut off the network for a minute. Exit status 1: something was lost
or done twice, a moment is wrong, or nobody said what was wrong. It takes about 20 minutes, and needs root.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from tests.hosts import installation, needs
from tests.hosts.host import Host
from tests.hosts.installation import Installation
from tests.hosts.merchants import Crowd
from tests.hosts.troubles import KINDS, PERIOD, RECOVERY, Kind, Run
from tests.hosts.verdict import Verdict, clock

SLOW = 1.5  # seconds for a vendor's answer, so that some calls are under way
VENDORS = ("celigo", "itembase", "celigo", "sharespine")
COLUMNS = (
    ("host", 9), ("trouble", 23), ("merchants", 9), ("lost", 4), ("twice", 5), ("checks", 6),
    ("lost", 4), ("twice", 5), ("again", 5), ("future", 6), ("doubled", 7), ("taken over", 10),
)  # fmt: skip


def print_table(verdict: Verdict) -> None:
    rows = [[name for name, _ in COLUMNS], *map(verdict.row, verdict.run.troubles)]
    for row in rows:
        cells = [
            cell.ljust(width) if number < 2 else cell.rjust(width)
            for number, (cell, (_, width)) in enumerate(zip(row, COLUMNS, strict=True))
        ]
        print("  ".join(cells))
    print("merchants: lost, twice; checks of connected shops: lost, twice, again; events: doubled")
    for trouble in verdict.run.troubles:
        for text, after in trouble.said.items():
            print(f"  {trouble.host} {trouble.what}, after {after:.0f} s: {text}")


def chosen(made: Installation, only: str, name: str) -> Iterable[tuple[Host, Kind]]:
    for host in reversed(made.hosts.values()):
        for kind in KINDS:
            if host.name.startswith(only) and kind.name.startswith(name):
                yield host, kind


def carry_out(made: Installation, asked: argparse.Namespace) -> Verdict:
    cases = list(chosen(made, asked.only, asked.trouble))
    assert cases, "no host or no trouble has such a name"
    seconds = sum(kind.lasts[host.does] + RECOVERY + 20 for host, kind in cases)
    first = Crowd(iter(made.invite("s", asked.shops, "celigo")), at_once=6)
    crowd = Crowd(
        iter(made.invite("m", int(seconds * asked.crowd / 4) + 10, *VENDORS)), asked.crowd
    )
    made.start()
    first.start()
    first.wait()
    assert not first.failures, first.failures
    made.slow_vendor("celigo", SLOW)
    run = Run(made, crowd)
    crowd.start()
    for host, kind in cases:
        print(f"{clock(time.time())} {host.name} {kind.name}", flush=True)
        run.go_through(host, kind, kind.lasts[host.does])
    crowd.finish()
    time.sleep(max(run.troubles[-1].until + PERIOD / 2 - time.time(), 0))
    return Verdict.of(run)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="the hosts whose names begin so")
    parser.add_argument("--trouble", default="", help="the troubles whose names begin so")
    parser.add_argument("--shops", type=int, default=60, help="connected shops that are checked")
    parser.add_argument("--crowd", type=int, default=3, help="merchants at any one time")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if lacks := needs.missing():
        sys.exit(f"NOT RUN: this needs {lacks}.")
    with installation.installation(CHECK_PERIOD=f"{PERIOD:.0f}s") as made:
        verdict = carry_out(made, asked)
        print_table(verdict)
        problems = list(verdict.problems())
        print("\n".join(problems[:100]) or "Nothing was lost, and nothing was done twice.")
        if problems:
            keep_logs(made)
    sys.exit(f"{len(problems)} problems" if problems else 0)


def keep_logs(made: Installation) -> None:
    logs = [f"==== {host.name}\n{host.log.read_text()}" for host in made.hosts.values()]
    Path("hosts.log").write_text("".join(logs))


if __name__ == "__main__":
    main()
