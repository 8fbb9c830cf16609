"""When and where the journey is called: a slow vendor fills its own bound, nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding import periodic, runner
from onboarding.models import Attempt, Connection, Connector, Slot
from tests.people import People
from tests.play import CONNECTED, again, begun, check, play
from tests.scripted import Scripted, offered
from vendors.contract import Entry, Order, Redirect, Step, Unavailable, Waiting, text

WAIT = Waiting(note=text("…"), again=timedelta(minutes=1), until=timedelta(hours=1))
LINK = "https://vendor.example/go"


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> Iterator[runner.Executor]:
    made = runner.Executor(bound=1)
    monkeypatch.setattr(runner, "executor", made)
    yield made
    made.shut()


def wait_for(event: threading.Event) -> None:
    assert event.wait(10)


class Gate:
    """A vendor that answers when the test says so."""

    def __init__(self) -> None:
        self.asked, self.answer = threading.Event(), threading.Event()

    def __call__(self, order: Order) -> Step:
        self.asked.set()
        assert self.answer.wait(10)
        return Redirect(url=LINK)


def test_a_quick_vendor_is_answered_within_the_request(
    people: People, scripted: Scripted, executor: runner.Executor
) -> None:
    scripted.script.append(Redirect(url=LINK))
    attempt = begun(people)
    runner.hand_over(attempt, patience=10)
    assert again(attempt).answer == "redirect"
    assert scripted.last.present


def test_a_slow_vendor_goes_on_without_the_request(
    people: People, scripted: Scripted, executor: runner.Executor
) -> None:
    gate, attempt = Gate(), begun(people)
    scripted.script.append(gate)
    runner.hand_over(attempt, patience=0)
    assert gate.asked.wait(10)
    assert again(attempt).answer == "progress"
    gate.answer.set()
    executor.idle()
    assert again(attempt).answer == "redirect"


def test_only_so_many_web_threads_wait(
    people: People, scripted: Scripted, executor: runner.Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_waiters", threading.BoundedSemaphore(1))
    runner._waiters.acquire()
    gate, attempt = Gate(), begun(people)
    scripted.script.append(gate)
    runner.hand_over(attempt, patience=3600)  # would outlast the test if it waited
    gate.answer.set()
    executor.idle()
    assert again(attempt).answer == "redirect"


def test_a_request_does_not_wait_behind_a_crowd(
    people: People, scripted: Scripted, executor: runner.Executor
) -> None:
    held = threading.Event()
    executor.submit("scripted", "scripted:1", lambda: wait_for(held))
    attempt = begun(people)
    runner.hand_over(attempt, patience=3600)  # would outlast the test if it waited
    assert again(attempt).answer == "progress"
    scripted.script.append(Redirect(url=LINK))
    held.set()
    executor.idle()
    assert again(attempt).answer == "redirect"


def test_one_vendor_does_not_wait_for_another(executor: runner.Executor) -> None:
    held, done = threading.Event(), threading.Event()
    executor.submit("slow", "slow:1", lambda: wait_for(held))
    executor.submit("quick", "quick:1", done.set)
    assert done.wait(10)
    held.set()


def test_the_same_row_is_never_submitted_twice(executor: runner.Executor) -> None:
    held = threading.Event()
    first = executor.submit("slow", "slow:1", lambda: wait_for(held))
    assert executor.submit("slow", "slow:1", held.set) is first
    held.set()


def test_a_full_queue_leaves_the_row_to_the_sweep(
    executor: runner.Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "QUEUED", 1)
    held = threading.Event()
    executor.submit("slow", "slow:1", lambda: wait_for(held))
    assert executor.submit("slow", "slow:2", lambda: None) is None
    held.set()


def test_the_sweep_leaves_fresh_work_to_the_web_process(people: People, scripted: Scripted) -> None:
    attempt = begun(people)
    runner.sweep()
    assert "start" not in scripted.calls
    Attempt.objects.update(due_at=timezone.now())
    scripted.script.append(WAIT)
    runner.sweep()
    assert again(attempt).answer == "waiting"
    assert not scripted.last.present


def test_the_sweep_honours_when_to_ask_again(people: People, scripted: Scripted) -> None:
    attempt = play(begun(people), scripted, WAIT)
    runner.sweep()
    assert scripted.calls == ["start"]
    Attempt.objects.update(due_at=timezone.now())
    scripted.script.append(CONNECTED)
    runner.sweep()
    assert again(attempt).ended


def test_the_sweep_checks_connected_shops_when_due(people: People, scripted: Scripted) -> None:
    shop = play(begun(people), scripted, CONNECTED).connection
    runner.sweep()
    Connection.objects.update(due_at=timezone.now())
    scripted.script.append(CONNECTED)
    runner.sweep()
    assert scripted.calls == ["start", "check"]
    fresh = Connection.objects.get(pk=shop.pk)
    assert fresh.due_at is not None
    assert fresh.due_at > timezone.now()


def test_the_sweep_ends_attempts_whose_time_is_over(people: People, scripted: Scripted) -> None:
    attempt = play(begun(people), scripted, Redirect(url=LINK))
    Attempt.objects.update(deadline=timezone.now())
    runner.sweep()
    assert again(attempt).answer == "expired"


def test_staff_ask_the_vendor_now(people: People, scripted: Scripted) -> None:
    shop = play(begun(people), scripted, CONNECTED).connection
    check(shop, scripted, Unavailable())
    runner.ask_now(shop)
    scripted.script.append(CONNECTED)
    runner.sweep()
    assert Connection.objects.get(pk=shop.pk).answer == "connected"


# -- the catalogue -------------------------------------------------------------------------------


def test_the_catalogue_is_filled_by_the_first_sweep(people: People, scripted: Scripted) -> None:
    runner.sweep()
    assert Connector.objects.get().slug == "scripted-shop"


class Late(Scripted):
    def connectors(self) -> tuple[Entry, ...]:
        raise Unavailable("it only starts now")


def test_a_vendor_that_is_late_at_the_start_is_asked_again_within_seconds(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    settings.VENDORS = offered(Late())
    runner.sweep()
    settings.VENDORS = offered(scripted)
    Slot.objects.update(at=timezone.now() - timedelta(seconds=10))
    runner.sweep()
    assert Connector.objects.get().slug == "scripted-shop"


def test_any_number_of_workers_fill_it_once_an_hour(people: People, scripted: Scripted) -> None:
    runner.sweep()
    runner.sweep()
    assert Slot.objects.filter(key__startswith="catalogue:scripted:").count() == 1


def test_a_refresh_keeps_what_staff_set(people: People, scripted: Scripted) -> None:
    periodic.refresh_catalogue(scripted)
    Connector.objects.update(visible=False, name="Our name", position=1, options={"a": 1})
    periodic.refresh_catalogue(scripted)
    row = Connector.objects.get()
    assert (row.visible, row.name, row.position, row.options) == (False, "Our name", 1, {"a": 1})


class Changing(Scripted):
    def connectors(self) -> tuple[Entry, ...]:
        return ()


def test_a_connector_that_vanished_is_marked_as_gone_and_comes_back(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    periodic.refresh_catalogue(scripted)
    periodic.refresh_catalogue(Changing())
    assert Connector.objects.get().gone
    periodic.refresh_catalogue(scripted)
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
    periodic.refresh_catalogue(Scripted())
    periodic.refresh_catalogue(Changing())
    made.refresh_from_db()
    assert (made.gone, made.vendor_name) == (None, "Mine")
