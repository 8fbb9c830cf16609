"""A column of the matrix reports all deviating cells at once, with the row to write."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.columns import Column
from tests.faults.kinds import FAULTS, Fault
from tests.faults.rules import FINE, expected
from tests.faults.scene import Matrix, Scene, nothing

SCENE = Scene(
    route="POST /things", when="a thing", sort="trip", act=nothing, says="There.", after={}
)
MATRIX = Matrix(slug="acme", name="Acme", scenes=[SCENE])


def run_column(code: Callable[[Fault], str], failing: str = "") -> Column:
    """`failing`: the fault in which an assertion fails too."""
    column = Column(MATRIX, SCENE)
    for fault in (None, *FAULTS):
        with column.cell(fault) as cell:
            cell.code = code(fault) if fault else FINE
            assert not fault or fault.name != failing, "a secret stands in the logs"
    return column


def right(fault: Fault) -> str:
    return expected("trip", {}, fault)


def test_a_column_that_follows_its_rules_reports_nothing() -> None:
    column = run_column(right)
    column.judge()
    assert column.codes == tuple(map(right, FAULTS))


def test_every_deviating_cell_is_reported_with_the_row_to_write() -> None:
    column = run_column(lambda fault: "no" if fault.name in ("401", "403") else right(fault))
    with pytest.raises(AssertionError) as raised:
        column.judge()
    assert str(raised.value).splitlines() == [
        "acme, POST /things: a thing (trip)",
        "  401: 'no', and not 'staff'",
        "  403: 'no', and not 'staff'",
        'If that is right, the scene\'s row is: but={"401": "no", "403": "no"}',
    ]


def test_failed_assertions_are_reported_too() -> None:
    column = run_column(lambda fault: "no" if fault.name == "401" else right(fault), failing="500")
    with pytest.raises(AssertionError) as raised:
        column.judge()
    assert "  401: 'no', and not 'staff'" in str(raised.value)
    assert "  500 (waits): a secret stands in the logs" in str(raised.value)


def test_a_call_must_work_without_a_fault() -> None:
    column = Column(MATRIX, SCENE)
    with column.cell(None) as cell:
        cell.code = "waits"
    with pytest.raises(AssertionError, match="no fault: 'waits', and not 'fine'"):
        column.judge()
