"""Finding: the result of one check of `manage.py doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "fault"]


@dataclass(frozen=True)
class Finding:
    """`message` is one or two sentences, `fix` is what to type or change. Neither holds a secret."""

    id: str
    level: Level
    message: str
    fix: str = ""
