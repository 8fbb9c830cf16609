"""The registry of the vendors' tests: each vendor declares its part of a matrix in its own folder.

A matrix (contract, faults, kills) has one dataclass; `required` says of each field what belongs there. A
vendor makes one of it in `tests/vendors/<slug>/<module>.py`. `declared` finds them all and compares them
with `vendors.ALL`: what is missing fails with its path, its name, and what it holds.
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
    "kills": "KILLS, a tests.kills.ways.Kills: the calls of each step, and what exists in the end",
    "trip": "Trip: a journey in small, which keeps the memos and repeats a call over Progress",
    "caller": "calls of the vendor's API and buttons of its pages, with no flow in between",
}
_MISSING: Any = object()


class Missing(Exception):
    """A vendor's tests lack something. The message says where it belongs and what it is."""


class Part(Protocol):
    """The dataclass of one matrix. `NAME` in `MODULE` of a vendor's folder is to be one."""

    MODULE: ClassVar[str]
    NAME: ClassVar[str]


P = TypeVar("P", bound=Part)


def required(holds: str) -> Any:
    """A field that each vendor gives. `holds` is what a vendor that has not given it is told."""
    return dataclasses.field(default=_MISSING, metadata={"holds": holds})


def slugs() -> tuple[str, ...]:
    return tuple(vendor.slug for vendor in vendors.ALL)


def declared(part: type[P]) -> Mapping[str, P]:
    """What the vendors declare, by slug, in the order of `vendors.ALL`. `Missing` names all gaps."""
    found: dict[str, P] = {}
    gaps = list(_strangers())
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
    """Fields that are not given, or given and empty."""
    for field in dataclasses.fields(cast(Any, made)):
        value = getattr(made, field.name)
        if "holds" in field.metadata and (value is _MISSING or value in ("", (), [], {})):
            yield f"`{field.name}`: {field.metadata['holds']}"


def _strangers() -> Iterator[str]:
    """Folders of vendors that nobody can choose: their rows would never be played."""
    folders = {path.name for path in FOLDER.iterdir() if path.is_dir() and path.name[0] != "_"}
    for slug in sorted(folders - set(slugs())):
        yield f"tests/vendors/{slug}/ belongs to no vendor of vendors.ALL"
