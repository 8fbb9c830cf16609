"""The lock file of Lighthouse installs the same on each machine: its last changes are made by hand."""

from __future__ import annotations

import json

from tests.support.site import ROOT


def test_the_lock_file_of_lighthouse_leaves_nothing_open() -> None:
    """npm writes from where it took a package, and passes on "latest"; with the second, `npm ci` breaks as
    soon as there is a newer version."""
    lock = json.loads((ROOT / "tests/lighthouse/package-lock.json").read_text())
    for name, package in lock["packages"].items():
        assert "resolved" not in package, name
        assert "latest" not in package.get("dependencies", {}).values(), name
