"""Paginated lists, and answers whose JSON contradicts their status."""

from __future__ import annotations

from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
import responses
from pydantic import TypeAdapter
from responses import RequestsMock

from vendors.contract import Refused, Unavailable, Unsure
from vendors.http.api import Api, Nothing, Reply
from vendors.http.urls import below

BASE = "https://api.vendor.example/base"
THINGS = f"{BASE}/v1/things"


class Thing(Reply):
    id: str


PAGE: TypeAdapter[list[Thing] | None] = TypeAdapter(list[Thing] | None)


@pytest.mark.parametrize("there", ["", "/", ":443/"])
def test_below_is_the_same_server_and_the_same_path(there: str) -> None:
    base = f"https://api.vendor.example{there}"
    assert below("https://API.vendor.example/v1/things?after=..%2F..&x=/../", base)
    assert below("https://api.vendor.example:443/v1", base)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.vendor.example/basement/v1",
        "https://api.vendor.example/base/../v1",
        "https://api.vendor.example/base/%2e%2E/v1",
        "https://api.vendor.example/v1",
        "https://user@api.vendor.example/base/v1",
        "https://api.vendor.example:99999/base/v1",
        "https://api.vendor.example/base/ v1",
        "https://[/base/v1",
    ],
)
def test_what_is_not_below(url: str) -> None:
    assert not below(url, BASE)


def test_a_next_page_may_be_named_by_its_query_alone() -> None:
    with RequestsMock() as mock:
        mock.get(THINGS, json=[{"id": 1}], headers={"Link": "<?page=2>; rel=next"})
        mock.get(f"{THINGS}?page=2", json=[{"id": 2}], headers={"Link": "nonsense"})
        rows = Api(name="vendor", base_url=BASE).rows("/v1/things", PAGE)
    assert [row.id for row in rows] == ["1", "2"]


def test_all_pages_together_have_one_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on which every look is 5 s after the one before."""
    clock = SimpleNamespace(monotonic=count(step=5).__next__)
    monkeypatch.setattr("vendors.http.api.time", clock)
    with RequestsMock() as mock:
        mock.get(THINGS, json=[], headers={"Link": '</base/v1/things>; rel="next"'})
        with pytest.raises(Unavailable, match="took too long"):
            Api(name="vendor", base_url=BASE, total=30).rows("/v1/things", PAGE)
        assert len(mock.calls) == 3


def meaning(status: int, body: Any) -> int:
    return int(body["status"]) if isinstance(body, dict) else status


@pytest.mark.parametrize(
    ("said", "kind"), [(429, Unavailable), (404, Refused), (503, Unsure), (204, None)]
)
def test_what_an_answer_means_may_stand_in_its_json(
    said: int, kind: type[Exception] | None
) -> None:
    api = Api(name="vendor", base_url=BASE, meaning=meaning)
    with RequestsMock() as mock:
        mock.add(responses.POST, THINGS, json={"status": said})
        if kind is None:
            api.send("POST", "/v1/things", Nothing, creates=True)
            return
        with pytest.raises(kind, match=str(said)):
            api.send("POST", "/v1/things", Nothing, creates=True)
