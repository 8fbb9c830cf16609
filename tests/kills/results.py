"""Session fixtures of the kill tests: the results of the selected cases, and the baseline."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kills.baseline import Baseline, record_baseline
from tests.kills.cases import STEPS, Case
from tests.kills.harness import Harness
from tests.kills.kill_run import KillRun, Result
from tests.kills.scenarios import CONNECT

Results = dict[Case, Result]


@contextmanager
def harness(folder: Path, names: list[str]) -> Iterator[Harness]:
    """A site without processes; all that were started are stopped at the end."""
    made = Harness.create(folder, names)
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """How each case ended. The cases of web and worker run in parallel, each on its own site."""
    specs = [getattr(item, "callspec", None) for item in request.session.items]
    selected = [spec.params["case"] for spec in specs if spec and "case" in spec.params]
    wanted = dict.fromkeys(case for case in selected if isinstance(case, Case))

    def run(by: str) -> Results:
        cases = [case for case in wanted if case.by == by]
        groups = [
            [case for case in cases if (case.scenario == CONNECT) == first]
            for first in (True, False)
        ]
        if not cases:
            return {}
        with harness(tmp_path_factory.mktemp(by), [str(case) for case in cases]) as site:
            return {k: v for each in groups if each for k, v in KillRun(site, each).run().items()}

    with ThreadPoolExecutor(2) as threads:
        web, worker = threads.map(run, ("web", "worker"))
    return web | worker


@pytest.fixture(scope="session")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Baseline:
    """The calls of a run without kills."""
    names = ["-".join(key) for key in STEPS]
    with harness(tmp_path_factory.mktemp("undisturbed"), names) as site:
        return record_baseline(site)
