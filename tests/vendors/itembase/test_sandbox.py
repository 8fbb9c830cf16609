"""The itembase sandbox: selfservice tokens, the process page and the activation."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests

from tests.vendors.itembase.caller import (
    BACK,
    CONNECT,
    NEW_USER,
    consent,
    get,
    new_token,
    sent_to,
    submit,
    tokens,
)
from vendors.sandbox import Running


def test_a_token_for_a_new_user_looks_like_the_sample(running: Running) -> None:
    answer = new_token(running, NEW_USER)
    token = answer.json()["token"]
    assert re.fullmatch("[0-9a-f]{40}", token)
    assert answer.json() == {
        "token": token,
        "client_id": "gangway-demo",
        "user_id": None,
        "action": "create",
        "component_ids": [6, 77],
        "instance_id": None,
        "status": "new",
        "enable_whisper_signup": False,
        "expires_in": 1200,
        "uri": f"{running.url}/itembase/selfservice/process/{token}",
        "additional_parameters": [],
    }


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (NEW_USER | {"client_id": "other"}, 401),
        ({"component_ids": [6], "action": "create"}, 401),
        (NEW_USER | {"action": "delete"}, 400),
        (NEW_USER | {"component_ids": "6"}, 400),
        (NEW_USER | {"component_ids": ["6"]}, 400),
        (NEW_USER | {"component_ids": []}, 400),
        (NEW_USER | {"component_ids": [True]}, 400),
        (NEW_USER | {"component_ids": [999]}, 400),
        (NEW_USER | {"redirect_uri": BACK}, 400),
        (NEW_USER | {"additional_parameters": "x"}, 400),
        (NEW_USER | {"instance_id": "1768e0de-0c78-4a5e-bce3-44d2d8a63fa5"}, 401),
    ],
)
def test_a_token_is_refused_in_the_documented_shape(
    running: Running, body: dict[str, Any], status: int
) -> None:
    answer = new_token(running, body)
    assert answer.status_code == answer.json()["code"] == status
    assert set(answer.json()) == {"message", "code"}
    assert running.counts("itembase")["made"] == {}


def test_a_token_demands_json(running: Running) -> None:
    url = f"{running.url}/itembase/selfservice/v1/tokens"
    assert requests.post(url, data='{"action": "create"}', timeout=5).status_code == 400


def test_the_process_returns_with_ibsstoken_after_the_query_that_was_there(
    running: Running,
) -> None:
    token = new_token(running, NEW_USER).json()
    page = requests.get(token["uri"], params={"redirect_uri": f"{BACK}?state=a%2Bb"}, timeout=5)
    assert "Connect the store" in page.text
    answer = submit(token["uri"], CONNECT, redirect_uri=f"{BACK}?state=a%2Bb")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{BACK}?state=a%2Bb&ibsstoken={token['token']}"
    assert running.counts("itembase")["made"] == {
        "connections": 1, "solutions": 1, "tokens": 1, "users": 1
    }  # fmt: skip


def test_without_redirect_uri_the_process_ends_on_its_own_page(running: Running) -> None:
    answer = submit(new_token(running, NEW_USER).json()["uri"], CONNECT)
    assert (answer.status_code, "is connected" in answer.text) == (200, True)


def test_a_declined_process_returns_with_an_error_and_makes_nothing(running: Running) -> None:
    token = new_token(running, NEW_USER).json()
    where, query = sent_to(submit(token["uri"], {"case": "decline"}, redirect_uri=BACK))
    assert where == BACK
    assert query == {"ibsstoken": token["token"], "error": "The user has cancelled."}
    assert running.counts("itembase")["made"] == {"tokens": 1}


def test_a_process_works_once(running: Running) -> None:
    uri = new_token(running, NEW_USER).json()["uri"]
    statuses = [submit(uri, CONNECT, redirect_uri=BACK).status_code for _ in range(2)]
    assert statuses == [303, 410]
    assert running.counts("itembase")["made"]["connections"] == 1


def test_an_expired_process_says_so_and_links_back_with_an_error(running: Running) -> None:
    token = new_token(running, NEW_USER).json()
    running.change("itembase", "tokens", {}, expires_at=0)
    page = requests.get(token["uri"], params={"redirect_uri": BACK}, timeout=5)
    assert (page.status_code, "This link has expired" in page.text) == (410, True)
    assert f"{BACK}?ibsstoken={token['token']}&amp;error=" in page.text
    assert submit(token["uri"], CONNECT, redirect_uri=BACK).status_code == 410


def test_a_person_can_let_the_process_expire(running: Running) -> None:
    uri = new_token(running, NEW_USER).json()["uri"]
    assert submit(uri, {"case": "expired"}, redirect_uri=BACK).status_code == 410
    assert requests.get(uri, timeout=5).status_code == 410


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//evil.example/", "http://a b/"])
def test_the_process_sends_nobody_to_what_is_no_web_address(running: Running, url: str) -> None:
    uri = new_token(running, NEW_USER).json()["uri"]
    assert submit(uri, CONNECT, redirect_uri=url).status_code == 400
    assert running.counts("itembase")["made"] == {"tokens": 1}


def test_a_known_user_adds_a_store_with_a_bearer_token(running: Running) -> None:
    bearer = tokens(running)["access_token"]
    user = running.state("itembase")["users"][0]["id"]
    token = new_token(running, {"component_ids": [7], "action": "create"}, bearer).json()
    assert (token["user_id"], token["component_ids"]) == (user, [7, 77])
    submit(token["uri"], {"case": "approve", "store": "Second"}, redirect_uri=BACK)
    assert running.state("itembase")["connections"][0]["user"] == user


def test_an_existing_store_is_named_by_its_instance(running: Running) -> None:
    submit(new_token(running, NEW_USER).json()["uri"], CONNECT, redirect_uri=BACK)
    bearer, held = (
        tokens(running)["access_token"],
        running.state("itembase")["connections"][0]["id"],
    )
    token = new_token(running, {"instance_id": held, "action": "create"}, bearer).json()
    assert (token["component_ids"], token["instance_id"]) == ([77], held)
    other = new_token(running, {"instance_id": "other", "action": "create"}, bearer)
    assert other.json() == {"message": "Not found.", "code": 404}
    submit(token["uri"], {"case": "approve"}, redirect_uri=BACK)
    assert running.counts("itembase")["made"]["connections"] == 1


def test_a_client_is_activated_by_a_hop_without_parameters(running: Running) -> None:
    form = CONNECT | {"case": "unactivated"}
    submit(new_token(running, NEW_USER).json()["uri"], form, redirect_uri=BACK)
    assert "solutions" not in running.counts("itembase")["made"]
    link = get(running, "solution/activate", tokens(running)["access_token"]).json()
    assert set(link) == {"activation_url", "expires_at"}
    answer = submit(link["activation_url"], {"case": "approve"})
    assert (sent_to(answer), running.counts("itembase")["made"]["solutions"]) == ((BACK, {}), 1)


def test_an_existing_user_can_be_chosen_and_is_remembered(running: Running) -> None:
    with requests.Session() as browser:
        first = new_token(running, NEW_USER).json()["uri"]
        browser.post(first, data=CONNECT, timeout=5)
        user = running.state("itembase")["users"][0]["id"]
        page = browser.get(new_token(running, NEW_USER).json()["uri"], timeout=5).text
    assert f'value="{user}" checked' in page
    consent(running, {"case": "approve", "user": user})
    assert running.counts("itembase")["made"]["users"] == 1


def test_pages_escape_what_others_wrote(running: Running) -> None:
    evil = '<script>"x"</script>'
    uri = new_token(running, NEW_USER).json()["uri"]
    form = CONNECT | {"email": f"{evil}@x", "store": evil}
    submit(uri, form, redirect_uri=f"{BACK}?x={evil}")
    later = new_token(running, NEW_USER).json()["uri"]
    used = requests.get(uri, params={"redirect_uri": f"{BACK}?x={evil}"}, timeout=5).text
    for text in (
        requests.get(later, timeout=5).text,
        requests.get(running.url, timeout=5).text,
        used,
    ):
        assert "script&gt;" in text
        assert "<script" not in text
