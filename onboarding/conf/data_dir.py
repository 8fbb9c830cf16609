"""DATA_DIR: whether this process can write there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

PROBE = bytes(64 * 1024)


def fault(folder: Path) -> str:
    """Why nothing can be written into this folder, in the system's words; "" if all is well.

    It makes the folder and writes a file: only that shows a full disk or a read-only mount.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(PROBE)
            probe.flush()
    except OSError as error:
        return os.strerror(error.errno) if error.errno else type(error).__name__
    return ""
