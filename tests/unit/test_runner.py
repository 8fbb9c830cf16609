"""The runner: which process calls the journey and when; the rows hold what is due, so no work is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from onboarding.background import runner
from onboarding.background.executor import WEB_BOUND
from onboarding.catalogue import refresh
from onboarding.journey import staff_actions, transitions
from onboarding.journey.orders import PATIENCE
from onboarding.journey.vendor_call import Returned
from onboarding.models import Attempt, Connection, Connector, Slot
from onboarding.models.memo import readable
from tests.support.attempts import CONNECTED, WAIT, begin_attempt, reloaded, run_check, run_step
from tests.support.people import People
from tests.support.scripted import Scripted, offered
from tests.support.sweep import sweep
from vendors.contract import Entry, Progress, Redirect, Unavailable

pytestmark = pytest.mark.both

LINK = "https://vendor.example/go"


def test_the_sweep_leaves_fresh_work_to_the_web_process(people: People, scripted: Scripted) -> None:
    attempt = begin_attempt(people)
    sweep()
    assert "start" not in scripted.calls
    Attempt.objects.update(due_at=timezone.now())
    scripted.script.append(WAIT)
    sweep()
    assert reloaded(attempt).answer == "waiting"


@pytest.mark.parametrize(("pressed", "present"), [(timedelta(0), True), (PATIENCE, False)])
def test_a_link_is_created_for_a_merchant_who_just_pressed_in_any_process(
    people: People, scripted: Scripted, pressed: timedelta, present: bool
) -> None:
    attempt = begin_attempt(people)
    readable(attempt.call)["asked"] -= pressed.total_seconds()
    attempt.due_at = timezone.now()
    attempt.save(update_fields=["call", "due_at"])
    scripted.script.append(WAIT)
    sweep()
    assert scripted.last.present == present


def test_a_later_look_creates_no_link(people: People, scripted: Scripted) -> None:
    attempt = run_step(begin_attempt(people), scripted, WAIT)
    Attempt.objects.update(due_at=timezone.now())
    scripted.script.extend([Progress(), WAIT])
    sweep()
    assert reloaded(attempt).answer == "waiting"
    assert [order.present for _, order, _ in scripted.asked] == [True, False, False]


def test_returning_merchants_come_before_the_oldest_rows(
    people: People, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.sweep.ROOM", 1)
    first, back = begin_attempt(people), begin_attempt(people, "Back")
    with transaction.atomic():
        transitions.remember_call(transitions.locked_attempt(back.pk), Returned())
    now = timezone.now()
    Attempt.objects.filter(pk=first.pk).update(due_at=now - timedelta(minutes=1))
    Attempt.objects.filter(pk=back.pk).update(due_at=now)
    taken: list[runner.DueRow] = []
    sweep(dispatch=taken.append)
    assert [(due.pk, due.returned) for due in taken] == [(back.pk, True)]


def test_the_sweep_honours_when_to_ask_again(people: People, scripted: Scripted) -> None:
    attempt = run_step(begin_attempt(people), scripted, WAIT)
    sweep()
    assert scripted.calls == ["start"]
    Attempt.objects.update(due_at=timezone.now())
    scripted.script.append(CONNECTED)
    sweep()
    assert reloaded(attempt).ended


def test_the_sweep_checks_connected_shops_when_due(people: People, scripted: Scripted) -> None:
    connection = run_step(begin_attempt(people), scripted, CONNECTED).connection
    sweep()
    Connection.objects.update(due_at=timezone.now())
    scripted.script.append(CONNECTED)
    sweep()
    assert scripted.calls == ["start", "check"]
    fresh = Connection.objects.get(pk=connection.pk)
    assert fresh.due_at is not None
    assert fresh.due_at > timezone.now()


def test_the_sweep_ends_attempts_whose_time_is_over(people: People, scripted: Scripted) -> None:
    attempt = run_step(begin_attempt(people), scripted, Redirect(url=LINK))
    Attempt.objects.update(deadline=timezone.now())
    sweep()
    assert reloaded(attempt).answer == "expired"


def test_staff_ask_the_vendor_now(people: People, scripted: Scripted) -> None:
    connection = run_step(begin_attempt(people), scripted, CONNECTED).connection
    run_check(connection, scripted, Unavailable())
    staff_actions.ask_now(connection)
    scripted.script.append(CONNECTED)
    sweep()
    assert Connection.objects.get(pk=connection.pk).answer == "connected"


# -- the catalogue -------------------------------------------------------------------------------


def test_the_catalogue_is_filled_by_the_first_sweep(people: People, scripted: Scripted) -> None:
    sweep()
    assert Connector.objects.get().slug == "scripted-shop"


class Late(Scripted):
    def connectors(self) -> tuple[Entry, ...]:
        raise Unavailable("it only starts now")


def test_a_vendor_that_is_late_at_the_start_is_asked_again_within_seconds(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    settings.VENDORS = offered(Late())
    sweep()
    settings.VENDORS = offered(scripted)
    Slot.objects.update(at=timezone.now() - timedelta(seconds=10))
    sweep()
    assert Connector.objects.get().slug == "scripted-shop"


def test_any_number_of_workers_fill_it_once_an_hour(people: People, scripted: Scripted) -> None:
    sweep()
    sweep()
    assert Slot.objects.filter(key__startswith="catalogue:scripted:").count() == 1


def test_a_refresh_keeps_what_staff_set(people: People, scripted: Scripted) -> None:
    refresh.refresh_catalogue(scripted)
    Connector.objects.update(visible=False, name="Our name", position=1, options={"a": 1})
    refresh.refresh_catalogue(scripted)
    row = Connector.objects.get()
    assert (row.visible, row.name, row.position, row.options) == (False, "Our name", 1, {"a": 1})


class Changing(Scripted):
    def connectors(self) -> tuple[Entry, ...]:
        return ()


def test_a_connector_that_vanished_is_marked_as_gone_and_comes_back(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    refresh.refresh_catalogue(scripted)
    refresh.refresh_catalogue(Changing())
    assert Connector.objects.get().gone
    refresh.refresh_catalogue(scripted)
    assert Connector.objects.get().gone is None


def test_a_connector_that_staff_made_is_never_gone(people: People, settings: Settings) -> None:
    settings.VENDORS = offered(Scripted())
    made = Connector.objects.create(
        vendor="scripted",
        key="shop",
        slug="mine",
        vendor_name="Mine",
        platform="m",
        staff_made=True,
    )
    refresh.refresh_catalogue(Scripted())
    refresh.refresh_catalogue(Changing())
    made.refresh_from_db()
    assert (made.gone, made.vendor_name) == (None, "Mine")


# -- a crowd at one vendor -------------------------------------------------------------------------


def test_every_process_sees_the_same_crowd(people: People, scripted: Scripted) -> None:
    """It is counted in rows: whichever web process answers, and also if its own queue is empty."""
    for number in range(WEB_BOUND):
        begin_attempt(people, f"Shop {number}")
    assert not runner.is_crowded("scripted")
    attempt = begin_attempt(people, "One more")
    assert runner.is_crowded("scripted")
    assert not runner.is_crowded("other")
    run_step(attempt, scripted, WAIT)
    assert not runner.is_crowded("scripted")


def test_a_crowd_is_those_who_have_no_answer_yet(people: People, scripted: Scripted) -> None:
    for number in range(WEB_BOUND + 1):
        run_step(begin_attempt(people, f"Shop {number}"), scripted, Unavailable())
    assert not runner.is_crowded("scripted")


def test_a_crowd_costs_a_page_one_query(
    people: People, scripted: Scripted, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(WEB_BOUND * 2):
        begin_attempt(people, f"Shop {number}")
    with django_assert_num_queries(1):
        assert runner.is_crowded("scripted")
