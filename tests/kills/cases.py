"""The cases of the kill tests: every call of every step of every scenario of every vendor, at each boundary.

The vendors declare the calls of an undisturbed run, step by step; a test compares them with such a run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tests.kills.scenarios import CONNECT, LostAnswer, Steps, kills

KILLS = kills()
Key = tuple[str, str, str]  # vendor, scenario, process
STEPS: dict[Key, Steps] = {
    (vendor, scenario, by): steps
    for vendor, each in KILLS.items()
    for (scenario, by), steps in each.steps.items()
}
PROCESSES = ("web", "worker")


@dataclass(frozen=True)
class Case:
    vendor: str
    scenario: str
    by: str
    route: str
    nth: int
    at: str

    def __str__(self) -> str:
        words = self.route.replace("/", " ").translate(str.maketrans("{}", "  ")).split()
        call = f"{words[0]}-{words[-1]}-{self.nth}"
        return f"{self.vendor}-{self.scenario}-{self.by}-{call}-{self.at}".lower()

    @property
    def lost(self) -> LostAnswer | None:
        """The declaration of this call, if the vendor gives its response only once."""
        found = (
            row
            for row in KILLS[self.vendor].lost_answers
            if (row.scenario, row.route) == self._call
        )
        return next(found, None)

    @property
    def _call(self) -> tuple[str, str]:
        return self.scenario, self.route


def cases_of(vendor: str, scenario: str, by: str) -> Iterator[Case]:
    seen: Counter[str] = Counter()
    for step in STEPS[vendor, scenario, by]:
        for number, route in enumerate(step, start=1):
            seen[route] += 1
            place = {"first": number == 1, "last": number == len(step)}
            for at in KILLS[vendor].scenario(scenario).boundaries(**place):
                yield Case(vendor, scenario, by, route, seen[route], at)


def not_killed() -> list[str]:
    """The vendors and processes for which connecting a shop is not killed."""
    scenarios = [(vendor, CONNECT, by) for vendor in KILLS for by in PROCESSES]
    return ["-".join(key) for key in scenarios if not STEPS.get(key)]


CASES = tuple(case for key in STEPS for case in cases_of(*key))
