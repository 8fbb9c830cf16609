"""Each way once, and nobody is killed: which calls there are, step by step."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.kills.cases import WAYS as LISTED
from tests.kills.cases import Steps
from tests.kills.harness import Harness
from tests.kills.round import undisturbed
from tests.kills.ways import WAYS
from vendors.sandbox import slugs

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Calls:
    """`steps`: by vendor, way and process. `noted` and `counted`: calls by route, ours and theirs."""

    steps: dict[Key, Steps]
    noted: Counter[tuple[str, str]]
    counted: Counter[tuple[str, str]]


def calls_of(harness: Harness) -> Calls:
    harness.start_parked("web", "worker")
    before = _counted(harness)
    with ThreadPoolExecutor(len(slugs())) as threads:
        list(threads.map(lambda slug: _travel(harness, slug), slugs()))
    counted = _counted(harness) - before
    lines = harness.calls()
    noted = Counter((vendor, route) for *_, vendor, route in lines)
    return Calls({key: _steps(harness, key) for key in LISTED}, noted, counted)


def _travel(harness: Harness, slug: str) -> None:
    for vendor, way, by in LISTED:
        if vendor != slug:
            continue
        merchant = harness.merchant(f"{vendor}-{way}-{by}", vendor)
        for deed, done in WAYS[way].before:
            undisturbed(harness, merchant, deed, done)
        merchant.planned(by=by, way=way)
        undisturbed(harness, merchant, WAYS[way].begin, WAYS[way].done)
        harness.make_room([merchant])


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
            for slug in slugs()
            for route in stage.vendors[slug].routes
            if not route.page
        }
    )
