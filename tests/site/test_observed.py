"""Observability of a running site: health, metrics and log lines of real processes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.kills.merchant import TOKEN, signed_in
from tests.support.database import Database
from tests.support.site import ROOT, Site, wait_until
from vendors import sandbox

pytestmark = pytest.mark.both

HOST = "localhost"  # the name of SITE_URL
TOKENS = "POST /v1/tokens"
CROWD = [sys.executable, "-m", "tests.kills.seed", "ann"]


@dataclass
class Observed:
    """A site where Ann has set out to itembase. `reference` is that of her POST."""

    site: Site
    reference: str

    @property
    def database(self) -> Database:
        return Database(self.site.folder / "data" / "db.sqlite3")

    def get(self, path: str, method: str = "GET", **headers: str) -> requests.Response:
        url = f"http://127.0.0.1:{self.site.port}{path}"
        return requests.request(method, url, headers=headers, allow_redirects=False, timeout=10)

    def lines(self, *names: str) -> list[dict[str, Any]]:
        paths = [self.site.folder / f"{name}.log" for name in names or ("web", "worker")]
        return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    folder = tmp_path_factory.mktemp("site")
    stage = sandbox.start(folder / "sandbox")
    more = {"METRICS": "1", "LOG_FORMAT": "json", "WEB_CONCURRENCY": "2"}
    site = Site(folder, stage, extra_env=more)
    try:
        site.prepare()
        done = subprocess.run(CROWD, cwd=ROOT, env=site.env, capture_output=True, check=True)
        site.start()
        yield Observed(site, sets_out(site, json.loads(done.stdout)["ann"]))
    finally:
        site.stop()
        stage.stop()


def sets_out(site: Site, ann: dict[str, str]) -> str:
    page = f"{site.url}/m/{ann['merchant']}/connect/itembase-ebay/"
    form = {"name": "My shop", "csrfmiddlewaretoken": TOKEN}
    browser = signed_in(site, ann["session"])
    answer = browser.post(page, data=form, allow_redirects=False, timeout=60)
    assert answer.status_code == 303, answer.text
    wait_until("itembase answered", lambda: TOKENS in (site.folder / "web.log").read_text())
    return answer.headers["X-Request-Reference"]


def count(metrics: str, name: str, **labels: str) -> float:
    """The sum of the samples of this name with these labels."""
    found = re.findall(rf"^{name}(?:\{{(.*)\}})? (\S+)$", metrics, re.M)
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    return sum(float(value) for given, value in found if all(each in given for each in wanted))


def test_a_load_balancer_asks_by_address(observed: Observed) -> None:
    wait_until("the worker's sign of life", lambda: observed.get("/health/ready").ok)
    for path in ("/health/live", "/health/live/", "/health/ready", "/metrics"):
        answer = observed.get(path, Host="10.1.2.3:80")
        assert (answer.status_code, "no-store" in answer.headers["Cache-Control"]) == (200, True)
        head = observed.get(path, "HEAD", Host="10.1.2.3:80")
        assert (head.status_code, head.content) == (200, b"")


def test_a_site_with_a_worker_is_ready(observed: Observed) -> None:
    wait_until("the worker's sign of life", lambda: observed.get("/health/ready").ok)
    said = observed.get("/health/ready").json()
    parts = ("database", "migrations", "memo_keys", "clock", "worker", "backlog")
    assert said == {"ready": True, "checks": dict.fromkeys(parts, "ok")}


def test_a_long_return_and_many_cookies_reach_the_site(observed: Observed) -> None:
    answer = observed.get(f"/return/itembase/?state=made-up&ibsstoken={'x' * 6_000}", Host=HOST)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/return/itembase/lost/")
    answer = observed.get("/connectors/", Host=HOST, Cookie=f"theirs={'x' * 9_000}")
    assert answer.status_code == 200


def test_metrics_add_up_over_all_processes(observed: Observed) -> None:
    """Ann's call was made by the web, the catalogue's by the worker; any web process answers for both."""
    wait_until("the catalogue", lambda: "scopes: 200" in json.dumps(observed.lines("worker")))
    said = [observed.get("/metrics").text for _ in range(6)]
    for vendor in ("itembase", "celigo"):
        sums = {count(each, "gangway_vendor_calls_total", vendor=vendor) for each in said}
        assert sums == {1.0}
    assert count(said[0], "gangway_vendor_call_seconds_count", call=TOKENS) == 1
    assert count(said[0], "gangway_workers") == 1
    assert count(said[0], "gangway_connections", vendor="itembase", state="in_progress") == 1


def test_every_line_is_json(observed: Observed) -> None:
    observed.get("/connectors/?q=geheim")
    observed.get("/favicon.ico", Host=HOST)
    for name in ("web", "worker"):
        lines = observed.lines(name)
        assert all(set(line) >= {"time", "level", "logger", "message"} for line in lines)
        assert "geheim" not in json.dumps(lines)
    warned = [line for line in observed.lines("web") if line["level"] == "WARNING"]
    assert not [line for line in warned if "favicon" in line["message"]]
    loggers = {line["logger"] for line in observed.lines()}
    assert {"gunicorn.access", "gunicorn.error", "vendors.http.api"} <= loggers


def test_one_reference_leads_to_lines_calls_and_events(observed: Observed) -> None:
    mine = [line for line in observed.lines("web") if line["reference"] == observed.reference]
    assert {"gunicorn.access", "vendors.http.api"} <= {line["logger"] for line in mine}
    [access] = [line for line in mine if line["logger"] == "gunicorn.access"]
    assert (access["method"], access["status"]) == ("POST", 303)
    for table in ("event", "call"):
        rows = observed.database.rows(f"SELECT reference FROM onboarding_{table}")
        assert observed.reference in {row["reference"] for row in rows}


def test_each_piece_of_the_workers_work_has_a_reference_of_its_own(observed: Observed) -> None:
    calls = [line for line in observed.lines("worker") if line["logger"] == "vendors.http.api"]
    assert calls
    assert all(re.fullmatch(r"[2-9A-Z]{4}-[2-9A-Z]{4}", line["reference"]) for line in calls)


def test_doctor_finds_a_running_site_well_and_tells_no_secret(observed: Observed) -> None:
    wait_until("the worker's sign of life", lambda: observed.get("/health/ready").ok)
    said = observed.site.manage("doctor", "--json")
    found = {each["id"]: each["level"] for each in json.loads(said)["checks"]}
    looked = ("database", "cache", "mail", "site", "worker", "memos", "vendor/celigo", "clock")
    assert {found[id] for id in looked} == {"ok"}
    given = sandbox.environ(observed.site.stage.url)
    names = [name for name in given if name.endswith(("SECRET", "TOKEN", "PASSWORD"))]
    assert len(names) >= 4
    assert not any(given[name] in said for name in names)
