"""Reminders of a connection that is not finished, and the brakes of mails that nobody asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core import mail
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding import journey
from onboarding.models import Attempt, Connection, Notice
from onboarding.monitoring import gauges
from onboarding.notifications import choices
from tests.support.attempts import CONNECTED, WAIT, begin_attempt, run_step
from tests.support.notices import readers, told, why_not
from tests.support.outages import begin_outage
from tests.support.people import People, connector
from tests.support.scripted import Answer, Scripted
from vendors.contract import Garbled, NeedsMerchant, Redirect, text

pytestmark = pytest.mark.both
NOON = datetime(2026, 3, 3, 12, tzinfo=ZoneInfo("UTC"))
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TO_DO = NeedsMerchant(code="app", note=text("Install the app."))
LINK = Redirect(url="https://vendor.example/authorize")
FIRST, SECOND, LAST = (
    "“My shop” is not connected yet",
    "Finish connecting “My shop” when you have a few minutes",
    "Last reminder: “My shop” is not connected yet",
)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=True):
        yield


@pytest.fixture
def idle(people: People, scripted: Scripted) -> Attempt:
    """An attempt at noon that its merchant has seen, and then left."""
    attempt = run_step(begin_attempt(people), scripted, TO_DO)
    journey.note_look(attempt, attempt.user)
    return attempt


def test_an_hour_a_day_and_four_days_later(idle: Attempt) -> None:
    subjects = [told(after) for after in (HOUR - MINUTE, HOUR + MINUTE, DAY + HOUR, 4 * DAY + HOUR)]
    assert subjects[-1] == [FIRST, SECOND, LAST]
    assert [len(each) for each in subjects] == [0, 1, 2, 3]
    assert len(told(6 * DAY)) == 3
    assert readers() == ["alice@example.org"] * 3
    body = str(mail.outbox[0].body)
    assert "Install the app." in body
    assert f"http://localhost{idle.get_absolute_url()}\n" in body


def test_an_hour_is_counted_from_when_they_last_looked(idle: Attempt) -> None:
    with time_machine.travel(NOON + 30 * MINUTE):
        journey.note_look(reload(idle), idle.user)
    assert told(HOUR + MINUTE) == []
    assert told(2 * HOUR) == [FIRST]


def reload(attempt: Attempt) -> Attempt:
    return Attempt.objects.select_related("user", "connection").get(pk=attempt.pk)


# -- when not --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hour", "sent_at"),
    [(6, 8), (7, 8), (8, 9), (19, 20), (20, 32), (21, 32), (23, 32)],
)
def test_nobody_is_reminded_at_night(
    people: People, scripted: Scripted, settings: Settings, hour: int, sent_at: int
) -> None:
    """In the reader's zone. `hour`: when they leave; `sent_at` may be of the next day."""
    settings.TIME_ZONE = "Europe/Berlin"
    midnight = datetime(2026, 3, 3, tzinfo=ZoneInfo("Europe/Berlin"))
    with time_machine.travel(midnight + hour * HOUR, tick=True):
        run_step(begin_attempt(people), scripted, LINK)
        Notice.objects.update(dropped=timezone.now(), why="seen")
    for quarter in range(4 * hour, 4 * 36):
        with time_machine.travel(midnight + quarter * HOUR / 4 + MINUTE, tick=True):
            if told(timedelta(0)):
                break
    assert quarter // 4 == sent_at


@pytest.mark.parametrize("answer", [WAIT, Garbled("odd")], ids=["vendor", "staff"])
def test_nobody_is_reminded_while_it_is_not_their_turn(
    people: People, scripted: Scripted, answer: Answer
) -> None:
    run_step(begin_attempt(people), scripted, answer)
    assert told(2 * HOUR) == told(2 * DAY) == []


def test_nobody_is_reminded_while_the_vendor_is_down(idle: Attempt) -> None:
    with time_machine.travel(NOON + HOUR + MINUTE):
        begin_outage()
        assert told(MINUTE) == []


def test_whoever_went_on_is_not_reminded(idle: Attempt, scripted: Scripted) -> None:
    run_step(idle, scripted, CONNECTED)
    journey.note_look(reload(idle), idle.user)
    assert told(2 * HOUR) == []


def test_another_way_to_the_same_platform_stops_them(
    people: People, idle: Attempt, scripted: Scripted
) -> None:
    other = connector("scripted", "other", platform=idle.connection.connector.platform)
    with time_machine.travel(NOON + 10 * MINUTE, tick=True):
        journey.begin(
            merchant=people.acme, connector=other, user=people.bob, name="Other", answers={}
        )
    told(HOUR + 5 * MINUTE)
    assert "alice@example.org" not in readers()


@pytest.mark.parametrize("step", ["begin", "connect", "continue"])
def test_a_step_of_a_colleague_stops_them(
    people: People, idle: Attempt, scripted: Scripted, step: str
) -> None:
    with time_machine.travel(NOON + 10 * MINUTE, tick=True):
        if step == "continue":
            run_step(journey.continue_attempt(reload(idle), people.bob), scripted, TO_DO)
        else:
            other = begin_attempt(people, "Another", people.bob)
            run_step(other, scripted, CONNECTED if step == "connect" else WAIT)
        Notice.objects.update(dropped=timezone.now(), why="seen")
    told(HOUR + 5 * MINUTE)
    assert "alice@example.org" not in readers()


def test_one_click_stops_them(idle: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choices, "wants", lambda user, merchant, group: group != "reminders")
    assert (told(2 * HOUR), why_not()) == ([], ["not_wanted", "seen"])


def test_they_are_counted_with_those_after_which_somebody_came_back(idle: Attempt) -> None:
    told(HOUR + MINUTE)
    assert counted() == {("1 hour", "sent"): 1, ("1 hour", "came back"): 0}
    with time_machine.travel(NOON + 3 * HOUR):
        journey.note_look(reload(idle), idle.user)
    assert counted() == {("1 hour", "sent"): 1, ("1 hour", "came back"): 1}


def counted() -> dict[tuple[str, str], float]:
    [gauge] = gauges._reminders()
    return {
        (sample.labels["step"], sample.labels["outcome"]): sample.value for sample in gauge.samples
    }


# -- at most two a day and seven a week ------------------------------------------------------------


def remind(attempt: Attempt, number: int, at: datetime, *, sent: bool = True) -> None:
    Notice.objects.create(
        kind="ends", step="7 days", user=attempt.user, connection=attempt.connection, at=at,
        not_before=at, key=f"before {number}", mailed=at if sent else None,
    )  # fmt: skip


def test_the_third_mail_of_a_day_waits(idle: Attempt) -> None:
    for number in range(2):
        remind(idle, number, NOON)
    assert told(HOUR + MINUTE) == []
    row = Notice.objects.get(kind="unfinished")
    assert row.not_before == NOON + DAY


def test_the_eighth_mail_of_a_week_waits(idle: Attempt) -> None:
    for number in range(7):
        remind(idle, number, NOON - (number % 4 + 1) * DAY)
    assert told(HOUR + MINUTE) == []
    assert Notice.objects.get(kind="unfinished").not_before == NOON + 3 * DAY


def test_what_has_lost_its_sense_while_it_waited_is_not_sent(idle: Attempt) -> None:
    for number in range(2):
        remind(idle, number, NOON)
    assert told(HOUR + MINUTE) == []
    assert told(DAY + 2 * HOUR) == [SECOND]


def test_an_answer_to_ones_own_wait_is_not_counted(
    people: People, idle: Attempt, scripted: Scripted
) -> None:
    for number in range(9):
        remind(idle, number, NOON)
    run_step(idle, scripted, WAIT)
    run_step(idle, scripted, LINK)
    assert told() == ["“My shop”: it is your turn at Scripted"]


def test_several_rows_of_one_mail_count_once(idle: Attempt) -> None:
    for number in range(3):
        remind(idle, number, NOON)
    leader, *others = Notice.objects.filter(kind="ends")
    Notice.objects.filter(pk__in=[row.pk for row in others]).update(told_in=leader)
    assert told(HOUR + MINUTE) == [FIRST]


def test_a_shop_that_works_is_no_unfinished_connection(
    people: People, idle: Attempt, scripted: Scripted
) -> None:
    shop = run_step(idle, scripted, CONNECTED).connection
    run_step(journey.reconnect(shop, people.alice), scripted, TO_DO)
    Notice.objects.update(dropped=timezone.now(), why="seen")
    Connection.objects.update(status="connected")
    assert told(2 * HOUR) == []
