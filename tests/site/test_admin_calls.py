"""The admin shows the last calls to a vendor, and which of its hosts does not answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from onboarding.models import Breaker, HourlyCalls
from tests.support.attempts import begin_attempt, run_step
from tests.support.hosts import UNAVAILABLE, host, step_that_calls
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.staff import limited_client, page, page_text, staff_client

pytestmark = pytest.mark.both

HOURLY = "/admin/onboarding/hourlycalls/"
VENDOR = "/admin/onboarding/connector/vendor/scripted/"
NOW, SOON = timezone.now(), timezone.now() + timedelta(hours=1)


@pytest.fixture
def staff(people: People) -> Client:
    return staff_client()


def test_the_last_calls_stand_with_the_attempt_and_its_connection(
    people: People, scripted: Scripted, staff: Client
) -> None:
    with host(UNAVAILABLE) as server:
        attempt = run_step(
            begin_attempt(people),
            scripted,
            step_that_calls(server, path="/things/{id}", parts={"id": "4711"}),
        )
    for row in (attempt, attempt.connection):
        said = page_text(staff.get(page(row)))
        assert "POST /things/{id} 503" in said
        assert "4711" not in said


def test_before_the_first_call_it_says_so(
    people: People, scripted: Scripted, staff: Client
) -> None:
    assert "Calls to the vendor None yet." in page_text(staff.get(page(begin_attempt(people))))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"cause": "silent", "opened": NOW, "retry_at": SOON, "failures": 7}, "Not answering."),
        ({"cause": "silent", "opened": NOW}, "It may work again. The next call will tell."),
        ({"cause": "credentials", "opened": NOW, "retry_at": SOON}, "It refuses our credentials."),
        (
            {"cause": "credentials", "retry_at": SOON},
            "We are testing whether it refuses all of them.",
        ),
        ({"retry_at": SOON, "failures": 1}, "It asked us to wait."),
        ({"failures": 1}, "The last call failed."),
        ({"retry_at": NOW}, "It answers."),
    ],
)
def test_a_vendors_page_says_how_its_hosts_are(
    scripted: Scripted, staff: Client, row: dict[str, object], words: str
) -> None:
    Breaker.objects.create(vendor="scripted", host="api.vendor.example", **row)
    Breaker.objects.create(vendor="other", host="api.other.example", failures=3)
    said = page_text(staff.get(VENDOR))
    assert words in said.partition("api.vendor.example")[2]
    assert "api.other.example" not in said


def test_a_vendor_that_never_failed_is_shown_as_well(scripted: Scripted, staff: Client) -> None:
    assert "No problems so far." in page_text(staff.get(VENDOR))


def test_every_vendors_page_is_found_from_the_catalogue(scripted: Scripted, staff: Client) -> None:
    assert VENDOR in staff.get("/admin/onboarding/connector/").content.decode()


def hourly(vendor: str, call: str, hours: int = 200, **numbers: int) -> None:
    hour = (NOW - timedelta(hours=hours)).replace(minute=0, second=0, microsecond=0)
    HourlyCalls.objects.create(
        vendor=vendor, host="h.example", call=call, outcome="200", hour=hour, **numbers
    )


def test_hourly_counts_are_a_list_by_vendor(scripted: Scripted, staff: Client) -> None:
    hourly("scripted", "GET /shops", calls=4321, total_ms=8642, longest_ms=1234)
    hourly("other", "GET /things", calls=1)
    assert "GET /things" in page_text(staff.get(HOURLY))
    said = page_text(staff.get(f"{HOURLY}?vendor=scripted"))
    assert "Scripted GET /shops 200 4,321 2 1,234" in said
    assert "Calls that went well more than 7 days ago." in said
    assert "GET /things" not in said


def test_nobody_edits_hourly_counts(scripted: Scripted, staff: Client) -> None:
    hourly("scripted", "GET /shops", calls=1)
    row = HourlyCalls.objects.get()
    assert staff.get(f"{HOURLY}add/").status_code == 403
    assert staff.post(f"{HOURLY}{row.pk}/change/", {"calls": 9}).status_code == 403
    assert staff.post(f"{HOURLY}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert HourlyCalls.objects.get().calls == 1


def test_a_vendors_page_leads_to_its_hourly_counts(scripted: Scripted, staff: Client) -> None:
    assert f'href="{HOURLY}?vendor=scripted"' in staff.get(VENDOR).content.decode()


def test_who_may_not_read_hourly_counts_gets_no_link_to_them(
    people: People, scripted: Scripted
) -> None:
    reader = limited_client("view_connector")
    assert HOURLY not in reader.get(VENDOR).content.decode()
    assert reader.get(HOURLY).status_code == 403


def test_a_table_of_calls_says_for_how_long_they_are_listed(
    people: People, scripted: Scripted, staff: Client
) -> None:
    said = page_text(staff.get(page(begin_attempt(people))))
    assert "Calls that went well are listed for 7 days, failures for longer." in said
