"""Local keys: a site on a loopback address generates missing keys and stores them in DATA_DIR."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex


def load_or_create_key(path: Path, create: Callable[[], str]) -> str:
    """The key in this file. A missing file is created, readable by its owner only.

    Several processes may start at the same time. Each writes its key to a temporary file and links
    that to `path`: one of them wins, and all of them read the same complete key.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{token_hex(4)}")
        draft.touch(mode=0o600, exist_ok=False)
        draft.write_text(create(), encoding="ascii")
        _link(draft, path)
    return path.read_text(encoding="ascii").strip()


def _link(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was faster; its key is used
    finally:
        draft.unlink()
