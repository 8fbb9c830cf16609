"""One column of the matrix: the outcome of each fault in one scene, compared with the expected one.

A deviating cell does not stop the run: all are reported at the end, with the scene's row to write.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.faults.kinds import Fault
from tests.faults.rules import FINE, Code, expected
from tests.faults.scene import Matrix, Scene


@dataclass
class Cell:
    """`fault` None: no fault is injected. `failed`: the message of a failed assertion."""

    fault: Fault | None
    wanted: Code
    code: Code = ""
    failed: str = ""

    @property
    def name(self) -> str:
        return self.fault.name if self.fault else "no fault"

    @property
    def differs(self) -> bool:
        return bool(self.code) and self.code != self.wanted


@dataclass
class Column:
    matrix: Matrix
    scene: Scene
    cells: list[Cell] = field(default_factory=list)

    @contextmanager
    def cell(self, fault: Fault | None) -> Iterator[Cell]:
        """A failed assertion in the block is recorded in the cell and reported by `judge`."""
        wanted = expected(self.scene.sort, self.scene.but, fault) if fault else FINE
        cell = Cell(fault, wanted)
        self.cells.append(cell)
        try:
            yield cell
        except AssertionError as failed:
            cell.failed = str(failed) or "an assertion"

    @property
    def codes(self) -> tuple[Code, ...]:
        """The codes in the order of the faults."""
        return tuple(cell.code for cell in self.cells if cell.fault)

    def judge(self) -> None:
        """AssertionError that names every cell that differs from its rule."""
        errors = [*self._differing(), *self._failed()]
        if errors:
            where = f"{self.matrix.slug}, {self.scene.route}: {self.scene.when} ({self.scene.sort})"
            raise AssertionError("\n".join([where, *errors]))

    def _differing(self) -> Iterator[str]:
        cells = [cell for cell in self.cells if cell.differs]
        for cell in cells:
            yield f"  {cell.name}: {cell.code!r}, and not {cell.wanted!r}"
        if cells:
            faults = {cell.name: cell.code for cell in cells if cell.fault}
            row = json.dumps({**self.scene.but, **faults}, ensure_ascii=False)
            yield f"If that is right, the scene's row is: but={row}"

    def _failed(self) -> Iterator[str]:
        for cell in self.cells:
            if cell.failed:
                yield f"  {cell.name} ({cell.code or 'no code'}): {cell.failed}"
