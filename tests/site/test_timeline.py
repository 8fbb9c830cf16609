"""The timeline of a shop: by day and by trip, a success in three lines, older entries on further pages."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from onboarding import journey
from onboarding.models import Attempt, Connection, Event
from onboarding.models.status import Ending, dumped
from onboarding.views.shop.timeline import ON_A_PAGE
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.visit import browser, url, visible_text
from vendors.contract import Declined, text

pytestmark = pytest.mark.usefixtures("inline_executor")


@pytest.fixture
def attempt(people: People, scripted: Scripted) -> Attempt:
    """A shop was connected, after five more entries."""
    attempt = begin_attempt(people)
    for number in range(5):
        add(attempt.connection, f"Step {number}", attempt=attempt)
    return run_step(attempt, scripted, CONNECTED)


def add(connection: Connection, note: str, **fields: Any) -> Event:
    return Event.objects.create(connection=connection, note=dumped(text(note)), **fields)


def timeline(people: People, connection: Connection, query: str = "") -> str:
    page = browser(people.alice).get(connection.get_absolute_url() + query).content.decode()
    found = re.search(r'<div id="timeline">(.*?)</section>', page, re.DOTALL)
    assert found
    return found[1]


def entries(part: str) -> list[str]:
    lines = re.findall(r"<time[^>]*>[^<]*</time>\s*([^<]*?)\s*<", part)
    return [line for line in lines if line]


def test_a_success_is_told_in_three_lines_that_unfold(people: People, attempt: Attempt) -> None:
    short, folded = timeline(people, attempt.connection).split("<details>")
    assert entries(short) == ["The vendor lists it.", "Step 4", "Connecting started."]
    assert "Show all 7 entries" in folded
    steps = [f"Step {number}" for number in range(4, -1, -1)]
    assert entries(folded) == ["The vendor lists it.", *steps, "Connecting started."]


def test_what_somebody_did_in_between_is_one_of_the_three(people: People, attempt: Attempt) -> None:
    Event.objects.filter(note__id="Step 2").update(user=people.bob)
    short, _ = timeline(people, attempt.connection).split("<details>")
    assert entries(short)[1] == "Step 2"


def test_a_trip_that_did_not_end_well_is_told_in_full(people: People, scripted: Scripted) -> None:
    attempt = begin_attempt(people)
    for number in range(5):
        add(attempt.connection, f"Step {number}", attempt=attempt)
    run_step(attempt, scripted, Declined())
    assert "<details>" not in timeline(people, attempt.connection)


def test_entries_stand_below_their_day_and_have_it_themselves(
    people: People, attempt: Attempt
) -> None:
    now = timezone.now()
    add(attempt.connection, "Yesterday’s", at=now - timedelta(days=1))
    old = add(
        attempt.connection, "Old", at=now.replace(year=2020, month=3, day=9, hour=2, minute=5)
    )
    shown = timeline(people, attempt.connection)
    days = re.findall(r'<h3 class="timeline-day">\s*<span title="[^"]+">(.*?)</span>', shown)
    assert days == ["Today", "Yesterday", "9 Mar 2020"]
    assert re.search(r">yesterday \d\d:\d\d \(UTC\)</time>\s*Yesterday’s", shown)
    assert f'datetime="{old.at.isoformat()}" title="9 Mar 2020, 02:05 (UTC)"' in shown
    assert "9 Mar 2020, 02:05 (UTC)</time>" in shown


def test_two_trips_of_a_day_are_two(people: People, attempt: Attempt, scripted: Scripted) -> None:
    add(attempt.connection, "You renamed it.")
    again = journey.reconnect(attempt.connection, people.alice)
    run_step(again, scripted, CONNECTED)
    lists = timeline(people, attempt.connection).split('<ol class="timeline">')[1:]
    assert entries(lists[0])[-1] == "Reconnecting started."
    assert entries(lists[1]) == ["You renamed it."]
    assert entries(lists[2])[-1] == "Connecting started."


@pytest.mark.both
def test_older_entries_are_on_further_pages(people: People, attempt: Attempt) -> None:
    now, connection = timezone.now(), attempt.connection
    for number in range(2 * ON_A_PAGE):
        add(connection, f"Note {number}", at=now - timedelta(days=1, minutes=number // 2))
    Attempt.objects.update(ending=Ending.EXPIRED)  # told in full
    read, query = [], ""
    while True:
        shown = timeline(people, connection, query)
        read += entries(shown)
        older = re.search(r'href="[^"]*(\?before=\d+)">Older entries', shown)
        if older is None:
            break
        query = older[1]
    assert len(read) == len(set(read)) == Event.objects.filter(connection=connection).count()
    assert f'href="{connection.get_absolute_url()}">Newest entries' in shown


def test_a_poll_never_replaces_older_entries(people: People, attempt: Attempt) -> None:
    alice, page = browser(people.alice), attempt.connection.get_absolute_url()
    first = Event.objects.earliest("pk").pk
    status = url("connection-status", attempt.connection)
    assert status in alice.get(page).content.decode()
    assert status not in alice.get(f"{page}?before={first + 1}").content.decode()


@pytest.mark.parametrize("before", ["", "x", "0", "99999999999999999999", "-1"])
def test_any_other_page_is_the_newest(people: People, attempt: Attempt, before: str) -> None:
    assert "The vendor lists it." in timeline(people, attempt.connection, f"?before={before}")


def test_on_paper_it_says_whose_shop_this_is_and_of_when(people: People, attempt: Attempt) -> None:
    connection = attempt.connection
    page = visible_text(browser(people.alice).get(connection.get_absolute_url()))
    assert f"Business Acme (reference {people.acme.reference})" in page
    assert "Connected through Scripted" in page
    assert f"Reference of the shop {connection.reference}" in page
    assert re.search(r"As of \d+ \w+ \d{4}, \d\d:\d\d \(UTC\)", page)
