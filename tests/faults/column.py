"""One column of the matrix: what each way of failing led to in one scene, and what is wrong with it.

A deviating cell stops nothing: in the end all are told at once, as the row of the scene to write.
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
    """`fault` None: nothing goes wrong. `failed`: what else was not as it should be."""

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
        """An assertion that fails in the block is the cell's, and is told by `judge`."""
        wanted = expected(self.scene.sort, self.scene.but, fault) if fault else FINE
        cell = Cell(fault, wanted)
        self.cells.append(cell)
        try:
            yield cell
        except AssertionError as failed:
            cell.failed = str(failed) or "an assertion"

    @property
    def codes(self) -> tuple[Code, ...]:
        """Of the faults, in their order."""
        return tuple(cell.code for cell in self.cells if cell.fault)

    def judge(self) -> None:
        """AssertionError with every cell that is not as its rule says."""
        told = [*self._differing(), *self._failed()]
        if told:
            where = f"{self.matrix.slug}, {self.scene.route}: {self.scene.when} ({self.scene.sort})"
            raise AssertionError("\n".join([where, *told]))

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
