"""Keys that a site on a loopback address makes for itself, once, and keeps in DATA_DIR."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex


def kept(path: Path, make: Callable[[], str]) -> str:
    """The key in this file, readable by its owner alone; made when there is none.

    Several processes may start at once: the key is written beside its place and linked into it,
    so that one of them wins and all of them read the same whole key.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{token_hex(4)}")
        draft.touch(mode=0o600, exist_ok=False)
        draft.write_text(make(), encoding="ascii")
        _link(draft, path)
    return path.read_text(encoding="ascii").strip()


def _link(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was faster: its key counts
    finally:
        draft.unlink()
