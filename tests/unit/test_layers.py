"""What modules of a vendor's folder may import, whichever vendor; import-linter has the rest."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import vendors

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(
    path
    for vendor in vendors.ALL
    for path in (ROOT / "vendors" / vendor.slug).glob("**/*.py")
    if path.stat().st_size
)
SANDBOXES = [path for path in MODULES if "sandbox" in (path.stem, path.parent.name)]


def imported(path: Path) -> Iterator[str]:
    """Absolute names of everything a module imports; `from x import y` gives x.y."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join([*above, *filter(None, [node.module])])
            yield from (f"{module}.{name.name}" for name in node.names)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def slug(path: Path) -> str:
    return path.relative_to(ROOT / "vendors").parts[0]


def test_there_are_vendors_to_look_at() -> None:
    assert len({slug(path) for path in MODULES}) == len({slug(path) for path in SANDBOXES}) >= 2


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_no_vendor_knows_another(path: Path) -> None:
    slugs = {slug(module) for module in MODULES} - {slug(path)}
    assert not [name for name in imported(path) if any(f"vendors.{s}" in name for s in slugs)]


@pytest.mark.parametrize("path", SANDBOXES, ids=named)
def test_a_sandbox_never_reads_its_own_client(path: Path) -> None:
    """Two independent readings of the docs: a shared type would agree with its own mistakes."""
    allowed = (f"vendors.{slug(path)}.sandbox", "vendors.sandbox")
    ours = [name for name in imported(path) if name.startswith("vendors.")]
    assert all(name.startswith(allowed) for name in ours), ours


@pytest.mark.parametrize("path", [p for p in MODULES if p.name == "flow.py"], ids=named)
def test_a_flow_calls_only_through_its_client(path: Path) -> None:
    assert not [
        name
        for name in imported(path)
        if name.startswith(("vendors.http.api", "vendors.http.wire", "requests"))
    ]
