"""The rounds that the tests of this folder look at: played once, for the cases that were asked for."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kills.cases import STEPS, Case
from tests.kills.harness import Harness
from tests.kills.round import Result, Round
from tests.kills.undisturbed import Calls, calls_of
from tests.kills.ways import CONNECT

Results = dict[Case, Result]


@contextmanager
def harness(folder: Path, names: list[str]) -> Iterator[Harness]:
    """Started without a process; whatever happens, none is left."""
    made = Harness.made(folder, names)
    try:
        yield made
    finally:
        made.end()


@pytest.fixture(scope="session")
def results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """How each case ended. The web's and the worker's are played side by side, on sites of their own."""
    specs = [getattr(item, "callspec", None) for item in request.session.items]
    asked_for = [spec.params["case"] for spec in specs if spec and "case" in spec.params]
    wanted = dict.fromkeys(case for case in asked_for if isinstance(case, Case))

    def play(by: str) -> Results:
        cases = [case for case in wanted if case.by == by]
        rounds = [
            [case for case in cases if (case.way == CONNECT) == first] for first in (True, False)
        ]
        if not cases:
            return {}
        with harness(tmp_path_factory.mktemp(by), [str(case) for case in cases]) as site:
            return {k: v for each in rounds if each for k, v in Round(site, each).play().items()}

    with ThreadPoolExecutor(2) as threads:
        web, worker = threads.map(play, ("web", "worker"))
    return web | worker


@pytest.fixture(scope="session")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Calls:
    """What is called when nobody is killed."""
    names = ["-".join(key) for key in STEPS]
    with harness(tmp_path_factory.mktemp("undisturbed"), names) as site:
        return calls_of(site)
