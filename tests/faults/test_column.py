"""A column of the matrix tells all of its deviating cells at once, as the row to write."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.column import Column
from tests.faults.kinds import FAULTS, Fault
from tests.faults.rules import FINE, expected
from tests.faults.scene import Matrix, Scene, nothing

SCENE = Scene(
    route="POST /things", when="a thing", sort="trip", act=nothing, says="There.", after={}
)
MATRIX = Matrix(slug="acme", name="Acme", scenes=[SCENE])


def played(code: Callable[[Fault], str], failing: str = "") -> Column:
    """`failing`: the fault in which something else is wrong."""
    column = Column(MATRIX, SCENE)
    for fault in (None, *FAULTS):
        with column.cell(fault) as cell:
            cell.code = code(fault) if fault else FINE
            assert not fault or fault.name != failing, "a secret stands in the logs"
    return column


def right(fault: Fault) -> str:
    return expected("trip", {}, fault)


def test_a_column_that_is_as_its_rules_say_is_silent() -> None:
    column = played(right)
    column.judge()
    assert column.codes == tuple(map(right, FAULTS))


def test_every_deviating_cell_is_told_and_the_row_to_write() -> None:
    column = played(lambda fault: "no" if fault.name in ("401", "403") else right(fault))
    with pytest.raises(AssertionError) as told:
        column.judge()
    assert str(told.value).splitlines() == [
        "acme, POST /things: a thing (trip)",
        "  401: 'no', and not 'staff'",
        "  403: 'no', and not 'staff'",
        'If that is right, the scene\'s row is: but={"401": "no", "403": "no"}',
    ]


def test_whatever_else_is_wrong_is_told_beside_them() -> None:
    column = played(lambda fault: "no" if fault.name == "401" else right(fault), failing="500")
    with pytest.raises(AssertionError) as told:
        column.judge()
    assert "  401: 'no', and not 'staff'" in str(told.value)
    assert "  500 (waits): a secret stands in the logs" in str(told.value)


def test_it_is_wrong_when_a_call_does_not_work_without_a_fault() -> None:
    column = Column(MATRIX, SCENE)
    with column.cell(None) as cell:
        cell.code = "waits"
    with pytest.raises(AssertionError, match="no fault: 'waits', and not 'fine'"):
        column.judge()
