"""Kill tests: kill -9 at every boundary of every call loses nothing and creates nothing twice."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.kills.baseline import Baseline
from tests.kills.cases import CASES, KILLS, STEPS, Case, not_killed
from tests.kills.results import Results, baseline, results
from tests.kills.scenarios import CONNECT

__all__ = ["baseline", "results"]  # fixtures
pytestmark = pytest.mark.kills
ROTATIONS = [case for case in CASES if case.lost]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_after_a_kill_another_process_finishes(case: Case, results: Results) -> None:
    result = results[case]
    assert result.failed == ""
    assert result.status == KILLS[case.vendor].status_after(case.scenario)
    assert result.doubts == ""
    assert result.made is not None
    assert result.made.counts == KILLS[case.vendor].things(case.scenario)
    assert all(theirs == ours for theirs, ours in result.made.ids)
    assert max(Counter(result.pages).values(), default=0) <= 1  # no page, no sign-in twice


@pytest.mark.parametrize("case", ROTATIONS, ids=str)
def test_after_a_lost_rotation_the_merchant_signs_in_once(case: Case, results: Results) -> None:
    assert case.lost
    assert results[case].pages.count(case.lost.page) == (case.at in case.lost.at)


def test_the_declared_calls_are_those_of_the_baseline(baseline: Baseline) -> None:
    assert baseline.steps == STEPS
    assert baseline.noted == baseline.counted


def test_every_call_of_connecting_a_shop_has_its_cases() -> None:
    killed = {(case.vendor, case.by, case.route, case.nth) for case in CASES}
    for (vendor, scenario, by), steps in STEPS.items():
        seen = Counter(route for step in steps for route in step)
        calls = {(vendor, by, route, n + 1) for route in seen for n in range(seen[route])}
        assert scenario != CONNECT or calls <= killed


def test_connecting_a_shop_is_killed_at_every_vendor() -> None:
    assert not_killed() == [], "no steps in KILLS.steps of tests/vendors/<slug>/kills.py"
