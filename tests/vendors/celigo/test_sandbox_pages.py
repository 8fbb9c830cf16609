"""integrator.io and the operator's desk in the Celigo sandbox."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests

from tests.vendors.celigo.caller import (
    BODY,
    LICENSES,
    OPTS,
    OTHER,
    SHOPIFY,
    call,
    desk,
    issue,
    press,
    sign_up,
)
from vendors.sandbox import Running

BASE = f"/connectors/{SHOPIFY}/installBase"
UPDATE = f"/connectors/{SHOPIFY}/update"


@pytest.fixture
def browser(running: Running) -> Iterator[requests.Session]:
    with sign_up(running) as signed_in:
        yield signed_in


def test_an_account_is_made_once(running: Running) -> None:
    with requests.Session() as browser:
        page = browser.get(f"{running.url}/celigo", timeout=5).text
        assert "Create an integrator.io" in page
        assert "test@shop.example" in press(
            running, browser, "approve", user="new", email="test@shop.example"
        )
    sign_up(running, "TEST@shop.example").close()
    assert [user["email"] for user in running.state("celigo")["users"]] == ["test@shop.example"]


@pytest.mark.parametrize(("user", "email"), [("new", ""), ("new", "x"), ("nobody", "a@b.example")])
def test_an_account_needs_an_address(running: Running, user: str, email: str) -> None:
    with requests.Session() as browser:
        assert press(running, browser, "approve", user=user, email=email).startswith("400")
    assert running.counts("celigo")["made"] == {}


def test_installing_shows_in_the_license_and_in_the_install_base(
    running: Running, browser: requests.Session
) -> None:
    license = issue(running)
    assert ">Install<" in browser.get(f"{running.url}/celigo/", timeout=5).text
    assert "It is installed." in press(running, browser, "approve", license=license["_id"])
    shown = call(running, "GET", f"{LICENSES}/{license['_id']}").json()
    assert set(shown["user"]) == {"email", "_id", "name"}
    assert call(running, "GET", BASE).json() == [
        {
            "_integrationId": shown["_integrationId"],
            "email": "test@shop.example",
            "name": "Shopify - NetSuite Connector",
            "version": "1.0.0",
            "environment": "production",
        }
    ]


def test_uninstalling_keeps_the_license(running: Running, browser: requests.Session) -> None:
    license = issue(running)["_id"]
    press(running, browser, "approve")
    assert "It is uninstalled." in press(running, browser, "uninstall", license=license)
    shown = call(running, "GET", f"{LICENSES}/{license}").json()
    assert "_integrationId" not in shown
    assert "_id" in shown["user"]
    assert call(running, "GET", BASE).status_code == 204


def test_an_expired_license_is_not_installed(running: Running, browser: requests.Session) -> None:
    license = issue(running, expires="2020-01-01T00:00:00.000Z")["_id"]
    assert ">Install<" not in browser.get(f"{running.url}/celigo/", timeout=5).text
    assert press(running, browser, "approve", license=license).startswith("409")
    assert "There is nothing to do." in press(running, browser, "approve")


def test_nobody_installs_for_somebody_else(running: Running) -> None:
    license = issue(running)["_id"]
    with sign_up(running, "other@shop.example") as other:
        assert press(running, other, "approve", license=license).startswith("404")
    assert call(running, "GET", BASE).status_code == 204


def test_leaving_and_signing_out_install_nothing(
    running: Running, browser: requests.Session
) -> None:
    issue(running)
    assert "Nothing was installed" in press(running, browser, "decline")
    page = press(running, browser, "signout")
    assert "Sign in as test@shop.example" in page
    assert call(running, "GET", BASE).status_code == 204


def test_the_case_expired_ends_every_license(running: Running, browser: requests.Session) -> None:
    license = issue(running)
    assert "have expired" in press(running, browser, "expired")
    shown = call(running, "GET", f"{LICENSES}/{license['_id']}").json()
    assert shown["created"] <= shown["expires"] < license["expires"]


@pytest.mark.parametrize("case", ["dead", "lost"])
def test_a_case_strikes_the_next_call(
    running: Running, browser: requests.Session, case: str
) -> None:
    issue(running)
    assert "It is installed." in press(running, browser, case)
    with pytest.raises(requests.ConnectionError):
        call(running, "GET", LICENSES)


def test_an_update_is_pushed_to_the_chosen_rows_alone(
    running: Running, browser: requests.Session
) -> None:
    issue(running)
    issue(running)
    press(running, browser, "approve")
    press(running, browser, "approve")
    ids = [row["_integrationId"] for row in call(running, "GET", BASE).json()]
    answer = call(running, "PUT", UPDATE, {"_integrationIds": ids[1:]})
    assert (answer.status_code, answer.json()) == (200, {})
    versions = [row["version"] for row in call(running, "GET", BASE).json()]
    assert versions == ["1.0.0", "1.0.1"]
    assert running.state("celigo")["pushes"][0]["integrations"] == ids[1:]
    assert ids[1] in requests.get(f"{running.url}/celigo/partner", timeout=5).text


@pytest.mark.parametrize(
    "body",
    [{}, {"_integrationIds": []}, {"_integrationIds": [SHOPIFY]}, {"_integrationIds": SHOPIFY}],
)
def test_a_push_names_rows_of_the_install_base(running: Running, body: dict[str, object]) -> None:
    assert call(running, "PUT", UPDATE, body).status_code == 422
    assert "pushes" not in running.counts("celigo")["made"]


def test_a_push_may_be_answered_with_nothing(running: Running, browser: requests.Session) -> None:
    issue(running)
    press(running, browser, "approve")
    desk(running, push_answer="empty")
    ids = [row["_integrationId"] for row in call(running, "GET", BASE).json()]
    answer = call(running, "PUT", UPDATE, {"_integrationIds": ids})
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_license_can_be_issued_elsewhere(running: Running) -> None:
    answer = desk(running, do="issue", connector=OTHER, email="Elsewhere@shop.example")
    assert "The licence is issued." in answer.text
    rows = call(running, "GET", f"/connectors/{OTHER}/licenses").json()
    assert [row["user"] for row in rows] == [{"email": "Elsewhere@shop.example"}]
    assert re.fullmatch(r"[\dT:-]{19}\.000Z", rows[0]["expires"])


def test_a_wrong_switch_is_refused(running: Running) -> None:
    assert desk(running, invalid_user="418").status_code == 400
    assert desk(running, do="explode").status_code == 400
    page = desk(running, page_size="2", token="restricted").text
    assert '<option value="restricted" selected>' in page
    assert '<option value="2" selected>' in page


def test_pages_escape_what_others_wrote(running: Running) -> None:
    with sign_up(running, "<i>x</i>@shop.example") as browser:
        call(running, "PUT", f"/connectors/{SHOPIFY}", {"name": "<b>name"})
        opts = OPTS | {"connectorEdition": "<u>"}
        call(running, "POST", LICENSES, BODY | {"email": "<i>x</i>@shop.example", "opts": opts})
        urls = [f"{running.url}{path}" for path in ("/celigo/", "/celigo/partner", "/")]
        texts = [browser.get(url, timeout=5).text for url in urls]
        texts.append(press(running, browser, "approve"))
    for text in texts:
        assert "&lt;i&gt;x" in text
        assert "&lt;b&gt;name" in text
        assert not re.search("<i>x|<b>name|<u>", text)
