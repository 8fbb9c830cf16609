"""Celigo's settings, and its lists page after page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from tests.vendors.celigo.trip import simple_order
from vendors.celigo.client import Client
from vendors.celigo.flow import Celigo
from vendors.contract import Garbled
from vendors.loading import load

API = "https://api.integrator.io/v1"
LIST = f"{API}/connectors/c/licenses"
VENDOR = Celigo(api_token="s3cr3t")


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def client() -> Client:
    return VENDOR.client()


def test_a_list_goes_on_where_it_says(client: Client, web: responses.RequestsMock) -> None:
    second = f"{LIST}?after=opaque%2F1&limit=2"
    link = f'<{LIST}?before=x>; rel="prev", <{second}>; rel="next"'
    web.get(LIST, json=[{"_id": 1}], headers={"Link": link}, match=[query({})])
    web.get(LIST, json=[{"_id": "2"}], match=[query({"after": "opaque/1", "limit": "2"})])
    assert [licence.id for licence in client.licences("c")] == ["1", "2"]
    assert web.calls[1].request.url == second
    assert web.calls[1].request.headers["Authorization"] == "Bearer s3cr3t"


def query(params: dict[str, str]) -> Callable[..., Any]:
    return responses.matchers.query_param_matcher(params)


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v1/connectors/c/licenses?after=1",
        "https://api.integrator.io.evil.example/v1/x",
        "https://api.integrator.io:8443/v1/x",
        "https://api.integrator.io@evil.example/v1/x",
        "http://api.integrator.io/v1/x",
        "//evil.example/v1/x",
        "file:///etc/passwd",
    ],
)
def test_a_next_page_elsewhere_gets_no_token(
    client: Client, web: responses.RequestsMock, link: str
) -> None:
    web.get(LIST, json=[{"_id": 1}], headers={"Link": f'<{link}>; rel="next"'})
    with pytest.raises(Garbled, match="outside of the API"):
        client.licences("c")
    assert len(web.calls) == 1


def test_a_list_without_an_end_is_given_up(client: Client, web: responses.RequestsMock) -> None:
    web.get(LIST, json=[], headers={"Link": f'<{LIST}>; rel="next"'})
    with pytest.raises(Garbled, match="more than 100 pages"):
        client.licences("c")


def test_an_empty_list_may_have_no_body(client: Client, web: responses.RequestsMock) -> None:
    web.get(LIST, status=204)
    assert client.licences("c") == []


@pytest.mark.parametrize("body", ["{}", '[{"expires": 1}]', "<html>", "", '["x"]'])
def test_a_list_that_cannot_be_read_makes_nothing(web: responses.RequestsMock, body: str) -> None:
    web.get(LIST, body=body)
    with pytest.raises(Garbled):
        VENDOR.start(simple_order())


def test_odd_rows_of_others_do_no_harm(client: Client, web: responses.RequestsMock) -> None:
    rows = [
        {"_id": "a", "user": None, "expires": "08/03/2027", "opts": [], "created": {}},
        {"_id": "b", "user": {"email": None}, "expires": None, "sandbox": "false"},
        {"_id": "c", "expires": "2027-01-01T00:00:00"},
    ]
    web.get(LIST, json=rows)
    found = client.licences("c")
    assert [licence.email for licence in found] == ["", "", ""]
    assert [licence.expires for licence in found] == [None, None, datetime(2027, 1, 1, tzinfo=UTC)]


# -- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize("pasted", ["s3cr3t", "Bearer s3cr3t", " bearer  Bearer s3cr3t "])
def test_a_pasted_bearer_is_not_doubled(web: responses.RequestsMock, pasted: str) -> None:
    header = responses.matchers.header_matcher({"Authorization": "Bearer s3cr3t"})
    web.get(f"{API}/connectors", status=204, match=[header])
    assert Celigo(api_token=pasted).connectors() == ()


@pytest.mark.parametrize(
    ("api_url", "site"),
    [
        ("https://api.integrator.io", "https://integrator.io/"),
        ("https://api.eu.integrator.io", "https://eu.integrator.io/"),
        ("https://proxy.example/celigo", "https://integrator.io/"),
        ("http://127.0.0.1:8001/celigo", "http://127.0.0.1:8001/celigo/"),
    ],
)
def test_each_region_has_pages_of_its_own(api_url: str, site: str) -> None:
    assert Celigo(api_token="t", api_url=api_url).site() == site


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"CELIGO_API_TOKEN": "t", "CELIGO_API_URL": "http://api.integrator.io"}, "CELIGO_API_URL"),
        ({"CELIGO_API_TOKEN": "t", "CELIGO_API_URL": f"{API}/"}, "CELIGO_API_URL"),
        ({"CELIGO_API_TOKEN": "Bearer "}, "CELIGO_API_TOKEN"),
        ({"CELIGO_API_TOKEN": "tokén"}, "CELIGO_API_TOKEN"),
    ],
)
def test_settings_that_cannot_work_are_named(settings: dict[str, str], named: str) -> None:
    loaded = load((Celigo,), settings)
    assert [name for name, _ in loaded.problems] == [named]


def test_the_token_alone_is_enough_and_is_never_shown() -> None:
    vendor = load((Celigo,), {"CELIGO_API_TOKEN": "s3cr3t"}).offered["celigo"]
    assert vendor.addresses() == ("https://api.integrator.io",)
    assert "s3cr3t" not in repr(vendor)
    assert load((Celigo,), {}).missing == {"celigo": ("CELIGO_API_TOKEN",)}
