"""`manage.py newvendor`: what it copies and refuses, and that the copy is a vendor whose tests are green."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

ROOT = Path(__file__).resolve().parents[2]
PLACES = (
    "bin", "docs", "onboarding", "static", "templates", "tests", "vendors",
    "gunicorn.conf.py", "manage.py", "pyproject.toml", "README.md",
)  # fmt: skip
ACME = ("vendors/acme/", "tests/vendors/acme/")
COMPILED = shutil.ignore_patterns("__pycache__")


def sources(root: Path) -> dict[str, str]:
    """Every Python source below `root`, by its path there."""
    files = (path for room in ("vendors", "tests") for path in (root / room).glob("**/*.py"))
    return {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in files}


@pytest.fixture
def checkout(tmp_path: Path, settings: Settings) -> Path:
    """The vendors and their tests, where the command may write."""
    for room in ("vendors", "tests/vendors"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=COMPILED)
    settings.BASE_DIR = tmp_path
    return tmp_path


def newvendor(slug: str = "acme") -> str:
    said = StringIO()
    call_command("newvendor", slug, stdout=said)
    return said.getvalue()


def test_it_says_what_it_created_and_where_to_go_on(checkout: Path) -> None:
    said = newvendor().splitlines()
    assert said[:2] == ["Created vendors/acme/", "Created tests/vendors/acme/"]
    assert said[2] == "Added Acme to ALL in vendors/__init__.py"
    assert "CONTRIBUTING.md" in said[3]


def test_a_vendor_is_two_folders_an_import_and_a_name(checkout: Path) -> None:
    before = sources(checkout)
    newvendor()
    after = sources(checkout)
    new = {path for path in after if path not in before}
    assert all(path.startswith(ACME) for path in new)
    assert [path for path in before if after[path] != before[path]] == ["vendors/__init__.py"]
    listed, unlisted = (each["vendors/__init__.py"].splitlines() for each in (after, before))
    added = [line for line in listed if line not in unlisted]
    assert added == ["from .acme.flow import Acme", "    Acme,"]


def test_every_file_is_copied_and_nothing_bears_the_templates_name(checkout: Path) -> None:
    newvendor()
    copied = {path: text for path, text in sources(checkout).items() if path.startswith(ACME)}
    template = [path for path in sources(checkout) if "/_template/" in path]
    assert sorted(copied) == sorted(path.replace("_template", "acme") for path in template)
    assert [path for path, text in copied.items() if "template" in text.lower()] == []
    assert "ACME_API_TOKEN" in copied["vendors/acme/sandbox/__init__.py"]


@pytest.mark.parametrize(
    ("slug", "why"),
    [
        ("Acme", "is no slug: use 2 to 30 lower-case letters and digits, a letter first."),
        ("a-b", "is no slug"),
        ("a/b", "is no slug"),
        ("7up", "is no slug"),
        ("a", "is no slug"),
        ("a" * 31, "is no slug"),
        ("class", "is no slug"),
        ("celigo", "vendors/celigo already exists: choose another slug."),
        ("reader", "vendors/reader.py already exists"),
        ("staff", "The code already uses the name Staff: choose another slug."),
    ],
)
def test_a_slug_that_cannot_be_is_refused_in_one_sentence(
    checkout: Path, slug: str, why: str
) -> None:
    before = sources(checkout)
    with pytest.raises(CommandError, match=re.escape(why)):
        newvendor(slug)
    assert sources(checkout) == before


def test_a_vendor_is_made_only_once(checkout: Path) -> None:
    newvendor()
    with pytest.raises(CommandError, match="vendors/acme already exists"):
        newvendor()


def test_without_the_template_it_says_what_is_missing(checkout: Path) -> None:
    shutil.rmtree(checkout / "tests")
    with pytest.raises(CommandError, match="tests/vendors/_template/ is missing"):
        newvendor()


def test_a_list_of_vendors_in_another_form_is_left_alone(checkout: Path) -> None:
    (checkout / "vendors/__init__.py").write_text("ALL = ()\n")
    before = sources(checkout)
    with pytest.raises(CommandError, match=r"vendors/__init__\.py has another form"):
        newvendor()
    assert sources(checkout) == before


# -- the new vendor's tests, in a copy of the project --------------------------------------------


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the vendor acme; nobody changes it."""
    root = tmp_path_factory.mktemp("project")
    for place in PLACES:
        if (ROOT / place).is_dir():
            shutil.copytree(ROOT / place, root / place, ignore=COMPILED)
        else:
            shutil.copy(ROOT / place, root / place)
    done = run(root, "manage.py", "newvendor", "acme")
    assert done.returncode == 0, done.stdout
    return root


def run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A Python program in the copy, with none of our settings; errors are in `stdout` too."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, *words],
        cwd=root,
        env={**kept, "DATA_DIR": str(root / "data")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def child_pytest(root: Path, *words: str) -> tuple[int, str]:
    """How a child pytest ends, and what it said."""
    options = ("-q", "-p", "no:cacheprovider", "--show-capture=no", "--tb=short")
    done = run(root, "-m", "pytest", *options, *words)
    return done.returncode, done.stdout


@pytest.mark.process
def test_a_new_vendor_keeps_the_contract(project: Path) -> None:
    status, said = child_pytest(project, "tests/contract", "tests/vendors/acme", "-k", "acme")
    assert status == 0, said


@pytest.mark.process
def test_each_call_of_a_new_vendor_may_fail_in_every_way(project: Path) -> None:
    status, said = child_pytest(project, "tests/faults", "-k", "acme")
    assert status == 0, said


@pytest.mark.process
@pytest.mark.kills
def test_a_new_vendor_survives_all_kills(project: Path) -> None:
    status, said = child_pytest(project, "tests/kills", "-k", "acme")
    assert status == 0, said


@pytest.mark.process
def test_a_new_vendor_needs_no_change_of_the_rules_and_the_registry(project: Path) -> None:
    status, said = child_pytest(project, "tests/unit/test_layers.py", "tests/unit/test_registry.py")
    assert status == 0, said
    checked = run(project, "-m", "ruff", "check", "--no-cache", ".")
    assert checked.returncode == 0, checked.stdout
    formatted = run(project, "-m", "ruff", "format", "--no-cache", "--check", ".")
    assert formatted.returncode == 0, formatted.stdout


@pytest.mark.process
def test_the_readmes_table_says_which_settings_a_new_vendor_adds(project: Path) -> None:
    status, said = child_pytest(project, "tests/unit/test_settings.py", "-k", "readme_lists")
    assert status == 1
    assert "Write into a table of README.md:" in said
    assert "| `ACME_API_URL` |" in said
    assert "| `ACME_API_TOKEN` |" in said


FIND = "if shop := self._find(order):"
FORGETFUL = """shop_id = str(order.memos.connection.get("shop", "none"))
        if shop := self.client().shop(shop_id):"""


@pytest.mark.process
def test_a_flow_that_makes_a_second_shop_on_connect_again_is_red(
    project: Path, tmp_path: Path
) -> None:
    """It knows what this attempt has made, and nothing of the shop that works."""
    root = shutil.copytree(project, tmp_path / "project", ignore=COMPILED)
    flow = root / "vendors" / "acme" / "flow.py"
    text = flow.read_text(encoding="utf-8")
    assert text.count(FIND) == 1
    flow.write_text(text.replace(FIND, FORGETFUL), encoding="utf-8")
    status, said = child_pytest(root, "tests/contract", "-k", "acme and creates")
    assert status == 1
    failed = {line.partition("::")[2] for line in said.splitlines() if line.startswith("FAILED")}
    assert {name.partition("[")[0] for name in failed} >= {
        "test_reconnecting_creates_no_second",
        "test_connecting_once_more_creates_nothing_twice",
    }, said
    assert "alive: 2, and not 1" in said
