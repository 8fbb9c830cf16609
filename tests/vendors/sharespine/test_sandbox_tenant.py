"""The Sharespine sandbox's Tenant API, and what it does only for a reseller who agreed on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.vendors.sharespine.test_sandbox import AUTH, CONNECTION, HEADERS, TENANT, USER, call
from vendors.sandbox import Running

AGENT = {"User-Agent": HEADERS["User-Agent"]}
ALL = {"modifiedAtOrAfter": "2023-04-04T13:57:16Z"}


@dataclass
class Tenant:
    running: Running
    code: str = ""
    connection: str = ""

    def __post_init__(self) -> None:
        self.code = call(self.running, "", TENANT).json()["codeName"]
        call(self.running, f"/{self.code}/user", USER)
        made = call(self.running, f"/{self.code}/connection", CONNECTION)
        self.connection = made.json()["id"]

    @property
    def given(self) -> dict[str, Any]:
        """What the documentation demands of a call to the Tenant API."""
        users = self.running.state("sharespine")["users"]
        password = next(user["password"] for user in users if user["tenant"] == self.code)
        headers = AGENT | {"X-Tenant": self.code, "X-ConnectionId": self.connection}
        return {"headers": headers, "auth": (USER["login"], password), "timeout": 5}

    def get(self, path: str = "", **options: Any) -> requests.Response:
        return requests.get(f"{self.running.url}/sharespine/api/{path}", **self.given | options)

    def order(self) -> None:
        answer = call(self.running, f"/{self.code}/login/anna%40shop.example", {"path": "/"})
        with requests.Session() as browser:
            wizard = browser.get(answer.json()["loginUrl"], timeout=5)
            assert "Place a test order" in wizard.text
            after = browser.post(wizard.url, data={"case": "order"}, timeout=5)
            assert "Orders in this tenant: 1" in after.text

    def manage(self, method: str, code: str = "", **options: Any) -> requests.Response:
        url = f"{self.running.url}/sharespine/reseller/tenant/{code or self.code}"
        given: dict[str, Any] = {"headers": HEADERS, "auth": AUTH, "timeout": 5}
        return requests.request(method, url, **given | options)


@pytest.fixture
def tenant(running: Running) -> Tenant:
    return Tenant(running)


@pytest.mark.parametrize("path", ["", "order"])
def test_the_tenant_api_demands_the_tenants_own_credentials(tenant: Tenant, path: str) -> None:
    headers, other = tenant.given["headers"], Tenant(tenant.running)
    assert tenant.get(path).status_code == 200
    assert tenant.get(path, auth=AUTH).status_code == 401
    assert tenant.get(path, auth=None).status_code == 401
    assert tenant.get(path, data="body").status_code == 400
    for name, value, status in (
        ("X-Tenant", "other", 401),
        ("X-Tenant", other.code, 401),
        ("X-ConnectionId", "other", 403),
        ("X-ConnectionId", other.connection, 403),
        ("User-Agent", "other", 400),
    ):
        assert tenant.get(path, headers=headers | {name: value}).status_code == status


@pytest.mark.parametrize("kind", ["tenants", "connections"])
def test_what_is_not_active_opens_nothing(tenant: Tenant, kind: str) -> None:
    tenant.running.change("sharespine", kind, {}, active=False)
    assert [tenant.get(path).status_code for path in ("", "order")] == [403, 403]
    login = call(tenant.running, f"/{tenant.code}/login/anna%40shop.example", {"path": "/"})
    assert login.status_code == (403 if kind == "tenants" else 200)


def test_the_root_tells_about_the_connection(tenant: Tenant) -> None:
    made = {"id": tenant.connection, "name": "API", "type": "api", "active": True}
    assert tenant.get().json() == made
    assert tenant.get("?x=1").status_code == 400


def test_orders_are_a_bare_array_filtered_inclusively(tenant: Tenant) -> None:
    assert tenant.get("order", params=ALL).json() == []
    tenant.order()
    (order,) = tenant.get("order", params=ALL).json()
    assert order["href"] == f"/api/order/{order['localId']}"
    same = {"modifiedAtOrAfter": order["lastModified"]}
    assert tenant.get("order", params=same).json() == tenant.get("order").json() == [order]
    assert tenant.get("order", params={"modifiedAtOrAfter": "2999-01-01T00:00:00Z"}).json() == []
    assert Tenant(tenant.running).get("order").json() == []


@pytest.mark.parametrize(
    "params",
    [
        {"modifiedAtOrAfter": "2023-04-04"},
        {"modifiedAtOrAfter": "2023-04-04T13:57:16+00:00"},
        {"modifiedAtOrAfter": "2023-13-04T13:57:16Z"},
        {"modifiedAtOrAfter": ""},
        {**ALL, "limit": "10"},
    ],
)
def test_the_filter_is_a_moment_in_utc_and_the_only_one(
    tenant: Tenant, params: dict[str, str]
) -> None:
    assert tenant.get("order", params=params).status_code == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_tenant_is_not_managed_unless_that_was_agreed(tenant: Tenant, method: str) -> None:
    body: dict[str, Any] = {"json": {"active": False}} if method == "PUT" else {}
    assert tenant.manage(method, **body).status_code == 405
    agree(tenant.running)
    assert tenant.manage(method, auth=None, **body).status_code == 401
    assert tenant.manage(method, headers=AGENT, **body).status_code == 403
    assert tenant.manage(method, "nobody", **body).status_code == 404
    assert tenant.get().status_code == 200
    assert tenant.manage(method, **body).ok
    agree(tenant.running, "0")
    assert tenant.manage(method, **body).status_code == 405


def agree(running: Running, manage: str = "1") -> None:
    url = f"{running.url}/sharespine/operator"
    page = requests.post(url, data={"manage": manage}, timeout=5)
    assert ("<strong>can</strong>" in page.text) == (manage == "1")
    assert requests.post(url, data={"manage": "x"}, timeout=5).status_code == 400


def test_a_put_takes_a_part_and_nothing_unknown(tenant: Tenant) -> None:
    agree(tenant.running)
    answer = tenant.manage("PUT", json={"active": False})
    assert (answer.json()["active"], answer.json()["email"]) == (False, TENANT["email"])
    for body in ({"active": "no"}, {"codeName": "x"}):
        assert tenant.manage("PUT", json=body).status_code == 400
    assert tenant.get().status_code == 403
    tenant.manage("PUT", json={"active": True})
    assert tenant.get().status_code == 200


def test_a_deleted_tenant_is_gone_for_everybody(tenant: Tenant) -> None:
    agree(tenant.running)
    answer = call(tenant.running, f"/{tenant.code}/login/anna%40shop.example", {"path": "/"})
    with requests.Session() as browser:
        wizard = browser.get(answer.json()["loginUrl"], timeout=5).url
        assert tenant.manage("DELETE").status_code == 204
        assert browser.get(wizard, timeout=5).status_code == 403
    assert tenant.manage("DELETE").status_code == 404
    assert call(tenant.running, f"/{tenant.code}/user", USER).status_code == 404
    assert [tenant.get(path).status_code for path in ("", "order")] == [401, 401]
    assert call(tenant.running, "", TENANT).json() == {"codeName": "demomycustomer-2"}
