"""The registry of the vendors' tests: each vendor declares its part of a test matrix in its own folder.

Each matrix (contract, faults, kills) has one dataclass, whose `required` fields say what belongs there.
A vendor creates an instance in `tests/vendors/<slug>/<module>.py`. `declared` finds them all and compares
them with `vendors.ALL`: a missing one fails with its path, its name and what it holds.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, cast

import vendors

FOLDER, PACKAGE = Path(__file__).resolve().parents[1] / "vendors", "tests.vendors"
# The modules of a vendor's folder, beside its test_*.py: the same names for every vendor.
MODULES: Mapping[str, str] = {
    "contract": "CONTRACT, a tests.contract.row.Contract: each case and where it ends",
    "faults": "MATRIX, a tests.faults.scene.Matrix: each documented call, and how it comes to be made",
    "kills": "KILLS, a tests.kills.scenarios.Kills: the calls of each step, and what exists in the end",
    "trip": "Trip: a small journey that stores the memos and repeats a call after Progress",
    "caller": "direct calls of the vendor's API and buttons of its pages, without our flow",
}
_MISSING: Any = object()


class Missing(Exception):
    """A declaration is missing from a vendor's tests. The message says where it belongs and what it holds."""


class Part(Protocol):
    """The dataclass of one matrix. A vendor's folder holds an instance, `NAME` in `MODULE`."""

    MODULE: ClassVar[str]
    NAME: ClassVar[str]


P = TypeVar("P", bound=Part)


def required(holds: str) -> Any:
    """A field that each vendor must set. `holds` describes it in the error message."""
    return dataclasses.field(default=_MISSING, metadata={"holds": holds})


def slugs() -> tuple[str, ...]:
    return tuple(vendor.slug for vendor in vendors.ALL)


def declared(part: type[P]) -> Mapping[str, P]:
    """The declarations by slug, in the order of `vendors.ALL`. `Missing` names all gaps."""
    found: dict[str, P] = {}
    gaps = list(_unknown_folders())
    for slug in slugs():
        try:
            found[slug] = declared_by(slug, part)
        except Missing as missing:
            gaps.append(str(missing))
    if gaps:
        raise Missing("\n".join(gaps))
    return found


def declared_by(slug: str, part: type[P]) -> P:
    path = f"tests/vendors/{slug}/{part.MODULE}.py"
    if not (FOLDER / slug / f"{part.MODULE}.py").exists():
        raise Missing(f"{path} is missing. It holds {MODULES[part.MODULE]}")
    made = getattr(importlib.import_module(f"{PACKAGE}.{slug}.{part.MODULE}"), part.NAME, None)
    if not isinstance(made, part):
        raise Missing(f"{path} has no {part.NAME}. It holds {MODULES[part.MODULE]}")
    if gaps := list(_gaps(made)):
        raise Missing("\n".join(f"{path}: {part.NAME} has no {gap}" for gap in gaps))
    return made


def _gaps(made: Part) -> Iterator[str]:
    """Fields that are missing or empty."""
    for field in dataclasses.fields(cast(Any, made)):
        value = getattr(made, field.name)
        if "holds" in field.metadata and (value is _MISSING or value in ("", (), [], {})):
            yield f"`{field.name}`: {field.metadata['holds']}"


def _unknown_folders() -> Iterator[str]:
    """Folders that belong to no vendor: their rows would never run."""
    folders = {path.name for path in FOLDER.iterdir() if path.is_dir() and path.name[0] != "_"}
    for slug in sorted(folders - set(slugs())):
        yield f"tests/vendors/{slug}/ belongs to no vendor of vendors.ALL"
