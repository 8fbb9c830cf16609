"""docs/structure.md against the tree: its list of modules, its picture, its links."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.support import import_graph
from tests.support.import_graph import ROOT, Rooms

DOC = (ROOT / "docs" / "structure.md").read_text(encoding="utf-8")
SLUGS = {
    path.parts[1] for path in import_graph.modules() if import_graph.room_of(path).count("<slug>")
}


def listed() -> set[str]:
    """The paths in the list of modules: a heading names the folder, a row the file."""
    found = set()
    for section in re.split(r"^### ", DOC, flags=re.MULTILINE)[1:]:
        folder = section.partition("\n")[0].strip("`")
        found |= {folder + name for name in re.findall(r"^- `([^`]+)`: \S", section, re.M)}
    return found


def there() -> set[str]:
    """The paths that the list must have. Vendors are listed once, by the names that all share."""
    outside = {str(path) for path in import_graph.modules() if path.parts[1] not in SLUGS}
    return outside | {f"vendors/<slug>/{name}" for name in shared()}


def of_vendors() -> dict[str, set[str]]:
    """The names directly below each vendor's folder; a package ends with a slash."""
    names: dict[str, set[str]] = {slug: set() for slug in SLUGS}
    for path in import_graph.modules():
        if path.parts[1] in SLUGS:
            names[path.parts[1]].add(path.parts[2] + "/" * (len(path.parts) > 3))
    return names


def shared() -> set[str]:
    return set.intersection(*of_vendors().values())


def line_of(path: str) -> str:
    """The line to write for a module, with its own first line as a proposal."""
    folder, _, name = path.rstrip("/").rpartition("/")
    file = ROOT / path
    said = ast.get_docstring(ast.parse(file.read_text())) if file.is_file() else None
    first = (said or "what one finds here.").partition("\n")[0]
    return f"below ### `{folder}/`:  - `{name}`: {first}"


def test_every_module_is_listed() -> None:
    missing = sorted(there() - listed())
    assert not missing, "Write into docs/structure.md:\n" + "\n".join(map(line_of, missing))


def test_every_listed_module_is_there() -> None:
    somewhere = {f"vendors/<slug>/{name}" for names in of_vendors().values() for name in names}
    vanished = sorted(listed() - there() - somewhere)
    assert not vanished, "Remove from docs/structure.md:\n" + "\n".join(vanished)


def test_the_picture_shows_the_real_imports() -> None:
    picture = re.search(r"^```mermaid\nflowchart TD\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)
    assert picture, "docs/structure.md has no picture"
    drawn = {line.strip() for line in picture[1].splitlines() if line.strip()}
    real = set(import_graph.mermaid(import_graph.rooms()))
    message = ["The picture in docs/structure.md differs from the code:"]
    message += [f"  remove  {line}" for line in sorted(drawn - real)]
    message += [f"  write   {line}" for line in sorted(real - drawn)]
    assert drawn == real, "\n".join(message)


def test_the_picture_leaves_out_only_what_follows() -> None:
    rooms = import_graph.rooms()
    drawn = Rooms(rooms.names, {arrow: rooms.imports[arrow] for arrow in rooms.drawn()})
    assert all(drawn.reached(room) == rooms.reached(room) for room in rooms.names)
    assert len(rooms.drawn()) < len(rooms.arrows)


def test_floors_and_circles_are_counted() -> None:
    imports = {("a", "b"): ("",), ("b", "c"): ("",), ("c", "b"): ("",), ("a", "d"): ("",)}
    rooms = Rooms(frozenset("abcd"), imports)
    assert rooms.circles() == [frozenset("bc")]
    assert rooms.floors() == {"a": 2, "b": 1, "c": 1, "d": 1}


def pages() -> list[Path]:
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]
    return [*found, *sorted((ROOT / "docs").glob("**/*.md"))]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_the_documents_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|mailto:)([^)#\s]*)(#[^)\s]*)?\)", text)
    assert not [to for to, _ in links if to and not (page.parent / to).exists()]
    for to, anchor in links:
        target = page.parent / to if to else page
        if anchor and target.suffix == ".md":
            assert anchor.removeprefix("#") in anchors(target), f"{to}{anchor}"


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_that_a_document_names_exists(page: Path) -> None:
    """A path in backquotes, from the root of the project; `<slug>` stands for any vendor."""
    folders = "onboarding|vendors|tests|docs|templates|static|bin"
    found = re.findall(rf"`((?:{folders})/[\w./<>-]*)`", page.read_text(encoding="utf-8"))
    assert not [path for path in found if not any(ROOT.glob(path.replace("<slug>", "*")))]


def anchors(page: Path) -> set[str]:
    """GitHub's anchors of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_index_names_every_page_of_the_docs() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(([^)#]+)", index))
    for page in (ROOT / "docs").glob("**/*.md"):
        name = str(page.relative_to(ROOT / "docs"))
        assert name in {*linked, "README.md"} or name.startswith("adr/0"), f"not indexed: {name}"
