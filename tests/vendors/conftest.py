"""The sandbox that the tests of one vendor run against."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from vendors import sandbox


@pytest.fixture
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sandbox.Running]:
    """A new sandbox, with the vendor alone in whose folder the test lies."""
    server = sandbox.start(tmp_path, vendors=[request.path.parent.name])
    yield server
    server.stop()
