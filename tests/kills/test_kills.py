"""kill -9 at every boundary of every call: nothing is lost, and nothing is made twice."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.kills.cases import CASES, KILLS, STEPS, Case, not_killed
from tests.kills.results import Results, calls, results
from tests.kills.undisturbed import Calls
from tests.kills.ways import CONNECT

__all__ = ["calls", "results"]  # fixtures
pytestmark = pytest.mark.kills
ROTATIONS = [case for case in CASES if case.lost]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_whoever_is_killed_there_is_succeeded(case: Case, results: Results) -> None:
    result = results[case]
    assert result.failed == ""
    assert result.status == KILLS[case.vendor].way(case.way).ends
    assert result.doubts == ""
    assert result.made is not None
    assert result.made.counts == KILLS[case.vendor].things(case.way)
    assert all(theirs == ours for theirs, ours in result.made.ids)
    assert max(Counter(result.pages).values(), default=0) <= 1  # no page, no sign-in twice


@pytest.mark.parametrize("case", ROTATIONS, ids=str)
def test_a_lost_rotation_means_to_sign_in_once(case: Case, results: Results) -> None:
    assert case.lost
    assert results[case].pages.count(case.lost.page) == (case.at in case.lost.at)


def test_no_call_is_forgotten(calls: Calls) -> None:
    assert calls.steps == STEPS
    assert calls.noted == calls.counted


def test_every_call_on_the_way_to_a_connected_shop_has_its_cases() -> None:
    killed = {(case.vendor, case.by, case.route, case.nth) for case in CASES}
    for (vendor, way, by), steps in STEPS.items():
        seen = Counter(route for step in steps for route in step)
        calls = {(vendor, by, route, n + 1) for route in seen for n in range(seen[route])}
        assert way != CONNECT or calls <= killed


def test_every_vendors_way_to_a_connected_shop_is_killed() -> None:
    assert not_killed() == [], "no steps in KILLS.steps of tests/vendors/<slug>/kills.py"
