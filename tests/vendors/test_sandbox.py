"""The framework of the sandboxes: state, restarts, clients that disconnect, the log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

import vendors
from tests.vendors.sharespine.caller import TENANT, create
from vendors import sandbox as frame
from vendors.sandbox import Running


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Running]:
    running = frame.start(tmp_path)
    yield running
    running.stop()


def test_what_was_made_is_there_after_a_restart(tmp_path: Path) -> None:
    first = frame.start(tmp_path)
    create(first)
    first.stop()
    second = frame.start(tmp_path)
    assert [row["id"] for row in second.state("sharespine")["tenants"]] == ["demoacme-1"]
    assert create(second).json() == {"codeName": "demoacme-2"}
    second.stop()


def test_a_stopped_sandbox_answers_nobody_even_on_a_kept_connection(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    running = frame.start(tmp_path)
    with requests.Session() as session:
        session.get(running.url, timeout=5)
        running.stop()
        with pytest.raises(requests.ConnectionError):
            session.get(running.url, timeout=5)
    assert "Traceback" not in caplog.text


def test_a_client_that_is_gone_disturbs_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    running = frame.start(tmp_path)
    running.fault("sharespine", TENANT, kind="hold")
    with pytest.raises(requests.ReadTimeout):
        create(running, timeout=0.2)
    running.wait_until_held("sharespine", TENANT)
    running.release("sharespine", TENANT)
    assert create(running).json() == {"codeName": "demoacme-2"}
    running.stop()
    assert "Traceback" not in caplog.text


def test_every_vendor_with_a_sandbox_is_found_and_has_settings() -> None:
    assert {"itembase", "sharespine"} <= set(frame.slugs())
    assert set(frame.slugs()) == {vendor.slug for vendor in vendors.ALL}  # not the template
    settings = frame.environ("http://127.0.0.1:9/", "sharespine")
    assert settings["SHARESPINE_API_URL"] == "http://127.0.0.1:9/sharespine"
    assert settings["SHARESPINE_LOGIN_HOSTS"] == "127.0.0.1"
    assert "ITEMBASE_CLIENT_ID" in frame.environ("http://127.0.0.1:9")


def test_what_is_not_declared_is_not_there(sandbox: Running) -> None:
    url = f"{sandbox.url}/sharespine/reseller/tenant"
    assert requests.get(f"{sandbox.url}/nobody/x", timeout=5).status_code == 404
    assert requests.get(f"{url}/demoacme-1/x", timeout=5).status_code == 404
    wrong = requests.get(url, timeout=5)
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "POST")


def test_the_log_has_no_query_and_no_part_of_a_link(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "vendors.sandbox")
    running = frame.start(tmp_path)
    path = "/itembase/selfservice/process/5ec4e7?redirect_uri=hidden"
    requests.get(running.url + path, timeout=5)
    running.stop()
    assert "GET /itembase/selfservice/process/{token} 404" in caplog.text
    assert "5ec4e7" not in caplog.text
    assert "hidden" not in caplog.text
