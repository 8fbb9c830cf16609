"""What staff do with connectors at Celigo, and with those who installed them, against the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.celigo.caller import OTHER, SHOPIFY, call, desk
from tests.vendors.celigo.trip import BOB, Trip, vendor_of
from vendors.celigo.flow import Celigo
from vendors.contract import Done, Garbled, Refused, Rows, Unsure
from vendors.sandbox import Running

CONNECTOR = f"/connectors/{SHOPIFY}"
PUSH = "PUT /v1/connectors/{_id}/update"


@pytest.fixture
def vendor(running: Running) -> Celigo:
    return vendor_of(running.url)


def run(vendor: Celigo, key: str, *ids: str, connector: str = SHOPIFY, **answers: str) -> Done:
    step = vendor.run(key, answers, connector=connector, ids=ids)
    assert isinstance(step, Done)
    return step


def wrong(vendor: Celigo, key: str, *ids: str, **answers: str) -> str:
    with pytest.raises(Refused) as caught:
        vendor.run(key, answers, connector=SHOPIFY, ids=ids)
    assert (caught.value.who, caught.value.note is not None) == ("staff", True)
    return caught.value.code


def test_a_connector_is_made_and_offered_once_it_is_published(vendor: Celigo) -> None:
    answers = {"name": "eBay – NetSuite", "published": "true", "more": '{"applications": ["ebay"]}'}
    step = run(vendor, "create-connector", connector="", **answers)
    assert "eBay – NetSuite" in str(step.here)
    (entry,) = [entry for entry in vendor.connectors() if entry.platform == "ebay"]
    assert entry.key in str(step.here)


def test_a_change_keeps_all_that_is_not_changed(running: Running, vendor: Celigo) -> None:
    before = call(running, "GET", CONNECTOR).json()
    step = run(vendor, "edit-connector", name="New name", published="false", handle=" ")
    after = call(running, "GET", CONNECTOR).json()
    changed = {"name": "New name", "published": False, "lastModified": after["lastModified"]}
    assert after == {**before, **changed}
    assert "confirmed" in str(step.there)
    assert SHOPIFY not in [entry.key for entry in vendor.connectors()]


def test_an_answer_that_differs_is_told(running: Running, vendor: Celigo) -> None:
    body = {"name": "Old name"}
    running.fault("celigo", "PUT /v1/connectors/{_id}", kind="replace", merge=body)
    assert "name" in str(run(vendor, "edit-connector", name="New name").there)


@pytest.mark.parametrize(
    ("key", "answers", "field"),
    [
        ("create-connector", {"name": " "}, "name"),
        ("edit-connector", {}, "name"),
        ("edit-connector", {"published": "maybe"}, "published"),
        ("edit-connector", {"more": "[1]"}, "more"),
        ("edit-connector", {"more": "{"}, "more"),
        ("edit-connector", {"more": '{"_id": "x"}'}, "more"),
        ("delete-connector", {"id": OTHER}, "id"),
        ("push-update", {}, "ids"),
    ],
)
def test_what_does_not_fit_sends_nothing(
    running: Running, vendor: Celigo, key: str, answers: dict[str, str], field: str
) -> None:
    assert wrong(vendor, key, **answers) == field
    assert running.counts("celigo")["calls"] == {}


def test_a_connector_whose_answer_was_lost_is_not_made_again(
    running: Running, vendor: Celigo
) -> None:
    running.fault("celigo", "POST /v1/connectors", kind="reset", when="after")
    with pytest.raises(Unsure):
        run(vendor, "create-connector", connector="", name="New")
    assert running.counts("celigo")["calls"]["POST /v1/connectors"] == 1


def test_a_connector_is_deleted_by_its_typed_id(running: Running, vendor: Celigo) -> None:
    assert "deleted" in str(run(vendor, "delete-connector", id=SHOPIFY).here)
    assert call(running, "GET", CONNECTOR).status_code == 404
    assert "no longer existed" in str(run(vendor, "delete-connector", id=SHOPIFY).here)


def base(vendor: Celigo) -> Rows:
    rows = vendor.run("install-base", {}, connector=SHOPIFY)
    assert isinstance(rows, Rows)
    return rows


def installed(running: Running) -> list[str]:
    Trip(running).connected()
    Trip(running, reference="c2", emails=lambda: (BOB,)).sign_up(BOB)
    second = Trip(running, reference="c2", emails=lambda: (BOB,))
    second.start()
    second.install(second.sign_up(BOB))
    return [
        row["_integrationId"] for row in call(running, "GET", f"{CONNECTOR}/installBase").json()
    ]


def test_the_install_base_shows_each_version_and_leads_to_the_update(
    running: Running, vendor: Celigo
) -> None:
    assert base(vendor).rows == ()
    ids = installed(running)
    desk(running, page_size="2")
    found = base(vendor)
    assert [row[0] for row in found.rows] == ids
    assert (found.rows[1][1:3], found.then) == (("1.0.0", BOB), "push-update")
    assert len(found.columns) == len(found.rows[0])


@pytest.mark.parametrize("answer", ["json", "empty"])
def test_only_what_was_chosen_is_updated(running: Running, vendor: Celigo, answer: str) -> None:
    ids = installed(running)
    if answer == "empty":
        desk(running, push_answer="empty")
    step = run(vendor, "push-update", ids[1], ids[1])
    assert "Installations: 1." in str(step.here)
    assert running.state("celigo")["pushes"][0]["integrations"] == [ids[1]]
    assert [row[1] for row in base(vendor).rows] == ["1.0.0", "1.0.1"]


def test_an_installation_that_is_not_in_the_list_is_not_updated(
    running: Running, vendor: Celigo
) -> None:
    ids = installed(running)
    assert wrong(vendor, "push-update", ids[0], "f" * 24) == "ids"
    assert PUSH not in running.counts("celigo")["calls"]


def test_an_unknown_action_is_our_mistake(vendor: Celigo) -> None:
    with pytest.raises(Garbled):
        vendor.run("explode", {})
    order: Any = None
    with pytest.raises(Garbled):
        vendor.act(order, "explode", {})
