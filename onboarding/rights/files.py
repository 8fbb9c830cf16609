"""An exported document, written by a command: to standard output, or to a file of its owner alone."""

from __future__ import annotations

import os
from typing import Protocol

from django.core.management.base import CommandError

from . import export
from .download import as_text


class Output(Protocol):
    def write(self, text: str) -> object: ...


def write(document: export.Json, path: str, output: Output) -> None:
    """Raises CommandError when the file is there already, or cannot be written."""
    if not path:
        output.write(as_text(document))
        return
    try:
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8") as file:
            file.write(as_text(document) + "\n")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", returncode=2) from None


def confirmed(question: str) -> bool:
    """Whether whoever sits at the terminal says yes; no without a terminal."""
    try:
        return input(f"{question} Type yes: ").strip().lower() == "yes"
    except EOFError:
        return False
