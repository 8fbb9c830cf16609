"""The Celigo sandbox demands what the documentation demands, and answers as it does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.vendors.celigo.caller import (
    BODY,
    EXPIRES,
    LICENSES,
    OPTS,
    OTHER,
    SHOPIFY,
    TOKEN,
    call,
    desk,
    issue,
    press,
    sign_up,
)
from vendors import sandbox
from vendors.sandbox import Running

CONNECTOR = f"/connectors/{SHOPIFY}"
WHEN = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
ID = "[0-9a-f]{24}"
SAMPLE = {
    "_id", "name", "description", "imageURL", "websiteURL", "contactEmail", "handle", "published",
    "managed", "_integrationId", "_stackId", "installerFunction", "updateFunction",
    "preUninstallFunction", "uninstallerFunction", "externalInstallerFunction", "lastModified",
    "_sharedImportIds", "_sharedExportIds", "_iClientIdMap", "applications", "oAuthServerFlow",
}  # fmt: skip


def codes(answer: requests.Response) -> list[tuple[str, str]]:
    return [(error["code"], error.get("field", "")) for error in answer.json()["errors"]]


def test_a_new_license_looks_like_the_sample(running: Running) -> None:
    shown = issue(running)
    assert re.fullmatch(ID, shown.pop("_id"))
    assert re.fullmatch(WHEN, shown.pop("created"))
    assert shown == {"expires": EXPIRES, "opts": OPTS, "user": {"email": "test@shop.example"}}


def test_a_connector_looks_like_the_sample(running: Running) -> None:
    shown = call(running, "GET", CONNECTOR).json()
    assert shown["_id"] == SHOPIFY
    assert shown["name"] == "Shopify - NetSuite Connector"
    assert shown["applications"] == ["netsuite", "shopify"]
    assert shown["_iClientIdMap"][0]["connection"] == {"type": "netsuite"}
    assert re.fullmatch(WHEN, shown["lastModified"])
    assert set(shown) == SAMPLE


def test_there_are_published_and_unpublished_connectors(running: Running) -> None:
    rows = call(running, "GET", "/connectors").json()
    assert [row["published"] for row in rows] == [True, True, True, False]


@pytest.mark.parametrize("header", [None, "Bearer wrong", f"Basic {TOKEN}", TOKEN])
def test_a_bearer_token_is_demanded(running: Running, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    for method, path in (("GET", "/connectors"), ("GET", "/tokenInfo"), ("POST", LICENSES)):
        answer = call(running, method, path, headers=headers)
        assert (answer.status_code, codes(answer)) == (401, [("access_restricted", "")])


def test_a_doubled_bearer_is_told(running: Running) -> None:
    headers = {"Authorization": f"Bearer Bearer {TOKEN}"}
    answer = call(running, "GET", "/connectors", headers=headers)
    assert (answer.status_code, answer.text) == (400, "Bearer Authentication Failed")


def test_a_body_must_be_json(running: Running) -> None:
    for method, path in (("POST", LICENSES), ("POST", "/connectors"), ("PUT", CONNECTOR)):
        assert call(running, method, path, data="{}").status_code == 415
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    broken = call(running, "POST", LICENSES, data="{", headers=headers)
    assert (broken.status_code, set(broken.json())) == (400, {"errors"})


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"expires": None}, [("missing_required_field", "expires")]),
        ({"expires": "08/03/2027"}, [("invalid_field", "expires")]),
        ({"expires": "2031-13-01T00:00:00.000Z"}, [("invalid_field", "expires")]),
        ({"expires": "2031-11-01T18:29:59Z"}, [("invalid_field", "expires")]),
        ({"opts": "standard"}, [("invalid_field", "opts")]),
        ({"sandbox": "false"}, [("invalid_field", "sandbox")]),
        ({"more": 1}, [("invalid_field", "more")]),
        (
            {"email": None, "expires": 7},
            [("missing_required_field", "email"), ("invalid_field", "expires")],
        ),
    ],
)
def test_every_wrong_field_of_a_license_is_named(
    running: Running, change: dict[str, Any], errors: list[tuple[str, str]]
) -> None:
    sign_up(running).close()
    answer = call(running, "POST", LICENSES, BODY | change)
    assert (answer.status_code, codes(answer)) == (422, errors)
    assert "licenses" not in running.counts("celigo")["made"]


def test_a_missing_expiry_is_told_without_a_message(running: Running) -> None:
    license = issue(running)
    answer = call(running, "PUT", f"{LICENSES}/{license['_id']}", {"opts": OPTS})
    assert answer.status_code == 422
    assert answer.json() == {"errors": [{"field": "expires", "code": "missing_required_field"}]}


@pytest.mark.parametrize("status", [422, 400, 200])
def test_only_a_known_user_gets_a_license(running: Running, status: int) -> None:
    desk(running, invalid_user=str(status))
    answer = call(running, "POST", LICENSES, BODY)
    assert (answer.status_code, codes(answer)) == (status, [("invalid_user", "")])
    assert "licenses" not in running.counts("celigo")["made"]


def test_an_address_is_known_however_it_is_written(running: Running) -> None:
    sign_up(running, "Test@Shop.example").close()
    answer = call(running, "POST", LICENSES, BODY)
    assert answer.json()["user"] == {"email": "Test@Shop.example"}


def test_put_replaces_all_and_ignores_what_is_read_only(running: Running) -> None:
    license = issue(running, _editionId=SHOPIFY)
    path, later = f"{LICENSES}/{license['_id']}", "2032-01-01T00:00:00.000Z"
    whole = call(running, "PUT", path, license | {"expires": later}).json()
    assert whole == license | {"expires": later}
    cleared = call(running, "PUT", path, {"expires": later}).json()
    assert set(cleared) == {"_id", "created", "expires", "user"}
    assert call(running, "GET", path).json() == cleared


def test_a_deleted_license_is_gone(running: Running) -> None:
    path = f"{LICENSES}/{issue(running)['_id']}"
    first = call(running, "DELETE", path)
    assert (first.status_code, first.content) == (204, b"")
    assert [call(running, method, path).status_code for method in ("DELETE", "GET")] == [404, 404]
    assert call(running, "GET", LICENSES).status_code == 204


def test_a_license_belongs_to_its_connector(running: Running) -> None:
    license = issue(running)
    answer = call(running, "GET", f"/connectors/{OTHER}/licenses/{license['_id']}")
    assert (answer.status_code, codes(answer)) == (404, [("not_found", "")])


def test_a_connector_is_made_replaced_and_deleted(running: Running) -> None:
    made = call(running, "POST", "/connectors", {"name": "New", "published": True})
    assert (made.status_code, made.json()["published"]) == (201, True)
    path = f"/connectors/{made.json()['_id']}"
    replaced = call(running, "PUT", path, {"name": "Newer"})
    assert (replaced.status_code, replaced.json()["published"]) == (200, False)
    assert call(running, "PUT", path, {"published": True}).status_code == 422
    assert [call(running, "DELETE", path).status_code for _ in range(2)] == [204, 404]


@pytest.mark.parametrize("change", [{"name": ""}, {"published": "true"}, {"_id": SHOPIFY}])
def test_a_new_connector_is_checked(running: Running, change: dict[str, Any]) -> None:
    answer = call(running, "POST", "/connectors", {"name": "New"} | change)
    assert (answer.status_code, codes(answer)) == (422, [("invalid_field", *change)])


def test_lists_have_pages(running: Running) -> None:
    first = call(running, "GET", "/connectors?limit=3")
    assert (len(first.json()), set(first.links)) == (3, {"next"})
    link = first.links["next"]["url"]
    assert link.startswith(f"{running.url}/celigo/v1/connectors?limit=3&after=")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    second = requests.get(link, headers=headers, timeout=5)
    assert (len(second.json()), set(second.links)) == (1, {"prev"})
    assert call(running, "GET", "/connectors").links == {}


def test_pages_can_be_small_and_lead_elsewhere(running: Running) -> None:
    desk(running, page_size="2", next_link="foreign")
    answer = call(running, "GET", "/connectors")
    assert len(answer.json()) == 2
    assert answer.links["next"]["url"].startswith("https://elsewhere.example/celigo/v1/connectors?")


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=1001", "after=x", "skip=2"])
def test_an_unknown_query_is_refused(running: Running, query: str) -> None:
    answer = call(running, "GET", f"/connectors?{query}")
    assert (answer.status_code, codes(answer)) == (400, [("invalid_query_params", "")])


def test_an_empty_list_has_no_body_or_is_empty(running: Running) -> None:
    for path in (LICENSES, f"{CONNECTOR}/installBase"):
        desk(running, empty_list="204")
        assert call(running, "GET", path).status_code == 204
        desk(running, empty_list="200")
        assert call(running, "GET", path).json() == []


def test_the_rate_limit_says_when_to_come_back(running: Running) -> None:
    desk(running, rate_limit="once")
    answer = call(running, "GET", "/connectors")
    assert (answer.status_code, codes(answer)) == (429, [("rate_limited", "")])
    assert answer.headers["Retry-After"] == "2"
    assert call(running, "GET", "/connectors").status_code == 200


@pytest.mark.parametrize(("state", "status"), [("revoked", 401), ("restricted", 403)])
def test_the_token_can_lose_its_rights(running: Running, state: str, status: int) -> None:
    assert call(running, "GET", "/tokenInfo").json()["scope"] == "*"
    desk(running, token=state)
    answer = call(running, "GET", "/connectors")
    assert (answer.status_code, codes(answer)) == (status, [("access_restricted", "")])
    assert call(running, "GET", "/tokenInfo").status_code == (200 if state == "restricted" else 401)


def test_what_was_issued_is_there_after_a_restart(tmp_path: Path) -> None:
    first = sandbox.start(tmp_path, vendors=("celigo",))
    license = issue(first)
    desk(first, invalid_user="400")
    first.stop()
    second = sandbox.start(tmp_path, vendors=("celigo",))
    assert call(second, "GET", LICENSES).json() == [license]
    assert call(second, "POST", LICENSES, BODY | {"email": "x@y.example"}).status_code == 400
    second.stop()


def test_a_fault_can_be_for_one_address_alone(running: Running) -> None:
    sign_up(running, "other@shop.example").close()
    path = f"{LICENSES}/{issue(running)['_id']}"
    running.fault("celigo", flow="test@shop.example", kind="status", status=503, times=2)
    statuses = [
        call(running, "POST", LICENSES, BODY | {"email": "other@shop.example"}).status_code,
        call(running, "POST", LICENSES, BODY).status_code,
        call(running, "GET", path).status_code,
    ]
    assert statuses == [201, 503, 503]


def test_a_lost_answer_leaves_a_license(running: Running) -> None:
    with requests.Session() as browser:
        press(running, browser, "lost", user="new", email="test@shop.example")
    with pytest.raises(requests.ConnectionError):
        call(running, "POST", LICENSES, BODY)
    assert len(call(running, "GET", LICENSES).json()) == 1
