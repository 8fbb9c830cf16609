"""The Sharespine sandbox demands what the documentation demands, and answers as it does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from vendors import sandbox as frame
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


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Running]:
    running = frame.start(tmp_path, vendors=("sharespine",))
    yield running
    running.stop()


def call(sandbox: Running, path: str, body: object, **options: Any) -> requests.Response:
    given: dict[str, Any] = {"headers": HEADERS, "auth": AUTH, "json": body, "timeout": 5} | options
    return requests.post(f"{sandbox.url}/sharespine/reseller/tenant{path}", **given)


def tenant(sandbox: Running) -> str:
    return str(call(sandbox, "", TENANT).json()["codeName"])


def login_url(sandbox: Running) -> str:
    code = tenant(sandbox)
    call(sandbox, f"/{code}/user", USER)
    answer = call(sandbox, f"/{code}/login/anna%40shop.example", {"path": "/"})
    return str(answer.json()["loginUrl"])


def test_a_tenant_gets_a_code_name_and_a_repeated_call_makes_a_second(sandbox: Running) -> None:
    answer = call(sandbox, "", TENANT)
    assert (answer.status_code, answer.json()) == (201, {"codeName": "demomycustomer-1"})
    assert call(sandbox, "", TENANT).json() == {"codeName": "demomycustomer-2"}
    assert sandbox.counts("sharespine")["made"] == {"tenants": 2}


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
    sandbox: Running, options: dict[str, Any], status: int
) -> None:
    answer = call(sandbox, "", TENANT, **options)
    assert (answer.status_code, list(answer.json())) == (status, ["message"])
    assert sandbox.counts("sharespine")["made"] == {}


@pytest.mark.parametrize(
    ("path", "body"), [("", TENANT), ("/{code}/user", USER), ("/{code}/connection", CONNECTION)]
)
def test_every_documented_field_is_demanded(
    sandbox: Running, path: str, body: dict[str, Any]
) -> None:
    path = path.format(code=tenant(sandbox))
    made = sandbox.counts("sharespine")["made"]
    for name in body:
        without = {key: value for key, value in body.items() if key != name}
        for wrong in (without, body | {name: 7}):
            answer = call(sandbox, path, wrong)
            assert (answer.status_code, name in answer.json()["message"]) == (400, True)
    assert call(sandbox, path, body | {"more": 1}).status_code == 400
    assert sandbox.counts("sharespine")["made"] == made


@pytest.mark.parametrize("reference", ["MyCustomer", "my customer", "mïn", ""])
def test_a_customer_reference_is_lower_case_ascii(sandbox: Running, reference: str) -> None:
    answer = call(sandbox, "", TENANT | {"customerReference": reference})
    assert answer.status_code == 400


def test_a_login_is_unique_within_its_tenant(sandbox: Running) -> None:
    first, second = tenant(sandbox), tenant(sandbox)
    statuses = [call(sandbox, f"/{c}/user", USER).status_code for c in (first, first, second)]
    assert statuses == [201, 409, 201]


def test_a_user_is_answered_with_its_login_and_without_a_password(sandbox: Running) -> None:
    answer = call(sandbox, f"/{tenant(sandbox)}/user", USER).json()
    assert answer["login"] == USER["login"]
    assert "password" not in answer


def test_a_connection_gets_an_id(sandbox: Running) -> None:
    answer = call(sandbox, f"/{tenant(sandbox)}/connection", CONNECTION).json()
    assert re.fullmatch("[0-9a-f]{32}", answer["id"])
    assert answer["type"] == "api"


def test_an_unknown_tenant_or_login_is_not_found(sandbox: Running) -> None:
    code = tenant(sandbox)
    assert call(sandbox, "/nobody/user", USER).status_code == 404
    assert call(sandbox, f"/{code}/login/nobody", {"path": "/"}).status_code == 404
    call(sandbox, f"/{code}/user", USER)
    assert call(sandbox, f"/{code}/login/anna%40shop.example", {}).status_code == 400


def test_a_login_url_has_the_documented_shape(sandbox: Running) -> None:
    code = tenant(sandbox)
    call(sandbox, f"/{code}/user", USER)
    answer = call(sandbox, f"/{code}/login/anna%40shop.example", {"path": "/start"}).json()
    assert answer["path"] == "/start"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", answer["expires"])
    begin = f"{sandbox.url}/sharespine/my/_tokenlogin/anna%40shop.example/"
    assert answer["loginUrl"].startswith(begin)


def test_a_login_url_works_once_and_opens_the_wizard(sandbox: Running) -> None:
    url = login_url(sandbox)
    with requests.Session() as browser:
        wizard = browser.get(url, timeout=5)
        assert (wizard.status_code, wizard.url) == (200, f"{sandbox.url}/sharespine/my/")
        assert "Set up my shop" in wizard.text
        done = browser.post(wizard.url, data={"case": "approve", "shop": "a.example"}, timeout=5)
    assert (done.status_code, done.history) == (200, [])
    assert sandbox.state("sharespine")["setups"][0]["shop"] == "a.example"
    assert requests.get(url, timeout=5).status_code == 410


def test_a_login_url_expires(sandbox: Running) -> None:
    url = login_url(sandbox)
    sandbox.change("sharespine", "logins", {}, expires_at=0)
    answer = requests.get(url, timeout=5)
    assert (answer.status_code, "expired" in answer.text) == (410, True)


def test_the_wizard_demands_a_session(sandbox: Running) -> None:
    assert requests.get(f"{sandbox.url}/sharespine/my/", timeout=5).status_code == 403
    answer = requests.post(f"{sandbox.url}/sharespine/my/", data={"case": "approve"}, timeout=5)
    assert answer.status_code == 403


@pytest.mark.parametrize("case", ["decline", "expired"])
def test_whoever_leaves_the_wizard_sets_nothing_up(sandbox: Running, case: str) -> None:
    with requests.Session() as browser:
        wizard = browser.get(login_url(sandbox), timeout=5)
        answer = browser.post(wizard.url, data={"case": case}, timeout=5)
    assert answer.status_code == (410 if case == "expired" else 200)
    assert "setups" not in sandbox.counts("sharespine")["made"]


@pytest.mark.parametrize("case", ["dead", "lost"])
def test_a_case_of_the_wizard_strikes_the_next_call(sandbox: Running, case: str) -> None:
    with requests.Session() as browser:
        wizard = browser.get(login_url(sandbox), timeout=5)
        browser.post(wizard.url, data={"case": case, "shop": "a.example"}, timeout=5)
    with pytest.raises(requests.ConnectionError):
        call(sandbox, "/demomycustomer-1/login/anna%40shop.example", {"path": "/"})
    logins = sandbox.counts("sharespine")["made"]["logins"]
    assert logins == (2 if case == "lost" else 1)


def test_pages_escape_what_others_wrote(sandbox: Running) -> None:
    code = tenant(sandbox)
    call(sandbox, f"/{code}/user", USER | {"login": "<i>x</i>"})
    url = call(sandbox, f"/{code}/login/%3Ci%3Ex%3C%2Fi%3E", {"path": "/"}).json()["loginUrl"]
    for text in (
        requests.Session().get(url, timeout=5).text,
        requests.get(sandbox.url, timeout=5).text,
    ):
        assert "&lt;i&gt;x" in text
        assert "<i>x" not in text
        assert "<b>customer" not in text
