"""The import graph of the code by room; `python -m tests.support.import_graph` prints it.

A room is a package directly in onboarding/ or vendors/ with everything below it; a module that stands
there is a room of its own.
All vendors have the same shape and count as one room, `vendors/<slug>/`. Migrations are left out.
`--mermaid` prints the lines of the picture in docs/structure.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[2]
VENDOR = "vendors/<slug>/"
Arrow = tuple[str, str]  # a room, and a room that it imports


@dataclass(frozen=True)
class Rooms:
    """The rooms, and for each arrow between two of them the import statements behind it."""

    names: frozenset[str]
    imports: Mapping[Arrow, tuple[str, ...]]

    @property
    def arrows(self) -> frozenset[Arrow]:
        return frozenset(self.imports)

    def reached(self, room: str, without: Arrow | None = None) -> frozenset[str]:
        """Every room that this one imports, directly or through others."""
        return reached(room, self.arrows - {without} if without else self.arrows)

    def circles(self) -> list[frozenset[str]]:
        """Groups of rooms that all import each other, directly or through others."""
        below = {room: self.reached(room) for room in self.names}
        found = {
            frozenset({room} | {other for other in below[room] if room in below[other]})
            for room in self.names
            if room in below[room]
        }
        return sorted(found, key=sorted)

    def floors(self) -> dict[str, int]:
        """The number of rooms on the longest chain of imports that begins at each room."""
        circle_of = {room: circle for circle in self.circles() for room in circle}
        floors: dict[str, int] = {}

        def floor(room: str) -> int:
            if room not in floors:
                same = circle_of.get(room, frozenset({room}))
                below = {b for a, b in self.arrows if a in same} - same
                floors[room] = 1 + max(map(floor, below), default=0)
            return floors[room]

        return {room: floor(room) for room in sorted(self.names)}

    def drawn(self) -> frozenset[Arrow]:
        """The transitive reduction: only the arrows that do not follow from others."""
        left = self.arrows
        for arrow in sorted(self.arrows):
            if arrow[1] in reached(arrow[0], left - {arrow}):
                left -= {arrow}
        return left


def reached(room: str, arrows: frozenset[Arrow]) -> frozenset[str]:
    found: set[str] = set()
    front = [room]
    while front:
        here = front.pop()
        front += [b for a, b in arrows if a == here and b not in found]
        found |= {b for a, b in arrows if a == here}
    return frozenset(found)


def path_of(module: str) -> Path:
    """The file of a module, relative to the root of the project."""
    path = ROOT.joinpath(*module.split("."))
    return (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).relative_to(ROOT)


def room_of(path: Path) -> str:
    """`onboarding/journey/`, `onboarding/registry.py`, `vendors/<slug>/sandbox/`."""
    folder = path.parent.parts
    if len(folder) == 1:
        return str(path)
    if folder[0] == "vendors" and (ROOT / "vendors" / folder[1] / "flow.py").exists():
        return "/".join([VENDOR.rstrip("/"), *folder[2:], ""])
    return "/".join([*folder[:2], ""])


def modules() -> Iterator[Path]:
    """Every module with something in it, relative to the root of the project; no migrations."""
    for folder in ("onboarding", "vendors"):
        for path in sorted((ROOT / folder).glob("**/*.py")):
            if path.stat().st_size and path.parent.name != "migrations":
                yield path.relative_to(ROOT)


@cache
def rooms() -> Rooms:
    """The rooms of today's code. Imports inside functions and below TYPE_CHECKING count too."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    graph = grimp.build_graph("onboarding", "vendors", cache_dir=None)
    known = {path: room_of(path) for path in modules()}
    imports: dict[Arrow, list[str]] = {}
    for importer in sorted(graph.modules):
        for imported in sorted(graph.find_modules_directly_imported_by(importer)):
            here, there = known.get(path_of(importer)), known.get(path_of(imported))
            if here and there and here != there:
                details = graph.get_import_details(importer=importer, imported=imported)
                imports.setdefault((here, there), []).extend(
                    f"{path_of(importer)}:{found['line_number']}: {found['line_contents'].strip()}"
                    for found in details
                )
    return Rooms(
        frozenset(known.values()), {arrow: tuple(lines) for arrow, lines in imports.items()}
    )


def node(room: str) -> str:
    """A room's name in the picture: letters and underscores only."""
    plain = room.removesuffix("/").removesuffix(".py").removesuffix("/__init__")
    return plain.translate({ord("/"): "_", ord("<"): None, ord(">"): None})


def mermaid(rooms: Rooms) -> list[str]:
    """The lines of the picture: a node for each room, the lowest floors last, then the arrows."""
    floors = rooms.floors()
    order = sorted(rooms.names, key=lambda room: (-floors[room], room))
    label = {room: room.replace("<", "#lt;").replace(">", "#gt;") for room in order}
    return [
        *(f'{node(room)}["{label[room]}"]' for room in order),
        *(
            f"{node(here)} --> {node(there)}"
            for here, there in sorted(
                rooms.drawn(), key=lambda arrow: (order.index(arrow[0]), order.index(arrow[1]))
            )
        ),
    ]


def report(rooms: Rooms) -> Iterator[str]:
    floors = rooms.floors()
    beside = [room for room in sorted(rooms.names) if room.startswith("onboarding/")]
    beside = [room for room in beside if room.endswith(".py")]
    for room in sorted(rooms.names, key=lambda room: (floors[room], room)):
        below = sorted(b for a, b in rooms.arrows if a == room)
        yield f"{floors[room]:2} {room} -> {', '.join(below) or 'nothing'}"
    yield ""
    yield f"rooms: {len(rooms.names)}, arrows: {len(rooms.arrows)}"
    yield f"modules beside the packages of onboarding/: {len(beside)}"
    yield f"floors: {max(floors.values())}"
    yield f"circles: {len(rooms.circles())}"
    for circle in rooms.circles():
        yield f"  {' <-> '.join(sorted(circle))}"
        for (here, there), lines in sorted(rooms.imports.items()):
            if {here, there} <= circle:
                yield from (f"    {line}" for line in lines)


def main(arguments: list[str]) -> None:
    lines = mermaid(rooms()) if "--mermaid" in arguments else report(rooms())
    sys.stdout.write("\n".join([*lines, ""]))


if __name__ == "__main__":
    main(sys.argv[1:])
