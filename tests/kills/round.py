"""One round: many merchants' calls are stopped, the process is killed, a new one takes over.

Calls of different merchants are stopped in one process at once, so that one kill serves many cases.
Vendors are driven side by side; at one vendor one merchant after the other, so that the sandbox
holds the very call that it shall.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.kills.cases import Case
from tests.kills.harness import Harness
from tests.kills.merchant import Merchant
from tests.kills.plan import HELD
from tests.kills.ways import Deed, Made, Seen, Way

AT_ONCE = 5  # merchants whose trips end at the same time: Capillary has room for 14 clients
HANDS = 3
FAR = "2100-01-01 00:00:00"


@dataclass
class Result:
    """How a case ended. `pages`: of the vendor's, seen after the kill; `failed`: what went wrong."""

    status: str = ""
    doubts: str = ""
    pages: tuple[str, ...] = ()
    made: Made | None = None
    failed: str = ""


@dataclass
class Round:
    harness: Harness
    cases: Sequence[Case]
    merchants: dict[Case, Merchant] = field(default_factory=dict)
    results: dict[Case, Result] = field(default_factory=dict)
    held: Counter[tuple[str, str]] = field(default_factory=Counter)

    def play(self) -> dict[Case, Result]:
        self.results = {case: Result() for case in self.cases}
        by = {case.by for case in self.cases}
        self.harness.start_parked(*({"web"} | by))
        self._side_by_side(self._stop_all)
        self.harness.kill()
        self._later()
        self.harness.start()
        self._side_by_side(self._end_all)
        self.harness.kill()
        return self.results

    def _side_by_side(self, work: Callable[[list[Case]], None]) -> None:
        """Each vendor in a thread of its own."""
        of = {
            case.vendor: [c for c in self.cases if c.vendor == case.vendor] for case in self.cases
        }
        with ThreadPoolExecutor(len(of)) as threads:
            list(threads.map(work, of.values()))

    def _later(self) -> None:
        """What the sandbox held arrives late; the leases of the dead run out."""
        database, stage = self.harness.database, self.harness.site.stage
        stage.clear()
        self.harness.let_go()
        database.expire_leases()
        database.execute("UPDATE onboarding_attempt SET due_at = ? WHERE due_at NOT NULL", FAR)

    # -- towards the point at which the process is killed ------------------------------------------

    def _stop_all(self, cases: list[Case]) -> None:
        for case in cases:
            merchant = self.merchants[case] = self.harness.merchant(str(case), case.vendor)
            try:
                self._stop(case, merchant)
            except (AssertionError, TimeoutError) as never:
                self.results[case].failed = f"was not stopped: {never}"

    def _stop(self, case: Case, merchant: Merchant) -> None:
        plan = {"by": case.by, "way": case.way, "route": case.route, "nth": case.nth, "at": case.at}
        way = self._way(case)
        for deed, done in way.before:
            undisturbed(self.harness, merchant, deed, done)
        merchant.planned(**plan)
        way.begin(self.harness, merchant)
        merchant.want(merchant.stopped, self.harness.decide)
        if merchant.leaves():
            self._hold(case)
        self.harness.database.expire_operator_lease()

    def _hold(self, case: Case) -> None:
        """The call is at our door: the sandbox takes it, and keeps it."""
        stage = self.harness.site.stage
        when = "before" if case.at == HELD else "after"
        stage.fault(case.vendor, case.route, kind="hold", when=when)
        self.merchants[case].may_go()
        self.held[case.vendor, case.route] += 1
        stage.arrived(case.vendor, case.route, self.held[case.vendor, case.route], 30)

    # -- and to its end ----------------------------------------------------------------------------

    def _end_all(self, cases: list[Case]) -> None:
        ready = [case for case in reversed(cases) if not self.results[case].failed]
        for first in range(0, len(ready), AT_ONCE):
            batch = ready[first : first + AT_ONCE]
            for case in batch:
                self.harness.database.make_due(self.merchants[case].reference)
            with ThreadPoolExecutor(HANDS) as threads:
                list(threads.map(self._end, batch))
            done = [self.merchants[case] for case in batch]
            self.harness.make_room(batch[0].vendor, done)

    def _end(self, case: Case) -> None:
        merchant, result = self.merchants[case], self.results[case]
        merchant.pages.clear()
        merchant.forget_plan()
        way = self._way(case)
        try:
            way.again(self.harness, merchant)
            merchant.want(lambda: way.done(self.harness, merchant), self.harness.decide)
        except AssertionError as never:
            result.failed = f"did not end: {never}"
        account = self.harness.database.account(merchant.reference)
        result.status, result.pages = merchant.status(), tuple(merchant.pages)
        result.doubts = account["announced"] + account["unsure"]
        result.made = self.harness.things_of(merchant)

    def _way(self, case: Case) -> Way:
        return self.harness.kills[case.vendor].way(case.way)


def undisturbed(harness: Harness, merchant: Merchant, deed: Deed, done: Seen) -> None:
    if not merchant.plan.way:
        merchant.planned(by="web")
    deed(harness, merchant)
    merchant.want(lambda: done(harness, merchant), harness.decide)
