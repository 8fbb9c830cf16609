"""The itembase sandbox: consent, tokens, and the calls that need them."""

from __future__ import annotations

import pytest
import requests

from tests.vendors.itembase.caller import (
    ALLOW,
    BACK,
    CONNECT,
    NEW_USER,
    SCOPE,
    consent,
    exchange,
    get,
    new_token,
    sent_to,
    submit,
    tokens,
)
from vendors.sandbox import Running


def test_consent_returns_code_and_state(running: Running) -> None:
    where, query = sent_to(consent(running))
    assert (where, query["state"], set(query)) == (BACK, "s t", {"code", "state"})


def test_denial_is_access_denied_with_the_state(running: Running) -> None:
    where, query = sent_to(consent(running, {"case": "decline"}))
    assert (where, query) == (BACK, {"error": "access_denied", "state": "s t"})


@pytest.mark.parametrize(
    "redirect_uri",
    [
        f"{BACK}#x", f"{BACK}more/", f"{BACK}more/?state=x", "http://localhost:8000/return/", "",
        "http://localhost:8000/?/return/itembase/", "http://shop.example/return/itembase/?state=x",
        "http://shop.example/return/itembase/", "http://localhost@evil.example/return/itembase/",
        "http://@localhost:8000/return/itembase/", "http://[/return/itembase/",
    ],
)  # fmt: skip
def test_only_the_registered_return_address_is_taken(running: Running, redirect_uri: str) -> None:
    answer = consent(running, redirect_uri=redirect_uri)
    assert (answer.status_code, "Location" in answer.headers) == (400, False)


def test_parameters_may_be_added_to_the_registered_address(running: Running) -> None:
    where, query = sent_to(consent(running, redirect_uri=f"{BACK}?redirect_state=a%20b&x="))
    assert (where, query["redirect_state"], query["state"]) == (BACK, "a b", "s t")
    given = {"code": query["code"], "redirect_uri": f"{BACK}?redirect_state=a"}
    answer = exchange(running, grant_type="authorization_code", **given)
    assert "access_token" in answer.json()


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "user.instances.read"}, "invalid_scope"),
        ({"scope": "user.minimal everything"}, "invalid_scope"),
    ],
)
def test_a_wrong_request_for_consent_returns_an_error(
    running: Running, changed: dict[str, str], error: str
) -> None:
    assert sent_to(consent(running, **changed))[1] == {"error": error, "state": "s t"}
    assert consent(running, client_id="other").status_code == 400


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_code_works_once(running: Running, method: str) -> None:
    code = sent_to(consent(running))[1]["code"]
    given = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    first, second = (exchange(running, method, **given) for _ in range(2))
    assert (first.json()["token_type"], first.json()["scope"]) == ("bearer", SCOPE)
    assert set(first.json()) == {
        "access_token", "expires_in", "token_type", "scope", "refresh_token"
    }  # fmt: skip
    assert (second.status_code, second.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("expire", ["by time", "by case"])
def test_a_code_expires(running: Running, expire: str) -> None:
    form = ALLOW | {"case": "expired"} if expire == "by case" else ALLOW
    code = sent_to(consent(running, form))[1]["code"]
    if expire == "by time":
        running.change("itembase", "codes", {}, expires_at=0)
    answer = exchange(running, grant_type="authorization_code", code=code, redirect_uri=BACK)
    assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "other"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"redirect_uri": ""}, 400, "invalid_request"),
        ({"redirect_uri": f"{BACK}more/?x=1"}, 400, "invalid_request"),
        ({"code": ""}, 400, "invalid_request"),
        ({"code": "made up"}, 400, "invalid_grant"),
    ],
)
def test_the_token_endpoint_refuses_in_the_shape_of_rfc_6749(
    running: Running, changed: dict[str, str], status: int, error: str
) -> None:
    code = sent_to(consent(running))[1]["code"]
    good = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    answer = exchange(running, **good | changed)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert exchange(running, **good).status_code == 200


def test_a_refresh_replaces_the_refresh_token(running: Running) -> None:
    old = tokens(running)["refresh_token"]
    new = exchange(running, grant_type="refresh_token", refresh_token=old).json()
    assert get(running, "users/v1/me", new["access_token"]).status_code == 200
    again = exchange(running, grant_type="refresh_token", refresh_token=old)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    next_one = exchange(running, grant_type="refresh_token", refresh_token=new["refresh_token"])
    assert next_one.json()["refresh_token"] not in {old, new["refresh_token"]}


def test_me_and_instances_look_like_the_samples(running: Running) -> None:
    submit(new_token(running, NEW_USER).json()["uri"], CONNECT, redirect_uri=BACK)
    bearer = tokens(running)["access_token"]
    me = get(running, "users/v1/me", bearer).json()
    assert (me["email"], me["middle_name"]) == ("anna@shop.example", None)
    store, solution = get(running, f"api/v1/users/{me['uuid']}/instances", bearer).json()
    assert list(store) == ["id", "component_id", "component_type", "status", "_links"]
    kept = [
        (row["component_id"], row["component_type"], row["status"]) for row in (store, solution)
    ]
    assert kept == [(6, "connection", "connection.valid"), (77, "solution", None)]
    href = f"/v1/users/{me['uuid']}/instances/{store['id']}"
    assert store["_links"][1] == {"rel": "meta", "href": f"{href}/meta"}


def test_scopes_and_expiry_of_access_tokens_are_enforced(running: Running) -> None:
    bearer = tokens(running, scope="user.minimal")["access_token"]
    user = get(running, "users/v1/me", bearer).json()["uuid"]
    assert get(running, f"api/v1/users/{user}/instances", bearer).status_code == 403
    body = {"component_ids": [6], "action": "create"}
    assert new_token(running, body, bearer).status_code == 403
    running.change("itembase", "grants", {}, expires_at=0)
    assert get(running, "users/v1/me", bearer).json()["code"] == 401
    assert get(running, "users/v1/me", "").status_code == 401
    assert new_token(running, body, bearer).status_code == 401


def test_instances_of_another_user_are_forbidden(running: Running) -> None:
    bearer = tokens(running)["access_token"]
    assert get(running, "api/v1/users/somebody/instances", bearer).status_code == 403


def test_the_case_lost_loses_the_answer_with_the_tokens(running: Running) -> None:
    code = sent_to(consent(running, ALLOW | {"case": "lost"}))[1]["code"]
    given = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    with pytest.raises(requests.ConnectionError):
        exchange(running, **given)
    assert running.counts("itembase")["made"]["grants"] == 1
    assert exchange(running, **given).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("case", ["dead", "garbled"])
def test_a_case_strikes_the_calls_of_that_user_alone(running: Running, case: str) -> None:
    bearer = tokens(running)["access_token"]
    bob = ALLOW | {"email": "bob@shop.example", "case": case}
    code = sent_to(consent(running, bob))[1]["code"]
    assert get(running, "users/v1/me", bearer).json()["email"] == "anna@shop.example"
    with pytest.raises((requests.ConnectionError, requests.exceptions.JSONDecodeError)):
        exchange(running, grant_type="authorization_code", code=code, redirect_uri=BACK).json()
