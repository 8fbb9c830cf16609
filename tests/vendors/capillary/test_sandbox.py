"""The Capillary sandbox demands what the documentation demands, and answers as it does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.vendors.capillary.caller import (
    AS_TILL,
    BODY,
    CLIENTS,
    JSON,
    KEY,
    SECRET,
    by_token,
    call,
    create,
    generate,
    token,
)
from vendors import sandbox as frame
from vendors.capillary.sandbox import basic_environ
from vendors.sandbox import Running

STORED = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0530"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0530"
FIELDS = {
    "id", "attribution", "name", "clientKey", "isValid", "description", "expirationTokenTime",
    "defaultTillId",
}  # fmt: skip


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Running]:
    running = frame.start(tmp_path, vendors=("capillary",))
    yield running
    running.stop()


def refused(answer: requests.Response) -> tuple[int, int]:
    """HTTP status and code of a refusal in the shape of v3."""
    body = answer.json()
    assert body["data"] is None
    assert set(body) == {"data", "errors"}
    return answer.status_code, body["errors"][0]["code"]


def test_a_new_client_looks_like_the_sample(sandbox: Running) -> None:
    shown = create(sandbox)
    assert set(shown) == FIELDS | {"clientSecret", "scopes"}
    assert re.fullmatch("[A-Za-z0-9]{25}", shown["clientKey"])
    assert re.fullmatch("[A-Za-z0-9]{40}", shown["clientSecret"])
    assert shown["scopes"] == [
        {"permission": "READWRITE", "entityId": 1},
        {"permission": "WRITE", "entityId": 2},
    ]
    assert (shown["id"], shown["isValid"], shown["defaultTillId"]) == (880, True, 15000449)


def test_times_are_those_of_india(sandbox: Running) -> None:
    attribution = create(sandbox)["attribution"]
    by = {"id", "code", "description", "name", "type"}
    assert set(attribution["createdBy"]) == set(attribution["lastUpdatedBy"]) == by
    assert re.fullmatch(TIME, attribution["createdOn"])
    listed = call(sandbox, "GET", CLIENTS).json()["data"][-1]["attribution"]
    assert re.fullmatch(STORED, listed["createdOn"])
    assert listed["createdOn"][:19] == attribution["createdOn"][:19]


def test_the_secret_is_shown_once(sandbox: Running) -> None:
    made = create(sandbox)
    path = f"{CLIENTS}/{made['clientKey']}"
    got = call(sandbox, "GET", path).json()["data"]
    assert set(got) == FIELDS | {"scopes"}
    assert "resources" not in got["scopes"][0]
    assert set(call(sandbox, "GET", CLIENTS).json()["data"][-1]) == FIELDS
    assert set(call(sandbox, "PUT", path, BODY).json()["data"]) == FIELDS | {"scopes"}
    assert set(call(sandbox, "DELETE", path).json()["data"]) == FIELDS


def test_the_scopes_are_those_of_the_sample(sandbox: Running) -> None:
    answer = call(sandbox, "GET", "/integrations/scopes").json()
    scopes = [(1, "TargetGroups"), (2, "All"), (3, "Transaction")]
    assert answer == {"data": [{"id": i, "entity": e} for i, e in scopes], "errors": None}


def test_a_token_lets_the_operator_in(sandbox: Running) -> None:
    answer = generate(sandbox).json()
    assert answer["errors"] is None
    assert answer["data"]["ttlSeconds"] == 300
    assert answer["data"]["accessToken"].count(".") == 2
    assert by_token(sandbox, answer["data"]["accessToken"]).status_code == 200


def test_a_wrong_key_or_secret_is_told_as_documented(sandbox: Running) -> None:
    for key, secret in ((KEY, "wrong"), ("wrong", SECRET), ("ünknown", "sécret")):
        answer = generate(sandbox, key, secret)
        assert answer.json() == {
            "data": None,
            "errors": [{"code": 320001, "message": "Invalid client key and secret"}],
        }
    url = f"{sandbox.url}/capillary/v3/oauth/token/generate"
    assert requests.post(url, json={"key": KEY}, timeout=5).status_code == 400
    assert requests.post(url, data={"key": KEY}, timeout=5).status_code == 415


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        (None, JSON),
        (("demo.till.1", "demo-till-password"), JSON),
        (("other", AS_TILL[1]), JSON),
        (None, JSON | {"Authorization": "Bearer x"}),
        (AS_TILL, JSON | {"X-CAP-API-OAUTH-TOKEN": "x"}),
    ],
)
def test_a_token_or_a_till_with_the_md5_of_its_password_is_demanded(
    sandbox: Running, auth: Any, headers: dict[str, str]
) -> None:
    paths = {"GET": CLIENTS, "POST": CLIENTS, "PUT": f"{CLIENTS}/x", "DELETE": f"{CLIENTS}/x"}
    for method, path in paths.items():
        answer = call(sandbox, method, path, headers=headers, auth=auth)
        assert refused(answer) == (401, 401)
    assert call(sandbox, "GET", "/integrations/scopes", auth=None).status_code == 401


def test_both_headers_of_json_are_demanded(sandbox: Running) -> None:
    for name, status in (("Content-Type", 415), ("Accept", 400)):
        headers = {key: value for key, value in JSON.items() if key != name}
        answer = call(sandbox, "GET", CLIENTS, headers=headers)
        assert refused(answer) == (status, status)


def test_a_merchants_client_may_not_manage_clients(sandbox: Running) -> None:
    made = create(sandbox)
    value = token(sandbox, made["clientKey"], made["clientSecret"])
    assert refused(by_token(sandbox, value)) == (403, 403)


@pytest.mark.parametrize("name", BODY)
def test_every_documented_field_is_demanded(sandbox: Running, name: str) -> None:
    without = {key: value for key, value in BODY.items() if key != name}
    for wrong in (without, BODY | {name: None}, BODY | {name: True}, BODY | {name: ""}):
        answer = call(sandbox, "POST", CLIENTS, wrong)
        assert refused(answer) == (400, 400)
        assert name in answer.json()["errors"][0]["message"]
    assert "clients" not in sandbox.counts("capillary")["made"]


SCOPE = {"entityId": 1, "permission": "READ", "resources": []}


@pytest.mark.parametrize(
    "change",
    [
        {"scopes": []},
        {"scopes": [{"entityId": 1, "permission": "READ"}]},
        {"scopes": [SCOPE | {"entityId": 9}]},
        {"scopes": [SCOPE | {"entityId": "1"}]},
        {"scopes": [SCOPE | {"permission": "read"}]},
        {"scopes": [SCOPE | {"resources": ".*"}]},
        {"scopes": [SCOPE | {"resources": [7]}]},
        {"scopes": [SCOPE, SCOPE]},
        {"scopes": [SCOPE | {"more": 1}]},
        {"expirationTokenTime": "600"},
        {"expirationTokenTime": 0},
        {"expirationTokenTime": 3601},
        {"defaultTillId": 7},
        {"more": 1},
    ],
)
def test_a_wrong_client_is_not_made(sandbox: Running, change: dict[str, Any]) -> None:
    assert refused(call(sandbox, "POST", CLIENTS, BODY | change)) == (400, 400)
    assert "clients" not in sandbox.counts("capillary")["made"]


def test_an_org_has_fifteen_valid_clients_with_the_operators_own(sandbox: Running) -> None:
    keys = [create(sandbox)["clientKey"] for _ in range(14)]
    assert len(call(sandbox, "GET", CLIENTS).json()["data"]) == 15
    assert refused(call(sandbox, "POST", CLIENTS, BODY)) == (400, 320015)
    call(sandbox, "DELETE", f"{CLIENTS}/{keys[0]}")
    assert create(sandbox)["isValid"] is True


def test_put_replaces_the_scopes_and_keeps_the_names(sandbox: Running) -> None:
    made = create(sandbox)
    path = f"{CLIENTS}/{made['clientKey']}"
    change = {"expirationTokenTime": 30, "defaultTillId": 50014941, "scopes": [SCOPE]}
    got = call(sandbox, "PUT", path, change).json()["data"]
    assert (got["name"], got["description"]) == (made["name"], made["description"])
    assert (got["expirationTokenTime"], got["defaultTillId"]) == (30, 50014941)
    assert got["scopes"] == [{"permission": "READ", "entityId": 1}]
    for name in change:
        without = {key: value for key, value in change.items() if key != name}
        assert refused(call(sandbox, "PUT", path, without)) == (400, 400)


def test_a_deleted_client_is_no_longer_valid(sandbox: Running) -> None:
    made = create(sandbox)
    path = f"{CLIENTS}/{made['clientKey']}"
    value = token(sandbox, made["clientKey"], made["clientSecret"])
    deleted = [call(sandbox, "DELETE", path).json()["data"]["isValid"] for _ in range(2)]
    assert deleted == [False, False]
    assert call(sandbox, "GET", path).json()["data"]["isValid"] is False
    assert refused(call(sandbox, "PUT", path, BODY)) == (400, 320016)
    assert refused(generate(sandbox, made["clientKey"], made["clientSecret"])) == (401, 320001)
    assert refused(by_token(sandbox, value)) == (401, 401)


def test_an_unknown_client_is_not_found(sandbox: Running) -> None:
    for method, body in (("GET", None), ("PUT", BODY), ("DELETE", None)):
        assert refused(call(sandbox, method, f"{CLIENTS}/unknown", body)) == (404, 404)


def test_a_token_lives_as_long_as_its_client_says(sandbox: Running) -> None:
    made = create(sandbox, expirationTokenTime=30)
    answer = generate(sandbox, made["clientKey"], made["clientSecret"])
    assert answer.json()["data"]["ttlSeconds"] == 30


def test_what_was_made_is_there_after_a_restart(tmp_path: Path) -> None:
    first = frame.start(tmp_path, vendors=("capillary",))
    made, value = create(first), token(first)
    first.stop()
    second = frame.start(tmp_path, vendors=("capillary",))
    keys = [row["clientKey"] for row in by_token(second, value).json()["data"]]
    assert keys == [KEY, made["clientKey"]]
    second.stop()


def test_settings_of_both_ways_of_authentication() -> None:
    url = "http://127.0.0.1:9"
    assert frame.environ(f"{url}/", "capillary") == {
        "CAPILLARY_API_URL": f"{url}/capillary",
        "CAPILLARY_AUTH": "oauth",
        "CAPILLARY_KEY": KEY,
        "CAPILLARY_SECRET": SECRET,
        "CAPILLARY_TILL_ID": "15000449",
    }
    basic = basic_environ(url)
    assert (basic["CAPILLARY_AUTH"], basic["CAPILLARY_USERNAME"]) == ("basic", AS_TILL[0])
    assert "CAPILLARY_KEY" not in basic
