"""The registry of the vendors' tests: a missing declaration is reported with its path and content."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

import vendors
from tests.support import registry
from vendors.contract import Vendor

SLUGS = [vendor.slug for vendor in vendors.ALL]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A matrix in small."""

    MODULE: ClassVar[str] = "faults"
    NAME: ClassVar[str] = "PART"

    rows: tuple[str, ...] = registry.required("each row, by name")


class Acme(Vendor):
    slug = "acme"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A vendor that is only in `vendors.ALL`."""
    (tmp_path / "acme").mkdir()
    monkeypatch.setattr(registry, "FOLDER", tmp_path)
    monkeypatch.setattr(registry, "PACKAGE", "registered")
    monkeypatch.setattr(vendors, "ALL", (Acme,))
    package = type(sys)("registered")
    package.__path__ = [str(tmp_path)]
    monkeypatch.setitem(sys.modules, "registered", package)
    yield tmp_path / "acme"
    for name in [name for name in sys.modules if name.startswith("registered.")]:
        del sys.modules[name]


def missing() -> str:
    with pytest.raises(registry.Missing) as caught:
        registry.declared(Part)
    return str(caught.value)


def write(folder: Path, rows: str) -> None:
    code = f"from {__name__} import Part\nPART = Part({rows})\n"
    (folder / "faults.py").write_text(code)


def test_a_folder_that_declares_its_part_is_found(folder: Path) -> None:
    write(folder, "rows=('a',)")
    assert registry.declared(Part)["acme"].rows == ("a",)


def test_a_missing_file_is_reported_with_its_path_and_content(folder: Path) -> None:
    assert missing().startswith("tests/vendors/acme/faults.py is missing. It holds MATRIX, a ")


def test_without_the_name_it_says_which(folder: Path) -> None:
    (folder / "faults.py").write_text("")
    assert missing().startswith("tests/vendors/acme/faults.py has no PART. It holds MATRIX, a ")


@pytest.mark.parametrize("rows", ["", "rows=()"])
def test_a_missing_or_empty_field_is_reported_with_its_content(folder: Path, rows: str) -> None:
    write(folder, rows)
    assert missing() == "tests/vendors/acme/faults.py: PART has no `rows`: each row, by name"


def test_a_folder_without_a_vendor_is_reported(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vendors, "ALL", ())
    assert missing() == "tests/vendors/acme/ belongs to no vendor of vendors.ALL"


def test_the_template_of_a_vendor_is_no_such_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.rename(folder.parent / "_template")
    monkeypatch.setattr(vendors, "ALL", ())
    assert registry.declared(Part) == {}


@pytest.mark.parametrize("slug", [*SLUGS, "_template"])
def test_every_vendor_has_the_same_modules(slug: str) -> None:
    there = {path.stem for path in (registry.FOLDER / slug).glob("*.py")}
    lacking = {name: registry.MODULES[name] for name in registry.MODULES if name not in there}
    assert lacking == {}, f"belongs into tests/vendors/{slug}/"
    others = {name for name in there if not name.startswith("test_")} - set(registry.MODULES)
    assert others == set(), "what all vendors have has one name"
