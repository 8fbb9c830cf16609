"""The control API over HTTP and the front page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.vendors.sharespine.caller import TENANT, control, create, in_background
from vendors import sandbox as frame
from vendors.sandbox import Running


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Running]:
    running = frame.start(tmp_path)
    yield running
    running.stop()


def test_another_process_plants_holds_and_releases_over_http(sandbox: Running) -> None:
    planted = control(sandbox, "fault", vendor="sharespine", route=TENANT, kind="hold")
    answer = in_background(sandbox)
    arrived = control(sandbox, "arrived", vendor="sharespine", route=TENANT, timeout=10)
    released = control(sandbox, "release", vendor="sharespine", route=TENANT)
    assert (planted.status_code, arrived.json()) == (201, {"arrived": [TENANT]})
    assert (released.json(), answer.result(timeout=10).status_code) == ({"released": 1}, 201)


def test_counts_and_state_are_read_and_reset_over_http(sandbox: Running) -> None:
    create(sandbox)
    counts = requests.get(f"{sandbox.url}/_control/counts", timeout=5).json()
    state = requests.get(f"{sandbox.url}/_control/state", timeout=5).json()
    assert counts["sharespine"] == {"calls": {TENANT: 1}, "made": {"tenants": 1}}
    assert state["sharespine"]["tenants"][0]["customerReference"] == "acme"
    control(sandbox, "reset")
    assert sandbox.counts("sharespine") == {"calls": {}, "made": {}}


@pytest.mark.parametrize(
    ("what", "body", "status"),
    [
        ("fault", {"vendor": "nobody", "kind": "reset"}, 400),
        ("fault", {"vendor": "sharespine", "kind": "slow", "params": {"minutes": 1}}, 400),
        ("arrived", {"vendor": "sharespine", "timeout": 0.01}, 408),
        ("release", {"vendor": "sharespine"}, 400),
        ("play", {"vendor": "sharespine", "case": "approve"}, 400),
        ("explode", {}, 404),
    ],
)
def test_mistakes_in_the_control_api_are_reported(
    sandbox: Running, what: str, body: dict[str, object], status: int
) -> None:
    assert control(sandbox, what, **body).status_code == status


def test_things_can_be_altered_behind_the_vendors_back(sandbox: Running) -> None:
    create(sandbox)
    answer = control(
        sandbox, "change", vendor="sharespine", kind="tenants", where={}, set={"active": False}
    )
    assert answer.json() == {"changed": 1}
    assert sandbox.state("sharespine")["tenants"][0]["active"] is False


def test_the_front_page_plays_a_case_and_forgets(sandbox: Running) -> None:
    create(sandbox)
    assert "demoacme-1" in requests.get(sandbox.url, timeout=5).text
    form = {"vendor": "sharespine", "case": "lost", "route": TENANT}
    requests.post(f"{sandbox.url}/", data=form, timeout=5)
    with pytest.raises(requests.ConnectionError):
        create(sandbox)
    requests.post(f"{sandbox.url}/", data={"do": "reset"}, timeout=5)
    assert "No tenants yet" in requests.get(sandbox.url, timeout=5).text


def test_a_form_of_another_site_changes_nothing(sandbox: Running) -> None:
    create(sandbox)
    headers = {"Origin": "http://elsewhere.example"}
    url = f"{sandbox.url}/"
    assert requests.post(url, data={"do": "reset"}, headers=headers, timeout=5).status_code == 403
    assert sandbox.counts("sharespine")["made"] == {"tenants": 1}
