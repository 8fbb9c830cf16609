"""The baseline: each scenario runs once without a kill, and its calls are recorded step by step."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from tests.kills.cases import PROCESSES, STEPS, Key
from tests.kills.harness import Harness
from tests.kills.kill_run import run_undisturbed
from tests.kills.scenarios import Steps


@dataclass(frozen=True)
class Baseline:
    """`steps`: by vendor, scenario and process. Calls by route: `noted` by us, `counted` by the sandbox."""

    steps: dict[Key, Steps]
    noted: Counter[tuple[str, str]]
    counted: Counter[tuple[str, str]]


def record_baseline(harness: Harness) -> Baseline:
    """Run the web process first, alone: a worker would take over what it starts slowly."""
    counted: Counter[tuple[str, str]] = Counter()
    for by in PROCESSES:
        harness.start_instrumented(by)
        before = _counted(harness)
        with ThreadPoolExecutor(len(harness.kills)) as threads:
            list(threads.map(partial(_run_scenarios, harness, by), harness.kills))
        counted += _counted(harness) - before
    noted = Counter((vendor, route) for *_, vendor, route in harness.calls())
    return Baseline({key: _steps(harness, key) for key in STEPS}, noted, counted)


def _run_scenarios(harness: Harness, process: str, slug: str) -> None:
    for vendor, name, by in STEPS:
        if (vendor, by) != (slug, process):
            continue
        scenario = harness.kills[vendor].scenario(name)
        merchant = harness.merchant(f"{vendor}-{name}-{by}", vendor)
        for act, done in scenario.before:
            run_undisturbed(harness, merchant, act, done)
        merchant.set_breakpoint(by=by, scenario=name)
        run_undisturbed(harness, merchant, scenario.begin, scenario.done)
        harness.make_room(vendor, [merchant])


def _steps(harness: Harness, key: Key) -> Steps:
    """The calls that this process made in this scenario, by step."""
    _, scenario, by = key
    mine = harness.users["-".join(key)]["merchant"]
    found: dict[int, list[str]] = {}
    for merchant, on, process, step, _, route in harness.calls():
        if (merchant, on, process) == (mine, scenario, by):
            found.setdefault(int(step), []).append(route)
    return tuple(tuple(found[step]) for step in sorted(found))


def _counted(harness: Harness) -> Counter[tuple[str, str]]:
    stage = harness.site.stage
    return Counter(
        {
            (slug, route.name): stage.counts(slug)["calls"].get(route.name, 0)
            for slug in harness.kills
            for route in stage.vendors[slug].routes
            if not route.page
        }
    )
