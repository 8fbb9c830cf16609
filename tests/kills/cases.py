"""What is killed: each call of each step of each way of each vendor, at each boundary.

The vendors' lists say what an undisturbed run does, step by step; a test compares them with such a run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tests.kills.ways import CONNECT, Lost, Steps, kills

KILLS = kills()
Key = tuple[str, str, str]  # vendor, way, by which process
STEPS: dict[Key, Steps] = {
    (vendor, way, by): steps
    for vendor, each in KILLS.items()
    for (way, by), steps in each.steps.items()
}
PROCESSES = ("web", "worker")


@dataclass(frozen=True)
class Case:
    vendor: str
    way: str
    by: str
    route: str
    nth: int
    at: str

    def __str__(self) -> str:
        words = self.route.replace("/", " ").translate(str.maketrans("{}", "  ")).split()
        call = f"{words[0]}-{words[-1]}-{self.nth}"
        return f"{self.vendor}-{self.way}-{self.by}-{call}-{self.at}".lower()

    @property
    def lost(self) -> Lost | None:
        """The call whose answer the vendor gives only once, if this is one."""
        found = (row for row in KILLS[self.vendor].lost if (row.way, row.route) == self._call)
        return next(found, None)

    @property
    def _call(self) -> tuple[str, str]:
        return self.way, self.route


def cases_of(vendor: str, way: str, by: str) -> Iterator[Case]:
    seen: Counter[str] = Counter()
    for step in STEPS[vendor, way, by]:
        for number, route in enumerate(step, start=1):
            seen[route] += 1
            place = {"first": number == 1, "last": number == len(step)}
            for at in KILLS[vendor].way(way).boundaries(**place):
                yield Case(vendor, way, by, route, seen[route], at)


def not_killed() -> list[str]:
    """The processes in which a vendor's way to a connected shop is not killed."""
    ways = [(vendor, CONNECT, by) for vendor in KILLS for by in PROCESSES]
    return ["-".join(key) for key in ways if not STEPS.get(key)]


CASES = tuple(case for key in STEPS for case in cases_of(*key))
