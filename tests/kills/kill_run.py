"""A kill run: many merchants' calls are halted, the process is killed, a new one takes over.

Calls of different merchants are halted in one process at the same time, so that one kill serves many
cases. Vendors are driven in parallel, and the merchants of one vendor one after the other, so that
the sandbox holds the right call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.kills.breakpoints import HELD
from tests.kills.cases import Case
from tests.kills.harness import Harness
from tests.kills.merchant import Merchant
from tests.kills.scenarios import Act, Condition, Made, Scenario

BATCH = 5  # merchants who finish at the same time: Capillary has room for 14 clients
THREADS = 3
FAR = "2100-01-01 00:00:00"


@dataclass
class Result:
    """How a case ended. `pages`: the vendor's pages visited after the kill; `failed`: what went wrong."""

    status: str = ""
    doubts: str = ""
    pages: tuple[str, ...] = ()
    made: Made | None = None
    failed: str = ""


@dataclass
class KillRun:
    harness: Harness
    cases: Sequence[Case]
    merchants: dict[Case, Merchant] = field(default_factory=dict)
    results: dict[Case, Result] = field(default_factory=dict)
    held: Counter[tuple[str, str]] = field(default_factory=Counter)

    def run(self) -> dict[Case, Result]:
        self.results = {case: Result() for case in self.cases}
        by = {case.by for case in self.cases}
        self.harness.start_instrumented(*({"web"} | by))
        self._in_parallel(self._halt_all)
        self.harness.kill()
        self._skip_time()
        self.harness.start()
        self._in_parallel(self._finish_all)
        self.harness.kill()
        return self.results

    def _in_parallel(self, work: Callable[[list[Case]], None]) -> None:
        """Run `work` for each vendor in its own thread."""
        of = {
            case.vendor: [c for c in self.cases if c.vendor == case.vendor] for case in self.cases
        }
        with ThreadPoolExecutor(len(of)) as threads:
            list(threads.map(work, of.values()))

    def _skip_time(self) -> None:
        """Let the calls that the sandbox held arrive late, and the leases of the killed processes expire."""
        database, stage = self.harness.database, self.harness.site.stage
        stage.clear()
        self.harness.wait_for_held_calls()
        database.expire_leases()
        database.execute("UPDATE onboarding_attempt SET due_at = ? WHERE due_at NOT NULL", FAR)

    # -- halting the calls -------------------------------------------------------------------------

    def _halt_all(self, cases: list[Case]) -> None:
        for case in cases:
            merchant = self.merchants[case] = self.harness.merchant(str(case), case.vendor)
            try:
                self._halt(case, merchant)
            except (AssertionError, TimeoutError) as error:
                self.results[case].failed = f"was not halted: {error}"

    def _halt(self, case: Case, merchant: Merchant) -> None:
        breakpoint = {
            "by": case.by,
            "scenario": case.scenario,
            "route": case.route,
            "nth": case.nth,
            "at": case.at,
        }
        scenario = self._scenario(case)
        for act, done in scenario.before:
            run_undisturbed(self.harness, merchant, act, done)
        merchant.set_breakpoint(**breakpoint)
        scenario.begin(self.harness, merchant)
        merchant.act_until(merchant.stopped, self.harness.decide)
        if merchant.held_at_gate():
            self._hold(case)
        self.harness.database.expire_operator_lease()

    def _hold(self, case: Case) -> None:
        """The call waits at the gate. Tell the sandbox to hold it, and let it through."""
        stage = self.harness.site.stage
        when = "before" if case.at == HELD else "after"
        stage.fault(case.vendor, case.route, kind="hold", when=when)
        self.merchants[case].open_gate()
        self.held[case.vendor, case.route] += 1
        stage.wait_until_held(case.vendor, case.route, self.held[case.vendor, case.route], 30)

    # -- finishing after the kill ------------------------------------------------------------------

    def _finish_all(self, cases: list[Case]) -> None:
        ready = [case for case in reversed(cases) if not self.results[case].failed]
        for first in range(0, len(ready), BATCH):
            batch = ready[first : first + BATCH]
            for case in batch:
                self.harness.database.make_due(self.merchants[case].reference)
            with ThreadPoolExecutor(THREADS) as threads:
                list(threads.map(self._finish, batch))
            done = [self.merchants[case] for case in batch]
            self.harness.make_room(batch[0].vendor, done)

    def _finish(self, case: Case) -> None:
        merchant, result = self.merchants[case], self.results[case]
        merchant.pages.clear()
        merchant.clear_breakpoint()
        scenario = self._scenario(case)
        try:
            scenario.again(self.harness, merchant)
            merchant.act_until(lambda: scenario.done(self.harness, merchant), self.harness.decide)
        except AssertionError as error:
            result.failed = f"did not finish: {error}"
        account = self.harness.database.account(merchant.reference)
        result.status, result.pages = merchant.status(), tuple(merchant.pages)
        result.doubts = account["announced"] + account["unsure"]
        result.made = self.harness.things_of(merchant)

    def _scenario(self, case: Case) -> Scenario:
        return self.harness.kills[case.vendor].scenario(case.scenario)


def run_undisturbed(harness: Harness, merchant: Merchant, act: Act, done: Condition) -> None:
    if not merchant.breakpoint.scenario:
        merchant.set_breakpoint(by="web")
    act(harness, merchant)
    merchant.act_until(lambda: done(harness, merchant), harness.decide)
