"""Processes with a wrong clock: Debian's faketime, as a library that they preload.

Its program would be the process that a test kills, and not the one with the wrong clock.
"""

from __future__ import annotations

from pathlib import Path


def library() -> str:
    """The path of the library; "" where it is not installed."""
    found = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    return str(next(found, ""))


def ahead(library: str, seconds: int) -> dict[str, str]:
    """The environment: the clock is so many seconds ahead, and no wait is longer or shorter for it."""
    return {**_preloaded(library), "FAKETIME": f"{seconds:+d}"}


def as_in(library: str, clock: Path) -> dict[str, str]:
    """The same, by what this file says, such as "+3600". It is read once a second."""
    return {
        **_preloaded(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
    }


def _preloaded(library: str) -> dict[str, str]:
    """A clock that is set does not move the monotonic one."""
    return {
        "LD_PRELOAD": library,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "PYTHONPATH": str(Path(__file__).parent / "wrong_clock"),
    }
