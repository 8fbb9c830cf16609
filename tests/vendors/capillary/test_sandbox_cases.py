"""What goes wrong in the Capillary sandbox, and its page."""

from __future__ import annotations

import re

import pytest
import requests

from tests.vendors.capillary.caller import (
    BODY,
    CLIENTS,
    by_token,
    call,
    console,
    create,
    generate,
    token,
)
from vendors.sandbox import Running

POST = "POST /v3/integrations/clients"


@pytest.mark.parametrize(
    ("shape", "status", "old"),
    [("498", 498, False), ("498-old", 498, True), ("200-old", 200, True), ("401-old", 401, True)],
)
def test_an_expired_token_is_told_in_one_of_the_documented_shapes(
    running: Running, shape: str, status: int, old: bool
) -> None:
    value = token(running)
    console(running, expired_token=shape)
    assert "Every token has expired." in console(running, case="expired").text
    answer = by_token(running, value)
    assert answer.status_code == status
    told = answer.json()["response"]["status"] if old else answer.json()["errors"][0]
    assert re.fullmatch(r"Token expired at \d{4}.*\.000\+0530", told["message"])
    assert (told["code"], told.get("success")) == (("498", "true") if old else (498, None))


def test_tokens_expire_by_themselves(running: Running) -> None:
    value = token(running)
    assert running.change("capillary", "tokens", {}, expires_at=0) == 1
    assert by_token(running, value).status_code == 498
    assert by_token(running, token(running)).status_code == 200


def test_refusals_may_come_in_the_older_shape(running: Running) -> None:
    console(running, refusals="old")
    answer = by_token(running, "unknown")
    told = {"success": "true", "code": "401", "message": "Unauthorized"}
    assert (answer.status_code, answer.json()) == (401, {"response": {"status": told}})


@pytest.mark.parametrize(
    ("case", "status", "code"),
    [
        ("429-once", 429, 429),
        ("461-once", 461, 461),
        ("521-once", 521, 521),
        ("4001-once", 503, 4001),
        ("4000-once", 403, 4000),
    ],
)
def test_the_next_call_alone_is_turned_away(
    running: Running, case: str, status: int, code: int
) -> None:
    console(running, next_call=case)
    answer = call(running, "POST", CLIENTS, BODY)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)
    assert "clients" not in running.counts("capillary")["made"]
    assert call(running, "POST", CLIENTS, BODY).status_code == 200


def test_a_success_may_carry_an_error_with_code_zero(running: Running) -> None:
    console(running, success="zero")
    answer = call(running, "POST", CLIENTS, BODY)
    assert (answer.status_code, answer.json()["errors"]) == (200, [{"code": 0, "message": ""}])
    assert answer.json()["data"]["isValid"] is True


@pytest.mark.parametrize(("case", "made"), [("201", True), ("201-errors", False)])
def test_201_says_nothing_by_itself(running: Running, case: str, made: bool) -> None:
    console(running, created=case)
    answer = call(running, "POST", CLIENTS, BODY)
    body = answer.json()
    assert answer.status_code == 201
    assert (bool(body["data"]), bool(body["errors"])) == (made, not made)
    assert ("clients" in running.counts("capillary")["made"]) is made


@pytest.mark.parametrize("status", [401, 400, 200])
def test_the_status_of_a_wrong_key_can_be_chosen(running: Running, status: int) -> None:
    console(running, bad_key=str(status))
    answer = generate(running, "wrong")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, 320001)


def test_the_unit_may_be_minutes(running: Running) -> None:
    made = create(running, expirationTokenTime=10)
    console(running, unit="minutes")
    answer = generate(running, made["clientKey"], made["clientSecret"])
    assert answer.json()["data"]["ttlSeconds"] == 600
    assert generate(running).json()["data"]["ttlSeconds"] == 300


def test_a_deleted_client_may_be_gone(running: Running) -> None:
    key = create(running)["clientKey"]
    console(running, deleted="gone")
    assert call(running, "DELETE", f"{CLIENTS}/{key}").status_code == 200
    assert call(running, "DELETE", f"{CLIENTS}/{key}").status_code == 404
    assert call(running, "GET", f"{CLIENTS}/{key}").status_code == 404
    assert len(call(running, "GET", CLIENTS).json()["data"]) == 1


def test_a_client_is_deleted_behind_gangways_back(running: Running) -> None:
    key = create(running)["clientKey"]
    page = console(running, do="delete", key=key).text
    assert "The client is deleted." in page
    assert "Deleted. Key" in page
    assert call(running, "GET", f"{CLIENTS}/{key}").json()["data"]["isValid"] is False
    assert console(running, do="delete", key=key).status_code == 404


def test_the_org_is_filled_from_elsewhere(running: Running) -> None:
    assert "2 of 15 clients" in console(running, do="one").text
    assert "15 of 15 clients" in console(running, do="fill").text
    assert call(running, "POST", CLIENTS, BODY).status_code == 400
    assert console(running, do="one").status_code == 409


def test_a_lost_answer_leaves_a_client_without_a_known_secret(running: Running) -> None:
    console(running, case="lost")
    assert call(running, "GET", CLIENTS).status_code == 200
    with pytest.raises(requests.ConnectionError):
        call(running, "POST", CLIENTS, BODY)
    rows = call(running, "GET", CLIENTS).json()["data"]
    assert [row["description"] for row in rows[1:]] == [BODY["description"]]
    assert running.counts("capillary")["calls"][POST] == 1


def test_a_case_strikes_every_call(running: Running) -> None:
    console(running, case="dead")
    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            call(running, "GET", CLIENTS)
    assert requests.get(f"{running.url}/capillary/", timeout=5).status_code == 200


def test_a_fault_can_be_for_one_client_alone(running: Running) -> None:
    first, second = create(running), create(running)
    running.fault("capillary", flow=first["clientKey"], kind="status", status=500, times=2)
    paths = [f"{CLIENTS}/{made['clientKey']}" for made in (second, first)]
    assert [call(running, "GET", path).status_code for path in paths] == [200, 500]
    assert generate(running, first["clientKey"], first["clientSecret"]).status_code == 500


def test_a_wrong_button_or_switch_is_refused(running: Running) -> None:
    assert console(running, do="explode").status_code == 400
    assert console(running, next_call="418-once").status_code == 400
    page = console(running, next_call="461-once").text
    assert '<option value="461-once" selected>' in page


def test_pages_escape_what_others_wrote_and_hold_no_secret(running: Running) -> None:
    made = create(running, name="<i>x", description="<b>y")
    for path in ("/capillary/", "/capillary", "/"):
        text = requests.get(f"{running.url}{path}", timeout=5).text
        assert "&lt;i&gt;x" in text
        assert "&lt;b&gt;y" in text
        assert not re.search("<i>x|<b>y", text)
        assert made["clientSecret"] not in text
