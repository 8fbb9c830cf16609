"""docs/faults.md: written from what a run saw, compared with it in every other run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.faults.kinds import FAULTS, HURRY
from tests.faults.rules import LEGEND
from tests.faults.scene import Matrix, Scene
from vendors.http.api import Api

PAPER = Path(__file__).resolve().parent.parent.parent / "docs" / "faults.md"
Place = tuple[str, str, str]  # vendor, route, when
Seen = Mapping[Place, Sequence[str]]  # one code for each of FAULTS

HEAD = """# What happens when a call fails

Written by `make faults`, from what `tests/faults/test_faults.py` saw: every documented call of every vendor,
in every moment in which the site makes it, failing in every way, over real HTTP against the sandboxes.
The same run, in CI, proves of each cell below that

- the status and whose turn it is are right, and the merchant (or staff) read the sentence;
- no secret stands on the page, in the logs at DEBUG, in a mail or in a table of the database;
- nothing is told to a host that no setting names;
- once the vendor works again, people go on and end where they wanted to, with exactly one of each
  thing at the vendor.

What a cell has to be is written down in `tests/faults/rules.py`, apart from the code. A documented call
without a scene fails the run.
"""

WAYS = f"""## The ways of failing

Each lasts until it is cleared, unless it says otherwise. The sandbox makes them, except for the first
two, in which the one call is sent to another port of this machine. For the slow ones, the time-out of
{Api.read:.0f} s for a read or of {Api.total:.0f} s for a whole call is shortened to {HURRY} s.
"""


def written(seen: Seen, matrices: Sequence[Matrix]) -> str:
    """The whole document."""
    used = {code for codes in seen.values() for code in codes}
    words = {code: said for code, said in LEGEND.items() if code in used}
    parts = [
        HEAD,
        WAYS,
        _pairs("name", "how it is made", {each.name: each.how for each in FAULTS}),
        "## What the cells say\n",
        _pairs("word", "meaning", words),
        *(_vendor(matrix, seen) for matrix in matrices),
    ]
    return "\n".join(parts)


def _pairs(one: str, other: str, rows: Mapping[str, str]) -> str:
    lines = [f"| {key} | {value} |" for key, value in rows.items()]
    return "\n".join([f"| {one} | {other} |", "|---|---|", *lines, ""])


def _vendor(matrix: Matrix, seen: Seen) -> str:
    calls = [
        f"{number}. `{scene.route}`: {scene.when}{_but(scene)}"
        for number, scene in enumerate(matrix.scenes, 1)
    ]
    own = [f"{each.name}: {each.how}.\n" for each in matrix.own]
    left = [f"Not made: `{route}` ({why}).\n" for route, why in matrix.not_made.items()]
    return "\n".join([f"## {matrix.name}\n", *calls, "", *own, *left, *_table(matrix, seen), ""])


def _table(matrix: Matrix, seen: Seen) -> list[str]:
    columns = [seen[matrix.slug, scene.route, scene.when] for scene in matrix.scenes]
    numbers = " | ".join(str(number) for number in range(1, len(columns) + 1))
    rows = [
        f"| {fault.name} | {' | '.join(column[at] for column in columns)} |"
        for at, fault in enumerate(matrix.faults)
    ]
    return [f"| | {numbers} |", "|---" * (len(columns) + 1) + "|", *rows]


def _but(scene: Scene) -> str:
    return f" ({scene.why})" if scene.why else ""


def differing(seen: Seen, matrices: Sequence[Matrix], text: str) -> list[Place]:
    """The calls of which the document says something else than was seen."""
    told: dict[Place, list[str]] = {}
    for matrix in matrices:
        told |= _told(matrix, text)
    return [place for place, codes in seen.items() if told.get(place) != list(codes)]


def _told(matrix: Matrix, text: str) -> dict[Place, list[str]]:
    _, _, section = text.partition(f"## {matrix.name}\n")
    lines = [line for line in section.partition("\n## ")[0].splitlines() if line[:1] == "|"]
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines[2:]]
    columns = list(zip(*cells, strict=True))[1:]
    return {
        (matrix.slug, scene.route, scene.when): list(column)
        for scene, column in zip(matrix.scenes, columns, strict=False)
    }
