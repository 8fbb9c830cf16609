"""What one check says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "fault"]


@dataclass(frozen=True)
class Finding:
    """`message` is one sentence or two, `fix` what to type or change; neither holds a secret."""

    id: str
    level: Level
    message: str
    fix: str = ""
