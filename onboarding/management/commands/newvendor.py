"""`manage.py newvendor <slug>`: scaffold of a vendor, copied from the template under a new name.

The template is `vendors/_template/` and `tests/vendors/_template/`: a small vendor that works. Nothing
imports it but its own tests.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

TEMPLATE = "_template"
ROOMS = ("vendors", "tests/vendors")
LIST = "vendors/__init__.py"
SLUG = re.compile(r"[a-z][a-z0-9]{1,29}")


class Command(BaseCommand):
    help = (
        "Copy the template of a vendor to vendors/<slug>/ and tests/vendors/<slug>/, and list it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="lower-case letters and digits, like acme")

    def handle(self, *args: Any, slug: str, **options: Any) -> None:  # Any: Django's signature
        root = Path(settings.BASE_DIR)
        if problem := _problem(root, slug):
            raise CommandError(problem)
        text = _listed((root / LIST).read_text(encoding="utf-8"), slug)
        for room in ROOMS:
            _copy(root / room / TEMPLATE, root / room / slug, slug)
            self.stdout.write(f"Created {room}/{slug}/")
        (root / LIST).write_text(text, encoding="utf-8")
        self.stdout.write(f"Added {slug.title()} to ALL in {LIST}")
        self.stdout.write("CONTRIBUTING.md, “Add a vendor”, says how to continue.")


def _problem(root: Path, slug: str) -> str:
    """Why there can be no vendor of this name; "" if there can."""
    if not SLUG.fullmatch(slug) or keyword.iskeyword(slug):
        return f"“{slug}” is no slug: use 2 to 30 lower-case letters and digits, a letter first."
    for room in ROOMS:
        if not (root / room / TEMPLATE).is_dir():
            return f"{room}/{TEMPLATE}/ is missing: run this in a complete checkout."
        if taken := _taken(root / room, slug):
            return f"{taken.relative_to(root)} already exists: choose another slug."
    if slug.title() in _names(root):
        return f"The code already uses the name {slug.title()}: choose another slug."
    return ""


def _taken(room: Path, slug: str) -> Path | None:
    return next((path for path in (room / slug, room / f"{slug}.py") if path.exists()), None)


def _names(root: Path) -> set[str]:
    """Every word of the files among which the new class will stand."""
    files = [root / LIST, *_sources(root / "vendors" / TEMPLATE)]
    return {word for file in files for word in re.findall(r"\w+", file.read_text(encoding="utf-8"))}


def _sources(folder: Path) -> Iterator[Path]:
    """Without what Python compiled."""
    return folder.glob("**/*.py")


def _copy(template: Path, folder: Path, slug: str) -> None:
    for source in _sources(template):
        target = folder / source.relative_to(template)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_renamed(source.read_text(encoding="utf-8"), slug), encoding="utf-8")


def _renamed(text: str, slug: str) -> str:
    """The module and slug, the prefix of the settings, the class and the name that merchants read."""
    text = text.replace(TEMPLATE, slug).replace(TEMPLATE.upper(), slug.upper())
    return text.replace("Template", slug.title())


def _listed(text: str, slug: str) -> str:
    """vendors/__init__.py with one import and one name more."""
    name, imports = slug.title(), re.findall(r"^from \..*$", text, re.MULTILINE)
    before = "\n".join(imports)
    after = "\n".join(sorted([*imports, f"from .{slug}.flow import {name}"]))
    text, names = re.subn(
        r"^(ALL: .*?)^\)$", rf"\1    {name},\n)", text, count=1, flags=re.MULTILINE | re.DOTALL
    )
    if before not in text or not names:
        raise CommandError(f"{LIST} has another form than expected: nothing was changed.")
    return text.replace(before, after)
