"""What a reader of the code would have to trust: nothing goes to a page unescaped, no check is silenced."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = [
    *(path for room in ("onboarding", "vendors", "bin") for path in (ROOT / room).rglob("*.py")),
    ROOT / "gunicorn.conf.py",
    ROOT / "manage.py",
]
UNESCAPED = re.compile(r"\|\s*safe(seq)?\b|{%-?\s*(autoescape\s+off|filter\s+safe)|\|\s*js\b")
TRUSTED = re.compile(
    r"mark_safe|SafeString\(|SafeText\(|autoescape=False|\b(eval|exec|pickle|marshal)\b\s*[.(]"
)
# It puts files of ours into pages; tests/unit/test_icons.py says what may be in them.
DRAWINGS = ROOT / "onboarding" / "templatetags" / "icons.py"
RAW_SQL = re.compile(r"\.(raw|extra)\(|RawSQL|execute(many)?\(\s*f[\"']|execute(many)?\([^)]*%\s")
PRAGMA = re.compile(r"PRAGMA busy_timeout = {\w+}")  # takes no parameters; ours are numbers


def lines(paths: list[Path]) -> Iterator[tuple[str, str]]:
    for path in paths:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            yield f"{path.relative_to(ROOT)}:{number}", line


def found(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    return [where for where, line in lines(paths) if pattern.search(line)]


def pages() -> list[Path]:
    return [*(ROOT / "templates").rglob("*.html"), *(ROOT / "vendors").rglob("*.html")]


def test_no_page_shows_anything_unescaped() -> None:
    assert len(pages()) > 50
    assert found(UNESCAPED, pages()) == []


def test_no_code_declares_text_safe_or_runs_text() -> None:
    assert found(TRUSTED, [path for path in CODE if path != DRAWINGS]) == []


def test_no_query_is_put_together_from_text() -> None:
    assert [
        where for where, line in lines(CODE) if RAW_SQL.search(line) and not PRAGMA.search(line)
    ] == []


@pytest.mark.parametrize(
    "text", ["{{ name|safe }}", "{% autoescape off %}", "{{ a | safeseq }}", "{% filter safe %}"]
)
def test_an_unescaped_text_would_be_found(text: str) -> None:
    assert UNESCAPED.search(text)


@pytest.mark.parametrize(
    "text", ["mark_safe(x)", "eval(x)", "pickle.loads(x)", "Template(x, autoescape=False)"]
)
def test_text_that_is_declared_safe_would_be_found(text: str) -> None:
    assert TRUSTED.search(text)


def test_every_silenced_finding_names_its_check_and_gives_a_reason() -> None:
    """Ruff and bandit have a rule in common: both are named, and the reason follows."""
    silenced = [(where, line) for where, line in lines(CODE) if re.search(r"nosec|noqa: S", line)]
    reasoned = re.compile(r"# noqa: S\d{3}(, S\d{3})*  (# nosec B\d{3}(, B\d{3})*  )?# \w")
    assert silenced
    assert [where for where, line in silenced if not reasoned.search(line)] == []
