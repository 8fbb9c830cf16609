"""The Sharespine sandbox demands what the documentation demands, and answers as it does."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests

from vendors.sandbox import Running

AUTH = ("demo-reseller", "demo-reseller-secret")
HEADERS = {"X-Reseller": "demo", "User-Agent": "my-app/1.0 (you@example.com)"}
TENANT: dict[str, Any] = {
    "customerReference": "mycustomer",
    "active": True,
    "fullName": "My <b>customer</b>",
    "email": "my@customer.example",
    "defaultLanguage": "swe",
    "languages": ["swe"],
    "options": ["string"],
}
USER: dict[str, Any] = {
    "login": "anna@shop.example",
    "fullName": "Anna",
    "email": "anna@shop.example",
    "permissions": ["string"],
    "defaultLanguage": "swe",
}
CONNECTION: dict[str, Any] = {"active": True, "name": "API", "type": "api", "configuration": {}}


def call(running: Running, path: str, body: object, **options: Any) -> requests.Response:
    given: dict[str, Any] = {"headers": HEADERS, "auth": AUTH, "json": body, "timeout": 5} | options
    return requests.post(f"{running.url}/sharespine/reseller/tenant{path}", **given)


def tenant(running: Running) -> str:
    return str(call(running, "", TENANT).json()["codeName"])


def login_url(running: Running) -> str:
    code = tenant(running)
    call(running, f"/{code}/user", USER)
    answer = call(running, f"/{code}/login/anna%40shop.example", {"path": "/"})
    return str(answer.json()["loginUrl"])


def test_a_tenant_gets_a_code_name_and_a_repeated_call_makes_a_second(running: Running) -> None:
    answer = call(running, "", TENANT)
    assert (answer.status_code, answer.json()) == (201, {"codeName": "demomycustomer-1"})
    assert call(running, "", TENANT).json() == {"codeName": "demomycustomer-2"}
    assert running.counts("sharespine")["made"] == {"tenants": 2}


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"auth": None}, 401),
        ({"auth": ("demo-reseller", "wrong")}, 401),
        ({"headers": {"User-Agent": HEADERS["User-Agent"]}}, 403),
        ({"headers": HEADERS | {"X-Reseller": "other"}}, 403),
        ({"headers": HEADERS | {"User-Agent": "python-requests/2"}}, 400),
        ({"headers": HEADERS | {"User-Agent": "my-app/1.0"}}, 400),
        ({"json": None, "data": "{}"}, 415),
        ({"json": None, "data": {"User-Agent": HEADERS["User-Agent"]}}, 415),
        ({"json": ["no object"]}, 400),
    ],
)
def test_every_header_and_credential_is_demanded(
    running: Running, options: dict[str, Any], status: int
) -> None:
    answer = call(running, "", TENANT, **options)
    assert (answer.status_code, list(answer.json())) == (status, ["message"])
    assert running.counts("sharespine")["made"] == {}


@pytest.mark.parametrize(
    ("path", "body"), [("", TENANT), ("/{code}/user", USER), ("/{code}/connection", CONNECTION)]
)
def test_every_documented_field_is_demanded(
    running: Running, path: str, body: dict[str, Any]
) -> None:
    path = path.format(code=tenant(running))
    made = running.counts("sharespine")["made"]
    for name in body:
        without = {key: value for key, value in body.items() if key != name}
        for wrong in (without, body | {name: 7}):
            answer = call(running, path, wrong)
            assert (answer.status_code, name in answer.json()["message"]) == (400, True)
    assert call(running, path, body | {"more": 1}).status_code == 400
    assert running.counts("sharespine")["made"] == made


@pytest.mark.parametrize("reference", ["MyCustomer", "my customer", "mïn", ""])
def test_a_customer_reference_is_lower_case_ascii(running: Running, reference: str) -> None:
    answer = call(running, "", TENANT | {"customerReference": reference})
    assert answer.status_code == 400


def test_a_login_is_unique_within_its_tenant(running: Running) -> None:
    first, second = tenant(running), tenant(running)
    statuses = [call(running, f"/{c}/user", USER).status_code for c in (first, first, second)]
    assert statuses == [201, 409, 201]


def test_a_user_is_answered_with_its_login_and_without_a_password(running: Running) -> None:
    answer = call(running, f"/{tenant(running)}/user", USER).json()
    assert answer["login"] == USER["login"]
    assert "password" not in answer


def test_a_connection_gets_an_id(running: Running) -> None:
    answer = call(running, f"/{tenant(running)}/connection", CONNECTION).json()
    assert re.fullmatch("[0-9a-f]{32}", answer["id"])
    assert answer["type"] == "api"


def test_an_unknown_tenant_or_login_is_not_found(running: Running) -> None:
    code = tenant(running)
    assert call(running, "/nobody/user", USER).status_code == 404
    assert call(running, f"/{code}/login/nobody", {"path": "/"}).status_code == 404
    call(running, f"/{code}/user", USER)
    assert call(running, f"/{code}/login/anna%40shop.example", {}).status_code == 400


def test_a_login_url_has_the_documented_shape(running: Running) -> None:
    code = tenant(running)
    call(running, f"/{code}/user", USER)
    answer = call(running, f"/{code}/login/anna%40shop.example", {"path": "/start"}).json()
    assert answer["path"] == "/start"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", answer["expires"])
    begin = f"{running.url}/sharespine/my/_tokenlogin/anna%40shop.example/"
    assert answer["loginUrl"].startswith(begin)


def test_a_login_url_works_once_and_opens_the_wizard(running: Running) -> None:
    url = login_url(running)
    with requests.Session() as browser:
        wizard = browser.get(url, timeout=5)
        assert (wizard.status_code, wizard.url) == (200, f"{running.url}/sharespine/my/")
        assert "Set up my shop" in wizard.text
        done = browser.post(wizard.url, data={"case": "approve", "shop": "a.example"}, timeout=5)
    assert (done.status_code, done.history) == (200, [])
    assert running.state("sharespine")["setups"][0]["shop"] == "a.example"
    assert requests.get(url, timeout=5).status_code == 410


def test_a_login_url_expires(running: Running) -> None:
    url = login_url(running)
    running.change("sharespine", "logins", {}, expires_at=0)
    answer = requests.get(url, timeout=5)
    assert (answer.status_code, "expired" in answer.text) == (410, True)


def test_the_wizard_demands_a_session(running: Running) -> None:
    assert requests.get(f"{running.url}/sharespine/my/", timeout=5).status_code == 403
    answer = requests.post(f"{running.url}/sharespine/my/", data={"case": "approve"}, timeout=5)
    assert answer.status_code == 403


@pytest.mark.parametrize("case", ["decline", "expired"])
def test_whoever_leaves_the_wizard_sets_nothing_up(running: Running, case: str) -> None:
    with requests.Session() as browser:
        wizard = browser.get(login_url(running), timeout=5)
        answer = browser.post(wizard.url, data={"case": case}, timeout=5)
    assert answer.status_code == (410 if case == "expired" else 200)
    assert "setups" not in running.counts("sharespine")["made"]


@pytest.mark.parametrize("case", ["dead", "lost"])
def test_a_case_of_the_wizard_strikes_the_next_call(running: Running, case: str) -> None:
    with requests.Session() as browser:
        wizard = browser.get(login_url(running), timeout=5)
        browser.post(wizard.url, data={"case": case, "shop": "a.example"}, timeout=5)
    with pytest.raises(requests.ConnectionError):
        call(running, "/demomycustomer-1/login/anna%40shop.example", {"path": "/"})
    logins = running.counts("sharespine")["made"]["logins"]
    assert logins == (2 if case == "lost" else 1)


def test_pages_escape_what_others_wrote(running: Running) -> None:
    code = tenant(running)
    call(running, f"/{code}/user", USER | {"login": "<i>x</i>"})
    url = call(running, f"/{code}/login/%3Ci%3Ex%3C%2Fi%3E", {"path": "/"}).json()["loginUrl"]
    for text in (
        requests.Session().get(url, timeout=5).text,
        requests.get(running.url, timeout=5).text,
    ):
        assert "&lt;i&gt;x" in text
        assert "<i>x" not in text
        assert "<b>customer" not in text
