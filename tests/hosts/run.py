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
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.hosts import counting, installation, network
from tests.hosts.counting import Asked, Shop, Trouble
from tests.hosts.host import Host
from tests.hosts.installation import Installation
from tests.hosts.merchants import Crowd, Merchant
from tests.support.site import wait_until

PERIOD = 120.0  # seconds between two checks of a shop
HOUR = 3600.0
LEASE = 40.0
SLOW = 1.5  # seconds for a vendor's answer, so that some calls are under way
RECOVERY = 10.0  # seconds after a trouble
VENDORS = ("celigo", "itembase", "celigo", "sharespine")
COLUMNS = (
    ("host", 9), ("trouble", 22), ("merchants", 9), ("lost", 4), ("twice", 5), ("checks", 6),
    ("lost", 4), ("twice", 5), ("again", 5), ("future", 6), ("doubled", 7), ("taken over", 10),
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A kind of trouble: how it begins and ends, and how long it lasts on a web host and on a worker."""

    name: str
    begin: Callable[[Host], None]
    end: Callable[[Host], None]
    lasts: dict[str, float]
    loses_answers: bool = True
    must_say: str = ""  # what /health/ready has to name within a minute, of a worker or of both


KINDS = (
    Kind("killed", Host.kill, Host.start, {"web": 15, "worker": 75}, must_say="worker"),
    Kind("stopped", Host.stop, Host.go_on, {"web": 60, "worker": 60}),
    Kind(
        "an hour ahead, and back",
        lambda host: host.set_clock(HOUR),
        lambda host: host.set_clock(),
        {"web": 60, "worker": 60},
        loses_answers=False,
        must_say="clock",
    ),
    Kind(
        "cut off",
        lambda host: network.cut(host.name),
        lambda host: network.mend(host.name),
        {"web": 60, "worker": 60},
    ),
)


@dataclass
class Run:
    made: Installation
    crowd: Crowd
    troubles: list[Trouble] = field(default_factory=list)
    began: float = field(default_factory=time.time)

    def go_through(self, host: Host, kind: Kind, lasts: float) -> Trouble:
        """One trouble of one host, from its begin to when the others had time to make up for it."""
        if host.does == "worker":
            wait_until(f"{host.name} checks a shop", lambda: self._is_checking(host))
        trouble = Trouble(host.name, host.address, kind.name, kind.loses_answers, time.time())
        self.troubles.append(trouble)
        kind.begin(host)
        self._watch(trouble, lasts)
        kind.end(host)
        trouble.ended = time.time()
        self.made.wait_for(host)
        self._watch(trouble, RECOVERY)
        trouble.until = time.time()
        trouble.future = self._future() - sum(each.future for each in self.troubles)
        return trouble

    def _is_checking(self, host: Host) -> bool:
        keys = {shop.key for shop in self.shops()}
        return any(
            call.peer == host.address and call.ended is None
            and call.thing.rpartition("/")[2] in keys
            for call in self.made.calls()
        )  # fmt: skip

    def _watch(self, trouble: Trouble, seconds: float) -> None:
        """Note whatever /health/ready of the web hosts says beside "ok"."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 2.0))
            for host in self.made.hosts.values():
                checks = self.made.health(host) if host.does == "web" else {}
                for check, said in checks.items():
                    if said != "ok":
                        text = f"{host.name}: {check}: {_without_figures(said)}"
                        trouble.said.setdefault(text, time.time() - trouble.began)

    def _future(self) -> int:
        rows = self.made.database.execute(counting.FUTURE, {"period": PERIOD})
        return int((rows.fetchone() or {"rows": 0})["rows"])

    def shops(self) -> list[Shop]:
        return [Shop(**row) for row in self.made.rows(counting.SHOPS)]


def _without_figures(text: str) -> str:
    return "".join("#" if character.isdigit() else character for character in text)


# -- the verdict ---------------------------------------------------------------------------------------


@dataclass
class Verdict:
    """Everything that was counted once the last merchant was done."""

    run: Run
    asked: list[Asked]
    doubled: list[float]
    faults: dict[str, list[str]]  # merchant → what is wrong

    @classmethod
    def of(cls, run: Run) -> Verdict:
        made = run.made
        until = time.time()
        asked = counting.asked(run.shops(), made.calls(), run.troubles, PERIOD, until)
        doubled = [row["at"].timestamp() for row in made.rows(counting.DOUBLED)]
        return cls(run, [each for each in asked if each.due > run.began], doubled, _faults(run))

    def row(self, trouble: Trouble) -> list[str]:
        merchants = [each for each in self.run.crowd.came if _were_there(each, trouble)]
        faults = [word for each in merchants for word in self.faults[each.name]]
        checks = [each for each in self.asked if trouble.covers(each.due)]
        taken = counting.taken_over_after(trouble, self.run.shops(), self.run.made.calls())
        numbers = [
            len(merchants),
            sum(word.startswith("lost") for word in faults),
            sum(word.startswith("twice") for word in faults),
            len(checks),
            sum(each.lost for each in checks),
            sum(each.twice for each in checks),
            sum(each.again for each in checks),
            trouble.future,
            sum(trouble.covers(at) for at in self.doubled),
        ]
        last = f"{max(taken):.0f} s" if taken and trouble.loses_answers else "–"
        return [trouble.host, trouble.what, *map(str, numbers), last]

    def problems(self) -> Iterable[str]:
        for name, words in self.faults.items():
            yield from (f"merchant {name}: {word}" for word in words)
        yield from self.run.crowd.failures
        for each in self.asked:
            if each.lost or each.twice:
                times = [f"{call.peer} {call.began - each.due:+.1f} s" for call in each.calls]
                yield f"shop {each.shop.pk}, due at {_clock(each.due)}: asked {times or 'never'}"
        for at in self.doubled:
            yield f"an event was written twice at {_clock(at)}"
        for trouble in self.run.troubles:
            yield from self._problems_of(trouble)

    def _problems_of(self, trouble: Trouble) -> Iterable[str]:
        where = f"{trouble.host} {trouble.what}"
        if trouble.future:
            yield f"{where}: {trouble.future} moments lie in the future"
        taken = counting.taken_over_after(trouble, self.run.shops(), self.run.made.calls())
        if trouble.loses_answers and any(seconds > LEASE + 5 for seconds in taken):
            yield f"{where}: a row was taken over after {max(taken):.0f} s"
        kind = next(kind for kind in KINDS if kind.name == trouble.what)
        is_about = kind.must_say == "clock" or trouble.host.startswith("worker")
        if kind.must_say and is_about and not _says(trouble, kind.must_say):
            yield f"{where}: /health/ready named no {kind.must_say} that is wrong"


def _says(trouble: Trouble, word: str) -> bool:
    return any(
        word in text.partition(": ")[2] and after <= 75 for text, after in trouble.said.items()
    )


def _were_there(merchant: Merchant, trouble: Trouble) -> bool:
    ended = merchant.began + merchant.seconds if merchant.connected else counting.NEVER
    return merchant.began < trouble.until and ended > trouble.began


def _clock(moment: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(moment))


def _faults(run: Run) -> dict[str, list[str]]:
    """Who is not set up, or has more or fewer things at the vendor than one shop needs."""
    there = run.made.at_vendors()
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in run.made.rows(counting.OF_MERCHANTS):
        rows.setdefault(row["merchant"], []).append(row)
    return {
        each.name: list(_faults_of(each, rows[each.merchant], there)) for each in run.crowd.came
    }


def _faults_of(
    merchant: Merchant, rows: list[dict[str, Any]], there: dict[str, Any]
) -> Iterable[str]:
    if len(rows) != 1:
        yield f"twice: {len(rows)} shops"
    row = rows[0]
    if row["status"] != merchant.kills.status_after("connect"):
        yield f"lost: the shop is {row['status']} ({row['answer']})"
    if row["announced"] or row["unsure"]:
        yield f"lost: {row['announced'] or row['unsure']} is unsure"
    # Any: the vendors' tests name only what they use of a merchant of theirs
    who: Any = merchant
    made = merchant.kills.inspect(
        there[merchant.vendor], who, {"key": row["account_key"]}, {**row, "connector": ""}
    )
    for kind, wanted in merchant.kills.one.items():
        if (count := made.counts.get(kind, 0)) != wanted:
            yield f"{'twice' if count > wanted else 'lost'}: {count} {kind}"
    if any(theirs != ours for theirs, ours in made.ids):
        yield f"lost: the ids differ: {made.ids}"
    yield from (f"lost: a page answered {error}" for error in merchant.errors)


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


# -- the run -------------------------------------------------------------------------------------------


def chosen(made: Installation, only: str, name: str) -> Iterable[tuple[Host, Kind]]:
    for host in reversed(made.hosts.values()):
        for kind in KINDS:
            if host.name.startswith(only) and kind.name.startswith(name):
                yield host, kind


def carry_out(made: Installation, asked: argparse.Namespace) -> Verdict:
    cases = list(chosen(made, asked.only, asked.trouble))
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
        print(f"{_clock(time.time())} {host.name} {kind.name}", flush=True)
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
    if lacks := installation.missing():
        sys.exit(f"NOT RUN: this needs {lacks}.")
    with installation.installation(CHECK_PERIOD=f"{PERIOD:.0f}s") as made:
        verdict = carry_out(made, asked)
        print_table(verdict)
        problems = list(verdict.problems())
        print("\n".join(problems[:100]))
        if problems:
            keep_logs(made)
    sys.exit(f"{len(problems)} problems" if problems else 0)


def keep_logs(made: Installation) -> None:
    logs = [f"==== {host.name}\n{host.log.read_text()}" for host in made.hosts.values()]
    Path("hosts.log").write_text("".join(logs))


if __name__ == "__main__":
    main()
