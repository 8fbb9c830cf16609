"""itembase: odd replies of a single call, and settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import responses

from tests.vendors.itembase.trip import BACK, settings
from vendors.contract import Garbled, Refused, Unavailable
from vendors.http.times import YEAR, lifetime
from vendors.itembase.client import Client, process_url
from vendors.itembase.flow import Itembase

KEYS = {"ITEMBASE_CLIENT_ID": "acme", "ITEMBASE_CLIENT_SECRET": "hush-hush"}
TOKENS = "https://selfservice.itembase.com/v1/tokens"
OAUTH = "https://accounts.itembase.com/oauth/v2/token"
ME = "https://users.itembase.com/v1/me"
INSTANCES = "https://api.itembase.com/v1/users/u1/instances"
LINK = {
    "token": "85b6",
    "component_ids": [6, 1467287667226799671],
    "expires_in": 1200,
    "uri": "https://selfservice.itembase.com/process/85b6",
    "additional_parameters": [],
}


@pytest.fixture
def client() -> Client:
    return settings(KEYS).client()


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"additional_parameters": {"shop_id": "1"}},
        {"additional_parameters": None, "brand_new_field": {"a": [1]}},
        {"component_ids": ["6", "1467287667226799671"], "expires_in": "1200"},
        {"user_id": 17, "status": "something-new"},
    ],
)
def test_a_link_is_read_leniently(
    client: Client, web: responses.RequestsMock, odd: dict[str, Any], status: int
) -> None:
    web.post(TOKENS, json={**LINK, **odd}, status=status)
    link = client.link_for_anyone(6)
    assert (link.token, link.expires_in) == ("85b6", 1200)


def test_a_link_without_its_life_time_lives_twenty_minutes(
    client: Client, web: responses.RequestsMock
) -> None:
    web.post(TOKENS, json={key: LINK[key] for key in ("token", "uri")})
    assert lifetime(client.link_for_anyone(6).expires_in, 1200) == 1200


@pytest.mark.parametrize(("given", "taken"), [(10**30, YEAR), (-5, 0)])
def test_an_absurd_life_time_stays_within_the_calendar(given: int, taken: int) -> None:
    assert lifetime(given, 1200) == taken


@pytest.mark.parametrize(
    "uri",
    [
        "https://selfservice.itembase.com.evil.example/process/85b6",
        "https://evil.example/process/85b6",
        "http://selfservice.itembase.com/process/85b6",
        "https://selfservice.itembase.com:8443/process/85b6",
        "https://selfservice.itembase.com@evil.example/process/85b6",
        "https://acme:x@selfservice.itembase.com/process/85b6",
        "https://evil.example\\@selfservice.itembase.com/process/85b6",
        "https://selfservice.itembase.com:port/process/85b6",
        "//selfservice.itembase.com/process/85b6",
        "javascript:alert(1)",
        "/process/85b6",
    ],
)
def test_a_link_to_another_place_leads_nowhere(
    client: Client, web: responses.RequestsMock, uri: str
) -> None:
    web.post(TOKENS, json={**LINK, "uri": uri})
    with pytest.raises(Garbled) as garbled:
        client.link_for_anyone(6)
    assert "85b6" not in str(garbled.value)


@pytest.mark.parametrize(
    "answer",
    [
        {"body": "<html>busy</html>", "content_type": "text/html"},
        {"body": "", "status": 204},
        {"json": [LINK]},
        {"json": {**LINK, "uri": None}},
        {"json": {**LINK, "token": ""}},
        {"json": {**LINK, "expires_in": "soon"}},
    ],
)
def test_an_unreadable_link_is_garbled(
    client: Client, web: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    web.post(TOKENS, **answer)
    with pytest.raises(Garbled):
        client.link_for_anyone(6)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_link_that_was_not_made_is_tried_later(
    client: Client, web: responses.RequestsMock, status: int
) -> None:
    web.post(TOKENS, json={"message": "no", "code": status}, status=status)
    with pytest.raises(Unavailable):
        client.link_for_anyone(6)


def test_the_return_address_joins_a_query_that_is_there() -> None:
    url = process_url("https://s.example/process/1?lang=de&x=%20", f"{BACK}?state=s")
    assert url == (
        "https://s.example/process/1?lang=de&x=%20"
        "&redirect_uri=http%3A%2F%2Flocalhost%3A8000%2Freturn%2Fitembase%2F%3Fstate%3Ds"
    )


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, {"error": "invalid_grant", "error_description": "expired"}, "invalid_grant"),
        (401, {"error": "invalid_grant"}, "invalid_grant"),
        (400, {"message": "invalid_grant: the code has expired", "code": 400}, "invalid_grant"),
        (401, {"error": "invalid_client"}, "invalid_client"),
        (400, {"message": "Bad request.", "code": 400}, ""),
        (400, {"error": {"type": "odd"}}, ""),
        (400, ["odd"], ""),
    ],
)
def test_a_refused_grant_is_told_apart(
    client: Client, web: responses.RequestsMock, status: int, body: Any, code: str
) -> None:
    web.get(OAUTH, json=body, status=status)
    with pytest.raises(Refused) as refused:
        client.exchange("c0de", BACK)
    assert (refused.value.code, refused.value.who) == (code, "staff")
    assert "hush-hush" not in str(refused.value)


def test_a_grant_of_the_least_is_enough(client: Client, web: responses.RequestsMock) -> None:
    web.get(OAUTH, json={"access_token": "a", "token_type": "bearer"})
    grant = client.refresh("r")
    assert (grant.access_token, grant.refresh_token, grant.expires_in) == ("a", None, None)
    assert "a" not in repr(grant).removeprefix("Grant")


def test_instances_are_read_leniently(client: Client, web: responses.RequestsMock) -> None:
    row = {"id": 17, "component_id": "6", "component_type": "connection", "status": None, "x": 1}
    web.get(INSTANCES, json=[row, {"id": "b", "component_id": 1467287667226799671}])
    first, second = client.instances("a", "u1")
    assert (first.id, first.component_id, first.status) == ("17", 6, None)
    assert second.component_id == 1467287667226799671


HTML: dict[str, Any] = {"body": "<html>busy</html>", "content_type": "text/html"}
EMPTY: dict[str, Any] = {"body": "", "status": 204}


@pytest.mark.parametrize("answer", [{"json": {"items": []}}, {"json": [{"id": ""}]}, EMPTY, HTML])
def test_instances_that_are_no_list_are_garbled(
    client: Client, web: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    web.get(INSTANCES, **answer)
    with pytest.raises(Garbled):
        client.instances("a", "u1")


def test_a_user_is_read_leniently(client: Client, web: responses.RequestsMock) -> None:
    web.get(ME, json={"uuid": 1467287667226799671, "middle_name": None, "brand_new": []})
    assert client.me("a").uuid == "1467287667226799671"


@pytest.mark.parametrize("answer", [{"json": {"email": "a@b"}}, {"json": []}, EMPTY, HTML])
def test_a_user_without_an_id_is_garbled(
    client: Client, web: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    web.get(ME, **answer)
    with pytest.raises(Garbled):
        client.me("a")


# -- settings ------------------------------------------------------------------------------------


def test_production_offers_the_documented_platforms() -> None:
    assert [(entry.key, entry.name) for entry in settings(KEYS).connectors()] == [
        ("ebay", "eBay"),
        ("shopify", "Shopify"),
        ("seoshop", "SEO shop"),
        ("bigcommerce", "BigCommerce"),
        ("magento", "Magento"),
        ("prestashop", "PrestaShop"),
        ("gambio", "Gambio"),
        ("woocommerce", "WooCommerce"),
        ("virtuemart", "VirtueMart"),
    ]


def test_the_vendors_sandbox_knows_magento_alone_and_needs_an_api_address() -> None:
    vendor = settings(KEYS, environment="sandbox")
    assert vendor.component_ids() == {"magento": 30}
    assert [name for name, _ in vendor.problems()] == ["ITEMBASE_API_URL"]
    assert vendor.address("users_url") == "https://sandbox.users.itembase.io"


def test_components_replace_the_table() -> None:
    vendor = settings(KEYS, components={"ebay": "6", "new-shop": 1467287667226799671})
    assert vendor.problems() == ()
    assert vendor.component_ids() == {"ebay": 6, "new-shop": 1467287667226799671}
    assert vendor.connectors()[1].name == "New Shop"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("environment", "staging"),
        ("token_method", "PUT"),
        ("accounts_url", "http://accounts.itembase.com"),
        ("solution_url", "solutionservice"),
        ("components", [6]),
        ("components", {"ebay": True}),
        ("components", {"ebay": 0}),
        ("components", {"eBay": 6}),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: Any) -> None:
    problems = settings(KEYS, **{name: value}).problems()
    assert [found for found, _ in problems] == [f"ITEMBASE_{name.upper()}"]


def test_pages_may_open_on_three_hosts() -> None:
    vendor = settings(KEYS, selfservice_url="http://127.0.0.1:8001/itembase/selfservice")
    assert vendor.domains() == (
        "127.0.0.1:8001",
        "accounts.itembase.com",
        "solutionservice.itembase.com",
    )


def test_the_secret_is_not_shown() -> None:
    vendor = Itembase(client_id="acme", client_secret="hush-hush")
    assert "hush-hush" not in f"{vendor!r} {vendor.client()!r}"
