"""The report docs/faults.md: written from one run, and compared with every other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.faults.kinds import FAULTS, SHORT_TIMEOUT
from tests.faults.rules import LEGEND
from tests.faults.scene import Matrix, Scene
from vendors.http.api import Api

REPORT = Path(__file__).resolve().parent.parent.parent / "docs" / "faults.md"
Place = tuple[str, str, str]  # vendor, route, when
Observed = Mapping[Place, Sequence[str]]  # one code for each of FAULTS

HEAD = """# What happens when a call fails

Written by `make faults`, from what `tests/faults/test_faults.py` observed: every documented call of every
vendor, whenever the site makes it, failing in every way, over real HTTP against the sandboxes.
The same run, in CI, proves of each cell below that

- the status and whose turn it is are right, and the merchant (or staff) read the sentence;
- no secret appears on the page, in the logs at DEBUG, in a mail or in a table of the database;
- nothing is sent to a host that no setting names;
- once the vendor works again, people continue and reach their goal, with exactly one of each
  thing at the vendor.

The expected cells are written down in `tests/faults/rules.py`, independently of the code. A documented call
without a scene fails the run.
"""

WAYS = f"""## The ways of failing

Each lasts until it is cleared, unless its description says otherwise. The sandbox causes them, except for
the first two: there the call is sent to another port of this machine. For the slow ones, the time-out of
{Api.read:.0f} s for a read or of {Api.total:.0f} s for a whole call is shortened to {SHORT_TIMEOUT} s.
"""


def render(observed: Observed, matrices: Sequence[Matrix]) -> str:
    """The text of the whole report."""
    used = {code for codes in observed.values() for code in codes}
    words = {code: meaning for code, meaning in LEGEND.items() if code in used}
    parts = [
        HEAD,
        WAYS,
        _pairs("name", "what happens", {each.name: each.how for each in FAULTS}),
        "## What the cells say\n",
        _pairs("word", "meaning", words),
        *(_vendor(matrix, observed) for matrix in matrices),
    ]
    return "\n".join(parts)


def _pairs(one: str, other: str, rows: Mapping[str, str]) -> str:
    lines = [f"| {key} | {value} |" for key, value in rows.items()]
    return "\n".join([f"| {one} | {other} |", "|---|---|", *lines, ""])


def _vendor(matrix: Matrix, observed: Observed) -> str:
    calls = [
        f"{number}. `{scene.route}`: {scene.when}{_but(scene)}"
        for number, scene in enumerate(matrix.scenes, 1)
    ]
    own = [f"{each.name}: {each.how}.\n" for each in matrix.own]
    left = [f"Not made: `{route}` ({why}).\n" for route, why in matrix.not_made.items()]
    return "\n".join(
        [f"## {matrix.name}\n", *calls, "", *own, *left, *_table(matrix, observed), ""]
    )


def _table(matrix: Matrix, observed: Observed) -> list[str]:
    columns = [observed[matrix.slug, scene.route, scene.when] for scene in matrix.scenes]
    numbers = " | ".join(str(number) for number in range(1, len(columns) + 1))
    rows = [
        f"| {fault.name} | {' | '.join(column[at] for column in columns)} |"
        for at, fault in enumerate(matrix.faults)
    ]
    return [f"| | {numbers} |", "|---" * (len(columns) + 1) + "|", *rows]


def _but(scene: Scene) -> str:
    return f" ({scene.why})" if scene.why else ""


def differing(observed: Observed, matrices: Sequence[Matrix], text: str) -> list[Place]:
    """The calls for which the document differs from what was observed."""
    documented: dict[Place, list[str]] = {}
    for matrix in matrices:
        documented |= _parsed(matrix, text)
    return [place for place, codes in observed.items() if documented.get(place) != list(codes)]


def _parsed(matrix: Matrix, text: str) -> dict[Place, list[str]]:
    _, _, section = text.partition(f"## {matrix.name}\n")
    lines = [line for line in section.partition("\n## ")[0].splitlines() if line[:1] == "|"]
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines[2:]]
    columns = list(zip(*cells, strict=True))[1:]
    return {
        (matrix.slug, scene.route, scene.when): list(column)
        for scene, column in zip(matrix.scenes, columns, strict=False)
    }
