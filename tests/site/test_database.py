"""The site's processes on the database of this run, with its connection pool."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests
from django.db import connection

from tests.kills.merchant import TOKEN, signed_in
from tests.support.racing import database_url
from tests.support.site import ROOT, Site, wait_until
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


def merchant(site: Site) -> tuple[str, requests.Session]:
    """A business, and the browser of its owner."""
    command = [sys.executable, "-m", "tests.kills.seed", "ann"]
    said = subprocess.run(command, cwd=ROOT, env=site.env, stdout=subprocess.PIPE, check=True)
    known = json.loads(said.stdout)["ann"]
    return known["merchant"], signed_in(site, known["session"])


def travel(site: Site, ours: requests.Session, url: str) -> str:
    """Follow the links and press "approve" and "Continue" until a page of ours says how it ended."""
    there, text = requests.Session(), ""

    def arrived() -> bool:
        nonlocal url, text
        if url.startswith(site.stage.url):
            form = {"case": "approve", "user": "new", "email": "ann@example.org", "store": "Shop"}
            answer = there.post(
                there.get(url, timeout=20).url, form, timeout=20, allow_redirects=False
            )
        else:
            answer = ours.get(url, timeout=20, allow_redirects=False)
        text = answer.text
        if f"{url.removeprefix(site.url)}continue/" in text:
            answer = press(ours, f"{url}continue/")
        url = urljoin(url, answer.headers.get("Location", ""))
        return "is connected" in text

    wait_until("the shop is connected", arrived)
    return text


def press(ours: requests.Session, url: str, **form: str) -> requests.Response:
    data = {"csrfmiddlewaretoken": TOKEN, **form}
    return ours.post(url, data, timeout=20, allow_redirects=False)


def test_a_shop_is_connected_by_the_sites_own_processes(site: Site) -> None:
    reference, ours = merchant(site)
    path = f"{site.url}/m/{reference}/connect/itembase-ebay/"
    answer = press(ours, path, name="My shop")
    assert answer.status_code == 303
    assert "My shop" in travel(site, ours, urljoin(path, answer.headers["Location"]))
    assert site.stage.counts("itembase")["made"]["connections"] == 1
    assert "ERROR" not in site.logs()
