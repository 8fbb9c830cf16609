"""The Capillary sandbox demands what the documentation demands, and answers as it does."""

from __future__ import annotations

import re
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
from vendors import sandbox
from vendors.capillary.sandbox import basic_environ
from vendors.sandbox import Running

STORED = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0530"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0530"
FIELDS = {
    "id", "attribution", "name", "clientKey", "isValid", "description", "expirationTokenTime",
    "defaultTillId",
}  # fmt: skip


def refused(answer: requests.Response) -> tuple[int, int]:
    """HTTP status and code of a refusal in the shape of v3."""
    body = answer.json()
    assert body["data"] is None
    assert set(body) == {"data", "errors"}
    return answer.status_code, body["errors"][0]["code"]


def test_a_new_client_looks_like_the_sample(running: Running) -> None:
    shown = create(running)
    assert set(shown) == FIELDS | {"clientSecret", "scopes"}
    assert re.fullmatch("[A-Za-z0-9]{25}", shown["clientKey"])
    assert re.fullmatch("[A-Za-z0-9]{40}", shown["clientSecret"])
    assert shown["scopes"] == [
        {"permission": "READWRITE", "entityId": 1},
        {"permission": "WRITE", "entityId": 2},
    ]
    assert (shown["id"], shown["isValid"], shown["defaultTillId"]) == (880, True, 15000449)


def test_times_are_those_of_india(running: Running) -> None:
    attribution = create(running)["attribution"]
    by = {"id", "code", "description", "name", "type"}
    assert set(attribution["createdBy"]) == set(attribution["lastUpdatedBy"]) == by
    assert re.fullmatch(TIME, attribution["createdOn"])
    listed = call(running, "GET", CLIENTS).json()["data"][-1]["attribution"]
    assert re.fullmatch(STORED, listed["createdOn"])
    assert listed["createdOn"][:19] == attribution["createdOn"][:19]


def test_the_secret_is_shown_once(running: Running) -> None:
    made = create(running)
    path = f"{CLIENTS}/{made['clientKey']}"
    got = call(running, "GET", path).json()["data"]
    assert set(got) == FIELDS | {"scopes"}
    assert "resources" not in got["scopes"][0]
    assert set(call(running, "GET", CLIENTS).json()["data"][-1]) == FIELDS
    assert set(call(running, "PUT", path, BODY).json()["data"]) == FIELDS | {"scopes"}
    assert set(call(running, "DELETE", path).json()["data"]) == FIELDS


def test_the_scopes_are_those_of_the_sample(running: Running) -> None:
    answer = call(running, "GET", "/integrations/scopes").json()
    scopes = [(1, "TargetGroups"), (2, "All"), (3, "Transaction")]
    assert answer == {"data": [{"id": i, "entity": e} for i, e in scopes], "errors": None}


def test_a_token_lets_the_operator_in(running: Running) -> None:
    answer = generate(running).json()
    assert answer["errors"] is None
    assert answer["data"]["ttlSeconds"] == 300
    assert answer["data"]["accessToken"].count(".") == 2
    assert by_token(running, answer["data"]["accessToken"]).status_code == 200


def test_a_wrong_key_or_secret_is_told_as_documented(running: Running) -> None:
    for key, secret in ((KEY, "wrong"), ("wrong", SECRET), ("ünknown", "sécret")):
        answer = generate(running, key, secret)
        assert answer.json() == {
            "data": None,
            "errors": [{"code": 320001, "message": "Invalid client key and secret"}],
        }
    url = f"{running.url}/capillary/v3/oauth/token/generate"
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
    running: Running, auth: Any, headers: dict[str, str]
) -> None:
    paths = {"GET": CLIENTS, "POST": CLIENTS, "PUT": f"{CLIENTS}/x", "DELETE": f"{CLIENTS}/x"}
    for method, path in paths.items():
        answer = call(running, method, path, headers=headers, auth=auth)
        assert refused(answer) == (401, 401)
    assert call(running, "GET", "/integrations/scopes", auth=None).status_code == 401


def test_both_headers_of_json_are_demanded(running: Running) -> None:
    for name, status in (("Content-Type", 415), ("Accept", 400)):
        headers = {key: value for key, value in JSON.items() if key != name}
        answer = call(running, "GET", CLIENTS, headers=headers)
        assert refused(answer) == (status, status)


def test_a_merchants_client_may_not_manage_clients(running: Running) -> None:
    made = create(running)
    value = token(running, made["clientKey"], made["clientSecret"])
    assert refused(by_token(running, value)) == (403, 403)


@pytest.mark.parametrize("name", BODY)
def test_every_documented_field_is_demanded(running: Running, name: str) -> None:
    without = {key: value for key, value in BODY.items() if key != name}
    for wrong in (without, BODY | {name: None}, BODY | {name: True}, BODY | {name: ""}):
        answer = call(running, "POST", CLIENTS, wrong)
        assert refused(answer) == (400, 400)
        assert name in answer.json()["errors"][0]["message"]
    assert "clients" not in running.counts("capillary")["made"]


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
def test_a_wrong_client_is_not_made(running: Running, change: dict[str, Any]) -> None:
    assert refused(call(running, "POST", CLIENTS, BODY | change)) == (400, 400)
    assert "clients" not in running.counts("capillary")["made"]


def test_an_org_has_fifteen_valid_clients_with_the_operators_own(running: Running) -> None:
    keys = [create(running)["clientKey"] for _ in range(14)]
    assert len(call(running, "GET", CLIENTS).json()["data"]) == 15
    assert refused(call(running, "POST", CLIENTS, BODY)) == (400, 320015)
    call(running, "DELETE", f"{CLIENTS}/{keys[0]}")
    assert create(running)["isValid"] is True


def test_put_replaces_the_scopes_and_keeps_the_names(running: Running) -> None:
    made = create(running)
    path = f"{CLIENTS}/{made['clientKey']}"
    change = {"expirationTokenTime": 30, "defaultTillId": 50014941, "scopes": [SCOPE]}
    got = call(running, "PUT", path, change).json()["data"]
    assert (got["name"], got["description"]) == (made["name"], made["description"])
    assert (got["expirationTokenTime"], got["defaultTillId"]) == (30, 50014941)
    assert got["scopes"] == [{"permission": "READ", "entityId": 1}]
    for name in change:
        without = {key: value for key, value in change.items() if key != name}
        assert refused(call(running, "PUT", path, without)) == (400, 400)


def test_a_deleted_client_is_no_longer_valid(running: Running) -> None:
    made = create(running)
    path = f"{CLIENTS}/{made['clientKey']}"
    value = token(running, made["clientKey"], made["clientSecret"])
    deleted = [call(running, "DELETE", path).json()["data"]["isValid"] for _ in range(2)]
    assert deleted == [False, False]
    assert call(running, "GET", path).json()["data"]["isValid"] is False
    assert refused(call(running, "PUT", path, BODY)) == (400, 320016)
    assert refused(generate(running, made["clientKey"], made["clientSecret"])) == (401, 320001)
    assert refused(by_token(running, value)) == (401, 401)


def test_an_unknown_client_is_not_found(running: Running) -> None:
    for method, body in (("GET", None), ("PUT", BODY), ("DELETE", None)):
        assert refused(call(running, method, f"{CLIENTS}/unknown", body)) == (404, 404)


def test_a_token_lives_as_long_as_its_client_says(running: Running) -> None:
    made = create(running, expirationTokenTime=30)
    answer = generate(running, made["clientKey"], made["clientSecret"])
    assert answer.json()["data"]["ttlSeconds"] == 30


def test_what_was_made_is_there_after_a_restart(tmp_path: Path) -> None:
    first = sandbox.start(tmp_path, vendors=("capillary",))
    made, value = create(first), token(first)
    first.stop()
    second = sandbox.start(tmp_path, vendors=("capillary",))
    keys = [row["clientKey"] for row in by_token(second, value).json()["data"]]
    assert keys == [KEY, made["clientKey"]]
    second.stop()


def test_settings_of_both_ways_of_authentication() -> None:
    url = "http://127.0.0.1:9"
    assert sandbox.environ(f"{url}/", "capillary") == {
        "CAPILLARY_API_URL": f"{url}/capillary",
        "CAPILLARY_AUTH": "oauth",
        "CAPILLARY_KEY": KEY,
        "CAPILLARY_SECRET": SECRET,
        "CAPILLARY_TILL_ID": "15000449",
    }
    basic = basic_environ(url)
    assert (basic["CAPILLARY_AUTH"], basic["CAPILLARY_USERNAME"]) == ("basic", AS_TILL[0])
    assert "CAPILLARY_KEY" not in basic
