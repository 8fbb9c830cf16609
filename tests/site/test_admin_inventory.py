"""The inventory in the admin: what a vendor has of our merchants, compared with our rows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from onboarding.models import Account, Connection
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People
from tests.support.scripted import Configurable
from tests.support.staff import page_text, staff_client
from vendors.contract import Item, Unavailable

pytestmark = pytest.mark.both

VENDOR = "/admin/onboarding/connector/vendor/scripted/"


@pytest.fixture
def connection(people: People, configurable: Configurable) -> Connection:
    found = replace(CONNECTED, connection_key="lic-1")
    return run_step(begin_attempt(people), configurable, found).connection


@pytest.fixture
def staff(people: People) -> Client:
    return staff_client()


def compared(staff: Client) -> str:
    return page_text(staff.get(VENDOR + "?compare=1"))


def test_the_vendor_is_not_asked_before_staff_compare(
    connection: Connection, configurable: Configurable, staff: Client
) -> None:
    configurable.results.append(Unavailable())
    assert "Compare now" in page_text(staff.get(VENDOR))
    assert configurable.results


def test_both_sides_are_compared(
    connection: Connection, configurable: Configurable, staff: Client
) -> None:
    configurable.items.extend(
        [
            Item(id="lic-1", label="Known licence", facts={"ends": "soon", "empty": ""}),
            Item(id="lic-9", label="Stray licence", reference=connection.reference),
            Item(id="lic-8", label="Nobody's", reference="elsewhere"),
        ]
    )
    said = compared(staff)
    assert "Only at the vendor: 2" in said
    assert f"lic-9 Stray licence Acme My shop {connection.reference}" in said
    assert "lic-8 Nobody&#x27;s – – elsewhere" in said
    assert "Only here: 0 None." in said
    assert "On both sides: 1" in said
    assert "lic-1 Known licence ends: soon Acme My shop" in said


def test_what_is_not_there_any_more_is_found(
    connection: Connection, configurable: Configurable, staff: Client
) -> None:
    said = compared(staff)
    assert "Only here: 1" in said
    assert "lic-1 – Acme My shop" in said
    Connection.objects.update(status="disconnected")
    assert "Only here: 0" in compared(staff)


def test_what_belongs_to_an_account_is_found_by_its_key(
    connection: Connection, configurable: Configurable, staff: Client
) -> None:
    Account.objects.update(key="room-1")
    configurable.items.append(Item(id="room-1", label="Room"))
    said = compared(staff)
    assert "On both sides: 1" in said
    assert "Only here: 0" in said
    configurable.items.clear()
    Connection.objects.update(key="")
    assert "room-1 – Acme the account" in compared(staff)


def test_comparing_changes_nothing(
    connection: Connection, configurable: Configurable, staff: Client
) -> None:
    before = Connection.objects.values().get()
    configurable.items.append(Item(id="x", label="X"))
    compared(staff)
    assert Connection.objects.values().get() == before
    assert not LogEntry.objects.exists()


def test_an_unavailable_vendor_is_reported_calmly(
    connection: Connection, configurable: Configurable, staff: Client
) -> None:
    configurable.results.append(Unavailable("time-out"))
    assert "The vendor is not answering. Try again later." in compared(staff)


def test_a_long_list_is_cut_and_says_so(
    connection: Connection, configurable: Configurable, staff: Client
) -> None:
    configurable.items.extend(Item(id=f"lic-{n}", label="L") for n in range(2, 300))
    said = compared(staff)
    assert "Only at the vendor: 298" in said
    assert "And 98 more." in said
