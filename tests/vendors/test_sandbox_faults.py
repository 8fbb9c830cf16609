"""Fault injection in a sandbox, and the barrier."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.vendors.sharespine.caller import HEADERS, TENANT, create, in_background
from vendors import sandbox as frame
from vendors.sandbox import Running


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Running]:
    running = frame.start(tmp_path)
    yield running
    running.stop()


def test_a_dead_vendor_does_nothing(sandbox: Running) -> None:
    sandbox.fault("sharespine", TENANT, kind="reset")
    with pytest.raises(requests.ConnectionError):
        create(sandbox)
    assert sandbox.counts("sharespine") == {"calls": {TENANT: 1}, "made": {}}
    assert create(sandbox).status_code == 201


def test_a_lost_answer_is_lost_after_the_request_is_executed(sandbox: Running) -> None:
    sandbox.fault("sharespine", TENANT, kind="reset", when="after")
    with pytest.raises(requests.ConnectionError):
        create(sandbox)
    assert sandbox.counts("sharespine")["made"] == {"tenants": 1}


def test_a_truncated_answer_ends_in_the_middle(sandbox: Running) -> None:
    sandbox.fault("sharespine", TENANT, kind="truncated")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        create(sandbox)
    assert sandbox.counts("sharespine")["made"] == {"tenants": 1}


@pytest.mark.parametrize(
    ("fault", "status", "text", "made"),
    [
        ({"kind": "status", "status": 429, "headers": {"Retry-After": "7"}}, 429, "asked for", {}),
        ({"kind": "status", "status": 500, "body": "oops", "when": "after"}, 500, "oops", 1),
        ({"kind": "html"}, 200, "<h1>", 1),
        ({"kind": "empty"}, 201, "", 1),
        ({"kind": "replace", "merge": {"codeName": 7}}, 201, '{"codeName": 7}', 1),
        ({"kind": "replace", "remove": ["codeName"]}, 201, "{}", 1),
        ({"kind": "replace", "body": ["x"]}, 201, '["x"]', 1),
        ({"kind": "drip", "interval": 0}, 201, "codeName", 1),
        ({"kind": "slow", "seconds": 0.01, "when": "before"}, 201, "codeName", 1),
    ],
)
def test_each_fault_does_what_it_says(
    sandbox: Running, fault: dict[str, Any], status: int, text: str, made: object
) -> None:
    sandbox.fault("sharespine", TENANT, **fault)
    answer = create(sandbox)
    assert (answer.status_code, text in answer.text) == (status, True)
    assert sandbox.counts("sharespine")["made"] == ({"tenants": made} if made else {})
    assert answer.headers.get("Retry-After") == ("7" if status == 429 else None)
    assert create(sandbox).json().keys() == {"codeName"}


def test_a_slow_answer_comes_after_the_deed(sandbox: Running) -> None:
    sandbox.fault("sharespine", TENANT, kind="slow", seconds=30)
    with pytest.raises(requests.ReadTimeout):
        create(sandbox, timeout=0.3)
    assert sandbox.counts("sharespine")["made"] == {"tenants": 1}


def test_a_dripping_answer_outlives_the_time_out_of_a_read(sandbox: Running) -> None:
    sandbox.fault("sharespine", TENANT, kind="drip", interval=0.005)
    answer = create(sandbox, timeout=0.2)
    assert answer.elapsed.total_seconds() > 0.2


@pytest.mark.parametrize(("when", "made"), [("before", {}), ("after", {"tenants": 1})])
def test_an_answer_is_held_at_the_barrier(
    sandbox: Running, when: str, made: dict[str, int]
) -> None:
    sandbox.fault("sharespine", TENANT, kind="hold", when=when)
    answer = in_background(sandbox)
    assert sandbox.wait_until_held("sharespine", TENANT) == [TENANT]
    assert sandbox.counts("sharespine")["made"] == made
    with pytest.raises(TimeoutError):
        answer.result(timeout=0.1)
    assert sandbox.release("sharespine") == 1
    assert answer.result(timeout=10).status_code == 201


def test_held_requests_are_let_go_one_at_a_time(sandbox: Running) -> None:
    sandbox.fault("sharespine", kind="hold", times=2)
    answers = [in_background(sandbox), in_background(sandbox)]
    sandbox.wait_until_held("sharespine", count=2)
    sandbox.release("sharespine")
    assert sandbox.wait_until_held("sharespine") == [TENANT]
    with pytest.raises(LookupError):
        sandbox.release("sharespine", count=2)
    sandbox.release("sharespine")
    assert {answer.result(timeout=10).status_code for answer in answers} == {201}


def test_nobody_arrives_in_time(sandbox: Running) -> None:
    with pytest.raises(TimeoutError):
        sandbox.wait_until_held("sharespine", TENANT, timeout=0.01)


def test_stopping_lets_held_requests_go(tmp_path: Path) -> None:
    running = frame.start(tmp_path)
    running.fault("sharespine", TENANT, kind="hold")
    answer = in_background(running)
    running.wait_until_held("sharespine", TENANT)
    running.stop()
    assert answer.result(timeout=10).status_code == 201


def test_a_fault_on_a_route_that_does_not_exist_is_a_mistake(sandbox: Running) -> None:
    for route, kind in (("POST /reseller/tennant", "reset"), (TENANT, "explode")):
        with pytest.raises(ValueError, match=r"route|kind"):
            sandbox.fault("sharespine", route, kind=kind)
    with pytest.raises(ValueError, match="does not take"):
        sandbox.fault("sharespine", TENANT, kind="reset", seconds=1)


def test_a_fault_can_be_for_one_tenant_alone(sandbox: Running) -> None:
    codes = [create(sandbox).json()["codeName"] for _ in range(2)]
    sandbox.fault("sharespine", flow=codes[0], kind="status", status=503)
    auth = ("demo-reseller", "demo-reseller-secret")
    base = f"{sandbox.url}/sharespine/reseller/tenant"
    urls = [f"{base}/{code}/login/nobody" for code in reversed(codes)]
    answers = [
        requests.post(u, json={"path": "/"}, headers=HEADERS, auth=auth, timeout=5) for u in urls
    ]
    assert [answer.status_code for answer in answers] == [404, 503]


def test_everything_works_again_after_clear(sandbox: Running) -> None:
    sandbox.play("sharespine", "dead")
    with pytest.raises(requests.ConnectionError):
        create(sandbox)
    sandbox.clear("sharespine")
    assert create(sandbox).status_code == 201


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ({"kind": "half"}, '{"codeName"'),
        ({"kind": "types"}, '{"codeName": {"odd": true}}'),
        ({"kind": "bom"}, '\ufeff{"codeName": "demoacme-1"}'),
        ({"kind": "texts", "before": "\ud800"}, '{"codeName": "\\ud800demoacme-1"}'),
        ({"kind": "oversized", "size": 99}, '{"codeName": "demoacme-1"}'.ljust(99)),
    ],
)
def test_an_answer_is_whole_and_its_body_is_wrong(
    sandbox: Running, fault: dict[str, Any], text: str
) -> None:
    sandbox.fault("sharespine", TENANT, **fault)
    answer = create(sandbox)
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert answer.text.startswith(text)
    assert sandbox.counts("sharespine")["made"] == {"tenants": 1}


def test_a_redirect_leads_away_before_the_request_is_executed(sandbox: Running) -> None:
    sandbox.fault("sharespine", TENANT, kind="redirect", to="http://127.0.0.1:9/x")
    with pytest.raises(requests.ConnectionError, match="port=9"):
        create(sandbox)
    assert sandbox.counts("sharespine")["made"] == {}
    with pytest.raises(ValueError, match="needs `to`"):
        sandbox.fault("sharespine", TENANT, kind="redirect")


def test_the_first_calls_can_be_spared(sandbox: Running) -> None:
    sandbox.fault("sharespine", TENANT, kind="status", status=503, skip=2, times=None)
    assert [create(sandbox).status_code for _ in range(4)] == [201, 201, 503, 503]
    sandbox.fault("sharespine", TENANT, kind="status", status=500, skip=1)
    assert create(sandbox).status_code == 503


def delete(sandbox: Running) -> requests.Response:
    """A new tenant, which is answered with 204: no body."""
    requests.post(f"{sandbox.url}/sharespine/operator", data={"manage": "1"}, timeout=5)
    url = f"{sandbox.url}/sharespine/reseller/tenant/{create(sandbox).json()['codeName']}"
    auth = ("demo-reseller", "demo-reseller-secret")
    return requests.delete(url, headers=HEADERS, auth=auth, timeout=5)


def test_an_answer_without_a_body_can_be_cut_off_and_spoilt_too(sandbox: Running) -> None:
    sandbox.fault("sharespine", "DELETE /reseller/tenant/{codeName}", kind="truncated")
    with pytest.raises(requests.ConnectionError):
        delete(sandbox)
    sandbox.fault("sharespine", "DELETE /reseller/tenant/{codeName}", kind="types")
    spoilt = delete(sandbox)
    assert (spoilt.status_code, spoilt.json()) == (200, {"odd": True})
    assert delete(sandbox).status_code == 204
    assert all(row["deleted"] for row in sandbox.state("sharespine")["tenants"])


def test_what_was_kept_comes_back(sandbox: Running) -> None:
    create(sandbox)
    saved = sandbox.snapshot()
    create(sandbox)
    sandbox.play("sharespine", "dead")
    sandbox.restore(saved)
    assert sandbox.counts("sharespine")["made"] == {"tenants": 1}
    assert create(sandbox).status_code == 201
