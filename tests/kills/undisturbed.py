"""Each way once, and nobody is killed: which calls there are, step by step."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from tests.kills.cases import PROCESSES, STEPS, Key
from tests.kills.harness import Harness
from tests.kills.round import undisturbed
from tests.kills.ways import Steps


@dataclass(frozen=True)
class Calls:
    """`steps`: by vendor, way and process. `noted` and `counted`: calls by route, ours and theirs."""

    steps: dict[Key, Steps]
    noted: Counter[tuple[str, str]]
    counted: Counter[tuple[str, str]]


def calls_of(harness: Harness) -> Calls:
    """The web process goes first, alone: a worker would take over what it is slow to begin."""
    counted: Counter[tuple[str, str]] = Counter()
    for by in PROCESSES:
        harness.start_parked(by)
        before = _counted(harness)
        with ThreadPoolExecutor(len(harness.kills)) as threads:
            list(threads.map(partial(_travel, harness, by), harness.kills))
        counted += _counted(harness) - before
    noted = Counter((vendor, route) for *_, vendor, route in harness.calls())
    return Calls({key: _steps(harness, key) for key in STEPS}, noted, counted)


def _travel(harness: Harness, process: str, slug: str) -> None:
    for vendor, name, by in STEPS:
        if (vendor, by) != (slug, process):
            continue
        way = harness.kills[vendor].way(name)
        merchant = harness.merchant(f"{vendor}-{name}-{by}", vendor)
        for deed, done in way.before:
            undisturbed(harness, merchant, deed, done)
        merchant.planned(by=by, way=name)
        undisturbed(harness, merchant, way.begin, way.done)
        harness.make_room(vendor, [merchant])


def _steps(harness: Harness, key: Key) -> Steps:
    """The calls that this process made on this way, in the order of their steps."""
    _, way, by = key
    mine = harness.crowd["-".join(key)]["merchant"]
    found: dict[int, list[str]] = {}
    for merchant, on, process, step, _, route in harness.calls():
        if (merchant, on, process) == (mine, way, by):
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
