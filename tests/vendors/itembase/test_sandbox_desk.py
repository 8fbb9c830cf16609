"""The itembase sandbox: what happens there without us, and what starts there."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.vendors.itembase.caller import (
    ALLOW,
    BACK,
    CONNECT,
    NEW_USER,
    exchange,
    get,
    new_token,
    sent_to,
    submit,
    tokens,
)
from vendors.sandbox import Running


def desk(running: Running, **form: str) -> requests.Response:
    return submit(f"{running.url}/itembase/accounts/stores", form)


def connect(running: Running, case: str = "approve") -> dict[str, Any]:
    """A store connected on the process page; the user's tokens."""
    submit(new_token(running, NEW_USER).json()["uri"], CONNECT | {"case": case}, redirect_uri=BACK)
    return tokens(running)


def listed(running: Running, bearer: str) -> list[tuple[str, str | None]]:
    user = running.state("itembase")["users"][0]["id"]
    rows = get(running, f"api/v1/users/{user}/instances", bearer).json()
    return [(row["component_type"], row["status"]) for row in rows]


VALID, SOLUTION = ("connection", "connection.valid"), ("solution", None)


@pytest.mark.parametrize(
    ("case", "rows"),
    [
        ("approve", [VALID, SOLUTION]),
        ("several", [VALID, VALID, SOLUTION]),
        ("pending", [("connection", "connection.pending"), SOLUTION]),
        ("attention", [("connection", "connection.invalid"), SOLUTION]),
        ("unactivated", [VALID]),
    ],
)
def test_a_store_can_be_connected_in_several_ways(
    running: Running, case: str, rows: list[tuple[str, str | None]]
) -> None:
    assert listed(running, connect(running, case)["access_token"]) == rows


def test_a_store_is_added_altered_and_removed_without_us(running: Running) -> None:
    desk(running, do="add", component="6", store="Older", user="new", email=ALLOW["email"])
    bearer = tokens(running)["access_token"]
    assert listed(running, bearer) == [VALID]
    store = running.state("itembase")["connections"][0]["id"]
    desk(running, do="status", id=store, status="something.new")
    assert listed(running, bearer) == [("connection", "something.new")]
    desk(running, do="remove", id=store)
    assert listed(running, bearer) == []
    gone = new_token(running, {"instance_id": store, "action": "create"}, bearer)
    assert gone.status_code == 404


def test_sign_ins_expire_end_and_lose_their_renewal(running: Running) -> None:
    granted = connect(running)
    user = running.state("itembase")["users"][0]["id"]
    renewal = {"grant_type": "refresh_token", "refresh_token": granted["refresh_token"]}
    desk(running, do="lose", user=user)
    assert get(running, "users/v1/me", granted["access_token"]).status_code == 401
    with pytest.raises(requests.ConnectionError):
        exchange(running, **renewal)
    assert exchange(running, **renewal).json()["error"] == "invalid_grant"
    other = tokens(running)
    desk(running, do="revoke", user=user)
    assert get(running, "users/v1/me", other["access_token"]).status_code == 401
    renewal["refresh_token"] = other["refresh_token"]
    assert exchange(running, **renewal).json()["error"] == "invalid_grant"


def test_an_expired_sign_in_can_be_renewed(running: Running) -> None:
    granted = connect(running)
    desk(running, do="expire", user=running.state("itembase")["users"][0]["id"])
    assert get(running, "users/v1/me", granted["access_token"]).status_code == 401
    renewed = exchange(
        running, grant_type="refresh_token", refresh_token=granted["refresh_token"]
    ).json()
    assert get(running, "users/v1/me", renewed["access_token"]).status_code == 200


def test_an_activation_is_taken_away_and_given_again(running: Running) -> None:
    bearer = connect(running)["access_token"]
    desk(running, do="deactivate", user=running.state("itembase")["users"][0]["id"])
    assert listed(running, bearer) == [VALID]
    link = get(running, "solution/activate", bearer).json()["activation_url"]
    answers = [submit(link, {"case": "approve"}).status_code for _ in range(2)]
    assert (answers, listed(running, bearer)) == ([303, 404], [VALID, SOLUTION])


@pytest.mark.parametrize("bearer", ["", "made-up"])
def test_an_activation_demands_a_sign_in(running: Running, bearer: str) -> None:
    assert get(running, "solution/activate", bearer).status_code == 401
    assert "activations" not in running.counts("itembase")["made"]


def test_what_starts_at_itembase_arrives_with_a_code_alone(running: Running) -> None:
    url = f"{running.url}/itembase/solution/directory"
    assert "Start gangway-demo" in requests.get(url, timeout=5).text
    where, query = sent_to(submit(url, ALLOW | {"redirect_uri": BACK}))
    assert (where, set(query)) == (BACK, {"code"})
    given = {"grant_type": "authorization_code", "code": query["code"], "redirect_uri": BACK}
    assert exchange(running, **given).status_code == 200
    elsewhere = submit(url, ALLOW | {"redirect_uri": "https://evil.example/return/itembase/"})
    assert elsewhere.status_code == 400


@pytest.mark.parametrize(
    "form",
    [
        {"do": "explode"},
        {"do": "add", "component": "999", "user": "new", "email": "a@b"},
        {"do": "add", "component": "6", "user": "made-up"},
        {"do": "remove", "id": "made-up"},
        {"do": "revoke", "user": "made-up"},
    ],
)
def test_the_desk_refuses_what_it_does_not_know(running: Running, form: dict[str, str]) -> None:
    assert desk(running, **form).status_code in {400, 404}
    assert running.counts("itembase")["made"] == {}


def test_the_desk_shows_all_and_escapes_it(running: Running) -> None:
    connect(running)
    desk(running, do="add", component="7", store="<b>", user="new", email="<i>@x")
    page = requests.get(f"{running.url}/itembase/accounts/stores", timeout=5).text
    assert "My store of anna@shop.example, eBay" in page
    assert "&lt;b&gt; of &lt;i&gt;@x, Shopify" in page
    assert "<b>" not in page
