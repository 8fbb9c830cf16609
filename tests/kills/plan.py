"""Where a merchant's call shall be when its process is killed: told through a file in a folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

BEFORE = "before"  # it has not left
HELD = "held"  # the sandbox has it, and has not done it
AFTER = "after"  # the sandbox has done it, and holds the answer
DEED = "deed"  # the answer is here, and not saved
SAVED = "saved"  # committed, and nothing since


@dataclass(frozen=True)
class Plan:
    """`by`: the process that makes the merchant's calls; `mints`: the web process makes this one.

    The call is the `nth` on `route` since this `way` began; "" is none: nothing is stopped.
    """

    by: str = "web"
    way: str = ""
    route: str = ""
    nth: int = 1
    at: str = ""
    mints: bool = False

    @classmethod
    def read(cls, folder: Path, merchant: str) -> Plan:
        path = folder / f"{merchant}.json"
        return cls(**json.loads(path.read_text())) if path.exists() else cls()

    def write(self, folder: Path, merchant: str, **changes: Any) -> Plan:
        plan = replace(self, **changes)
        draft = folder / f"{merchant}.draft"
        draft.write_text(json.dumps(asdict(plan)))
        draft.rename(folder / f"{merchant}.json")
        return plan
