"""The lock is held, the disk or the cache is full, PostgreSQL restarts: pages answer, and say the truth.

docs/security/availability.md has the figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.conftest import POSTGRES
from tests.security.crowds import (
    Took,
    full_cache,
    full_disk,
    lock_held,
    one_process,
    readers,
    said,
    sign_ups,
)
from tests.support import postgres
from tests.support.site import Site, wait_until

CROWD = 40
PATIENCE = 10.0  # seconds; a machine with nothing else to do needs one
NOT_SAVED = "What you sent was not saved."
SENT = "We have sent a code"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with one_process(tmp_path_factory.mktemp("site")) as made:
        yield made


def ready(site: Site) -> tuple[int, dict[str, str]]:
    answer = requests.get(f"{site.url}/health/ready", timeout=60)
    return answer.status_code, answer.json()["checks"]


def all_read(others: Took) -> None:
    assert set(others.statuses) == {200}, str(others)
    assert others.slowest < PATIENCE


def all_is_well(site: Site, what: str) -> None:
    people = sign_ups(site, 3, f"{what}-after")
    assert said(people, SENT) == 3, str(people)


def test_while_the_lock_is_held_others_read_and_writers_are_told(site: Site) -> None:
    with readers(site, "/", "/connectors/", "/accounts/login/") as others, lock_held(site):
        people = sign_ups(site, CROWD, "lock")
        assert "nothing can be saved" in ready(site)[1]["database"]
    all_read(others)
    assert set(people.statuses) == {503}, str(people)
    assert said(people, NOT_SAVED) == len(people.pages)
    all_is_well(site, "lock")


def test_with_a_full_disk_others_read_and_writers_are_told(site: Site) -> None:
    with full_disk(site):
        with readers(site, "/", "/connectors/", "/accounts/login/") as others:
            people = sign_ups(site, CROWD, "disk")
        wait_until("the probe tells", lambda: "nothing can be saved" in ready(site)[1]["database"])
    all_read(others)
    assert set(people.statuses) == {503}, str(people)
    assert said(people, NOT_SAVED) == CROWD
    all_is_well(site, "disk")


def test_a_full_cache_table_is_culled_while_people_sign_up(site: Site) -> None:
    full_cache(site)
    with readers(site, "/", "/connectors/") as others:
        people = sign_ups(site, CROWD, "cache")
    all_read(others)
    assert set(people.statuses) == {200}, str(people)
    [row] = site.database.rows("SELECT COUNT(*) AS count FROM cache")
    assert row["count"] <= 100_001


@pytest.mark.skipif(not POSTGRES, reason="no PostgreSQL on this machine")
def test_a_restart_of_postgresql_costs_the_pages_of_that_moment(tmp_path: Path) -> None:
    assert POSTGRES
    with (
        postgres.restartable(POSTGRES) as (url, restart),
        one_process(tmp_path, DATABASE_URL=url) as site,
    ):
        sign_ups(site, CROWD, "before")
        with readers(site, "/connectors/", "/accounts/login/") as others:
            restart()
            wait_until("a page answers", lambda: requests.get(site.url, timeout=60).ok)
            others.pages.clear()
            people = sign_ups(site, CROWD, "after")
        all_read(others)
        assert said(people, SENT) == CROWD, str(people)
