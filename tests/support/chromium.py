"""Debian's Chromium, as the tests and `make shots` start it."""

from __future__ import annotations

import shutil

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
