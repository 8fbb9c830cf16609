"""docs/asvs.md answers each requirement of ASVS 5.0.0 up to level 2 once, and names only files that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOC = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
REQUIRED = (Path(__file__).parent / "asvs-5.0.0.txt").read_text().split()
ROW = re.compile(
    r"^\| (\d+\.\d+\.\d+) \| [12] \| [^|]+ \| ([^|]+) \| ([^|]*) \| ([^|]+) \|$", re.MULTILINE
)
ROWS: dict[str, tuple[str, str, str]] = {row[0]: row[1:] for row in ROW.findall(DOC)}
ANSWERS = ("met", "not applicable", "operator", "partly")


def test_each_requirement_is_answered_once_and_in_order() -> None:
    assert [row[0] for row in ROW.findall(DOC)] == REQUIRED
    assert len(REQUIRED) == 253


@pytest.mark.parametrize("number", REQUIRED)
def test_an_answer_says_how_or_why(number: str) -> None:
    answer, how, _ = ROWS[number]
    assert answer in ANSWERS
    assert re.search(r"\w{2,}.*[.)]$", how)


@pytest.mark.parametrize("number", REQUIRED)
def test_the_files_of_an_answer_exist(number: str) -> None:
    *_, files = ROWS[number]
    for name in re.findall(r"`([^`]+)`", files):
        assert (ROOT / name).exists(), f"{number}: {name}"


@pytest.mark.parametrize("number", REQUIRED)
def test_the_links_of_an_answer_lead_to_a_heading(number: str) -> None:
    for page, anchor in re.findall(r"\]\(([\w/.-]+\.md)#([\w-]+)\)", ROWS[number][1]):
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        headings = {_anchor(line) for line in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
        assert anchor in headings, f"{number}: {page}#{anchor}"


def test_the_summary_counts_right() -> None:
    given = [answer for answer, *_ in ROWS.values()]
    for word, answer in (
        ("met,", "met"),
        ("not applicable", "not applicable"),
        ("left to the operator", "operator"),
        ("met in part", "partly"),
    ):
        assert f"{given.count(answer)} {word}" in DOC


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
