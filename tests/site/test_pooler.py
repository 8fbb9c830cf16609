"""A site behind PgBouncer in transaction mode, which hands each transaction to any of its connections."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.support import pgbouncer
from tests.support.connecting import merchant, press, travel
from tests.support.site import MANAGE, ROOT, Site
from vendors import sandbox

LIMITS = """
from django.db import connection, transaction
def limits():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(n) FROM unnest(%s::text[]) n", [[
            "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"]])
        return [row[0] for row in cursor.fetchall()]
with transaction.atomic():
    inside = limits()
    with transaction.atomic():
        nested = limits()
print(inside, nested, limits())
"""
OURS, NONE = ["30s", "5s", "5s"], ["0", "0", "0"]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sandbox.Running]:
    running = sandbox.start(tmp_path_factory.mktemp("sandbox"))
    yield running
    running.stop()


@pytest.fixture
def site(tmp_path: Path, stage: sandbox.Running, pooler: str) -> Iterator[Site]:
    made = Site(tmp_path, stage, extra_env={"DATABASE_URL": pooler})
    yield made
    made.stop()


def test_a_shop_is_connected_through_it(site: Site) -> None:
    site.prepare()
    site.start()
    reference, ours = merchant(site)
    path = f"{site.url}/m/{reference}/connect/itembase-ebay/"
    answer = press(ours, path, name="My shop")
    assert "My shop" in travel(site, ours, urljoin(path, answer.headers["Location"]))
    assert site.stage.counts("itembase")["made"]["connections"] == 1
    assert "ERROR" not in site.logs()
    found = json.loads(site.manage("doctor", "--json"))
    assert found["ok"], found


def test_each_transaction_has_our_limits_and_leaves_none_behind(site: Site) -> None:
    assert site.manage("shell", "-v0", "-c", LIMITS).strip() == f"{OURS} {OURS} {NONE}"


def test_a_pooler_that_drops_our_limits_in_silence_is_noticed(
    site: Site, postgres_url: str
) -> None:
    with pgbouncer.in_front_of(postgres_url, "ignore_startup_parameters = options") as url:
        site.extra_env["DATABASE_URL"] = url
        assert site.manage("shell", "-v0", "-c", LIMITS).strip() == f"{OURS} {OURS} {NONE}"


def test_without_a_pooler_the_limits_hold_everywhere(site: Site, postgres_url: str) -> None:
    site.extra_env["DATABASE_URL"] = postgres_url
    assert site.manage("shell", "-v0", "-c", LIMITS).strip() == f"{OURS} {OURS} {OURS}"


def test_what_the_pooler_says_of_options_of_the_operator_is_shown(site: Site) -> None:
    site.extra_env["DATABASE_URL"] += "?options=-c%20search_path%3Delsewhere"
    done = subprocess.run(
        [*MANAGE, "check"], cwd=ROOT, env=site.env, capture_output=True, text=True, check=False
    )
    assert "The database refuses us: unsupported startup parameter: options" in done.stderr
    assert "ignore_startup_parameters" in done.stderr
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
