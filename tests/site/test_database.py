"""The site's processes on the database of this run, with its connection pool."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from django.db import connection

from tests.support.connecting import merchant, press, travel
from tests.support.racing import database_url
from tests.support.site import Site
from vendors import sandbox

pytestmark = pytest.mark.both


@pytest.fixture
def more(transactional_db: None) -> Iterator[dict[str, str]]:
    """The settings of a site with a new database of the same kind."""
    if connection.vendor == "sqlite":
        yield {}
        return
    name = f"{connection.settings_dict['NAME']}_site"  # of this test process alone
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        yield {"DATABASE_URL": database_url(name)}
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def site(tmp_path: Path, more: dict[str, str]) -> Iterator[Site]:
    stage = sandbox.start(tmp_path / "sandbox")
    made = Site(tmp_path, stage, extra_env=more)
    made.prepare()
    made.start()
    yield made
    made.stop()
    stage.stop()


def test_a_shop_is_connected_by_the_sites_own_processes(site: Site) -> None:
    reference, ours = merchant(site)
    path = f"{site.url}/m/{reference}/connect/itembase-ebay/"
    answer = press(ours, path, name="My shop")
    assert answer.status_code == 303
    assert "My shop" in travel(site, ours, urljoin(path, answer.headers["Location"]))
    assert site.stage.counts("itembase")["made"]["connections"] == 1
    assert "ERROR" not in site.logs()
