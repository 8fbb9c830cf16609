"""The admin shows the last calls to a vendor, and which of its hosts does not answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from onboarding.models import Breaker
from tests.support.attempts import begin_attempt, run_step
from tests.support.hosts import UNAVAILABLE, host, step_that_calls
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.staff import page, page_text, staff_client

pytestmark = pytest.mark.both

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
