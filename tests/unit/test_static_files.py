"""The style sheet and the scripts: one sheet of all parts, and htmx where a page asks by itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage

from onboarding.conf import static_files

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = {
    str(path.relative_to(ROOT / "templates")): path.read_text()
    for path in (ROOT / "templates").rglob("*.html")
}
FONT = ROOT / "static/vendor/inter/inter.woff2"


@pytest.fixture(scope="module")
def sheet() -> str:
    """The one style sheet, as `collectstatic` puts it together."""
    storage = FileSystemStorage(ROOT / "static")
    names = [f"css/{path.name}" for path in (ROOT / "static/css").glob("*.css")]
    return static_files.joined({name: (storage, name) for name in names}).decode()


def test_the_one_sheet_has_every_part_in_the_order_of_its_list(sheet: str) -> None:
    listed = static_files.IMPORT.findall((ROOT / "static/css/site.css").read_text())
    parts = {path.name for path in (ROOT / "static/css").glob("*.css")} - {"site.css", "admin.css"}
    assert {*listed} == parts
    firsts = [re.search(r"^[.:@*\w][^{\n]*\{", _part(name), re.M) for name in listed]
    places = [sheet.index(first[0]) for first in firsts if first]
    assert places == sorted(places)
    assert "@import" not in sheet
    assert "/*" not in sheet


def _part(name: str) -> str:
    return static_files.COMMENT.sub("", (ROOT / "static/css" / name).read_text())


def test_the_font_that_every_page_loads_is_small() -> None:
    assert FONT.stat().st_size < 25_000
    assert (FONT.parent / "LICENSE").exists()


def test_a_page_that_asks_by_itself_loads_htmx_and_no_other_does() -> None:
    pages = [name for name, text in TEMPLATES.items() if "{% extends" in text]
    asks = {name for name in pages if "hx-" in whole(name)}
    loads = {name for name in pages if "components/htmx.html" in TEMPLATES[name]}
    assert asks == loads


def whole(name: str) -> str:
    """The text of a template with that of all that it includes."""
    text = TEMPLATES.get(name, "")
    included = re.findall(r'{% include "([\w/.-]+)"', text)
    return text + "".join(whole(each) for each in included if each != "components/htmx.html")
