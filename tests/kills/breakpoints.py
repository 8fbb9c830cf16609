"""Breakpoints: where a merchant's call is to be when its process is killed. One file per merchant."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

BEFORE = "before"  # the request has not been sent
HELD = "held"  # the sandbox has the request, and has not executed it
AFTER = "after"  # the sandbox has executed it, and holds the response
RECEIVED = "received"  # the response has arrived, and nothing is saved
SAVED = "saved"  # the transaction is committed, and nothing else has happened


@dataclass(frozen=True)
class Breakpoint:
    """`by`: the process that makes the merchant's calls; `mints`: the web process makes this one.

    The call is the `nth` on `route` since `scenario` began. An empty `route` halts nothing.
    """

    by: str = "web"
    scenario: str = ""
    route: str = ""
    nth: int = 1
    at: str = ""
    mints: bool = False

    @classmethod
    def read(cls, folder: Path, merchant: str) -> Breakpoint:
        path = folder / f"{merchant}.json"
        return cls(**json.loads(path.read_text())) if path.exists() else cls()

    def write(self, folder: Path, merchant: str, **changes: Any) -> Breakpoint:
        breakpoint = replace(self, **changes)
        draft = folder / f"{merchant}.draft"
        draft.write_text(json.dumps(asdict(breakpoint)))
        draft.rename(folder / f"{merchant}.json")
        return breakpoint
