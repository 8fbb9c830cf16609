"""Import and call rules that import-linter cannot express; README.md lists all rules."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import vendors
from vendors.contract import Vendor

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (*(vendor.slug for vendor in vendors.ALL), "_template")
MODULES = sorted(
    path
    for folder in FOLDERS
    for path in (ROOT / "vendors" / folder).glob("**/*.py")
    if path.stat().st_size
)
SITE = sorted((ROOT / "onboarding").glob("**/*.py"))
RUNS = {"advance", "check"}  # what runs the journey: each asks a vendor
RUNNERS = ("onboarding/background/", "onboarding/journey/")
SANDBOXES = [path for path in MODULES if "sandbox" in (path.stem, path.parent.name)]
OURS = [path for path in MODULES if path not in SANDBOXES]
NOT_RULES = {"test_there_are_vendors_to_look_at", "test_a_stored_key_is_recognised"}
STANDARD = ("client", "flow", "memo", "offer", "staff")  # modules of every vendor's folder


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


@pytest.mark.parametrize("path", [p for p in OURS if p.name != "client.py"], ids=named)
def test_only_the_client_calls_over_http(path: Path) -> None:
    assert not [
        name
        for name in imported(path)
        if name.startswith(("vendors.http.api", "vendors.http.wire", "requests"))
    ]


def runs_the_journey(path: Path) -> bool:
    """Whether a module calls `journey.advance` or `journey.check`, or imports one of them."""
    calls = {
        node.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in {"journey", "engine"}
    }
    names = {f"onboarding.journey.{name}" for name in RUNS}
    names |= {f"onboarding.journey.engine.{name}" for name in RUNS}
    return bool(calls & RUNS) or not names.isdisjoint(imported(path))


def test_only_the_background_runs_the_journey() -> None:
    """A page that called it would wait for a vendor; everything else writes `due_at`."""
    found = {named(path) for path in SITE if runs_the_journey(path)}
    assert {path for path in found if not path.startswith(RUNNERS)} == set()
    assert "onboarding/background/runner.py" in found


def contracts() -> dict[str, set[str]]:
    """The contracts in pyproject.toml: name → the modules that each speaks of."""
    settings: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    fields = (
        "source_modules", "forbidden_modules", "protected_modules", "allowed_importers", "modules"
    )  # fmt: skip
    return {
        contract["name"]: {module for field in fields for module in contract.get(field, ())}
        for contract in settings["tool"]["importlinter"]["contracts"]
    }


def rules() -> dict[str, set[str]]:
    """The rows of the README's table of rules: name → the modules and tests in backquotes."""
    table = (ROOT / "README.md").read_text().partition("### Who may import whom")[2]
    rows = re.findall(r"^\| ([^|`]+) \| (.+) \|$", table.partition("\n#")[0], re.MULTILINE)
    return {name: set(re.findall(r"`([^`]+)`", rest)) for name, rest in rows if name != "rule"}


def test_the_readme_lists_the_contracts_of_import_linter() -> None:
    ours = {name: said for name, said in rules().items() if "test_layers" not in str(said)}
    assert ours == contracts()


def test_the_readme_lists_the_rules_of_this_module() -> None:
    said = {
        name.removeprefix("test_layers.")
        for row in rules().values()
        for name in row
        if name.startswith("test_layers.")
    }
    assert (
        said
        == {name for name in globals() if name.startswith("test_") and "readme" not in name}
        - NOT_RULES
    )


@pytest.mark.parametrize("vendor", vendors.ALL, ids=lambda vendor: vendor.slug)
def test_all_vendors_have_the_same_modules(vendor: type[Vendor]) -> None:
    folder = ROOT / "vendors" / vendor.slug
    there = {path.stem for path in OURS if path.parent == folder}
    assert [name for name in STANDARD if name not in there] == []
    assert folder / "sandbox" / "__init__.py" in SANDBOXES
    assert vendor.__module__ == f"vendors.{vendor.slug}.flow"


def stored_keys(tree: ast.AST) -> Iterator[str]:
    """Where a memo of an order is read by a key: `….account["key"]`, `….connection.get("key")`."""
    for node in ast.walk(tree):
        read = node.value if isinstance(node, ast.Subscript) else None
        if isinstance(node, ast.Attribute) and node.attr == "get":
            read = node.value
        if isinstance(read, ast.Attribute) and read.attr in ("account", "connection"):
            yield ast.unparse(node)


@pytest.mark.parametrize("path", [p for p in OURS if p.name != "memo.py"], ids=named)
def test_only_the_memo_module_knows_what_is_stored(path: Path) -> None:
    assert list(stored_keys(ast.parse(path.read_text()))) == []


@pytest.mark.parametrize(
    "line", ['order.memos.account["tenant"]', 'live.connection.get("key")', "draft.account[key]"]
)
def test_a_stored_key_is_recognised(line: str) -> None:
    assert list(stored_keys(ast.parse(line)))


def test_only_one_module_decides_which_methods_a_view_takes() -> None:
    """Django's decorators forget HEAD, and do not tell from outside what a view takes."""
    others = (ROOT / "onboarding").rglob("*.py")
    found = [path.name for path in others if "views.decorators.http" in path.read_text()]
    assert found == ["methods.py"]
