"""The verdict on a run: what was lost, done twice, dated wrongly or not said."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.hosts import counting
from tests.hosts.counting import Asked, Trouble
from tests.hosts.installation import Installation
from tests.hosts.merchants import Crowd, Merchant
from tests.hosts.troubles import KINDS, PERIOD, Run

LEASE = 40.0
LOOK = 5.0  # seconds from the end of a lease until the row is certainly begun


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
        return cls(
            run,
            [each for each in asked if each.due > run.began],
            doubled,
            faults(run.made, run.crowd),
        )

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
            trouble.future.total(),
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
                yield f"shop {each.shop.pk}, due at {clock(each.due)}: asked {times or 'never'}"
        for at in self.doubled:
            yield f"an event was written twice at {clock(at)}"
        for trouble in self.run.troubles:
            yield from self._problems_of(trouble)

    def _problems_of(self, trouble: Trouble) -> Iterable[str]:
        where = f"{trouble.host} {trouble.what}"
        for column, count in trouble.future.items():
            yield f"{where}: {count} × {column} lies in the future"
        taken = counting.taken_over_after(trouble, self.run.shops(), self.run.made.calls())
        if trouble.loses_answers and any(seconds > LEASE + LOOK for seconds in taken):
            yield f"{where}: a row was taken over after {max(taken):.0f} s"
        kind = next(kind for kind in KINDS if kind.name == trouble.what)
        if kind.must_say and not _says(trouble, kind.must_say):
            yield f"{where}: /health/ready named no {kind.must_say} that is wrong"


def _says(trouble: Trouble, word: str) -> bool:
    return any(
        word in text.partition(": ")[2] and after <= 75 for text, after in trouble.said.items()
    )


def _were_there(merchant: Merchant, trouble: Trouble) -> bool:
    ended = merchant.began + merchant.seconds if merchant.connected else counting.NEVER
    return merchant.began < trouble.until and ended > trouble.began


def clock(moment: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(moment))


def faults(made: Installation, crowd: Crowd) -> dict[str, list[str]]:
    """Who is not set up, or has more or fewer things at the vendor than one shop needs."""
    there = made.at_vendors()
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in made.rows(counting.OF_MERCHANTS):
        rows.setdefault(row["merchant"], []).append(row)
    return {each.name: list(_faults_of(each, rows[each.merchant], there)) for each in crowd.came}


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
