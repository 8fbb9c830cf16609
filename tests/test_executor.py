"""The threads that ask vendors: a slow vendor fills its own bound, who is back goes first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from onboarding import executor as executors
from onboarding import runner
from onboarding.executor import Executor
from tests.people import People
from tests.play import again, begun
from tests.scripted import Scripted
from vendors.contract import Order, Progress, Redirect, Step, Waiting, text

WAIT = Waiting(note=text("…"), again=timedelta(minutes=1), until=timedelta(hours=1))
LINK = "https://vendor.example/go"


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Executor]:
    made = Executor(bound=1)
    monkeypatch.setattr(runner, "executor", made)
    yield made
    made.shut()


def wait_for(event: threading.Event) -> None:
    assert event.wait(10)


class Gate:
    """A vendor that answers when the test says so."""

    def __init__(self, step: Step | None = None) -> None:
        self.asked, self.answer = threading.Event(), threading.Event()
        self.step = step or Redirect(url=LINK)

    def __call__(self, order: Order) -> Step:
        self.asked.set()
        assert self.answer.wait(10)
        return self.step


def test_a_quick_vendor_is_answered_within_the_request(
    people: People, scripted: Scripted, executor: Executor
) -> None:
    scripted.script.append(Redirect(url=LINK))
    attempt = begun(people)
    runner.hand_over(attempt, patience=10)
    assert again(attempt).answer == "redirect"
    assert scripted.last.present


def test_a_slow_vendor_goes_on_without_the_request(
    people: People, scripted: Scripted, executor: Executor
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
    people: People, scripted: Scripted, executor: Executor, monkeypatch: pytest.MonkeyPatch
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
    people: People, scripted: Scripted, executor: Executor
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


def test_one_vendor_does_not_wait_for_another(executor: Executor) -> None:
    held, done = threading.Event(), threading.Event()
    executor.submit("slow", "slow:1", lambda: wait_for(held))
    executor.submit("quick", "quick:1", done.set)
    assert done.wait(10)
    held.set()


def test_the_same_row_is_never_submitted_twice(executor: Executor) -> None:
    held = threading.Event()
    first = executor.submit("slow", "slow:1", lambda: wait_for(held))
    assert executor.submit("slow", "slow:1", held.set) is first
    held.set()


def test_who_is_back_from_the_vendor_goes_before_the_crowd(executor: Executor) -> None:
    held, ran = threading.Event(), list[str]()
    executor.submit("slow", "slow:1", lambda: wait_for(held))
    executor.submit("slow", "slow:2", lambda: ran.append("in turn"))
    executor.submit("slow", "slow:3", lambda: ran.append("first"), first=True)
    held.set()
    executor.idle()
    assert ran == ["first", "in turn"]


def test_who_is_back_does_not_wait_where_they_stood_before(executor: Executor) -> None:
    held, ran = threading.Event(), list[str]()
    executor.submit("slow", "slow:1", lambda: wait_for(held))
    executor.submit("slow", "slow:2", lambda: ran.append("in turn"))
    for first in (False, True):
        executor.submit("slow", "slow:3", lambda: ran.append("back"), first=first)
    held.set()
    executor.idle()
    assert ran == ["back", "in turn"]


def test_a_long_talk_lets_those_who_are_back_go_first(
    people: People, scripted: Scripted, executor: Executor
) -> None:
    gate, attempt = Gate(Progress()), begun(people)
    scripted.script.extend([gate, lambda order: Redirect(url=LINK) if ran else WAIT])
    runner.hand_over(attempt, patience=0)
    assert gate.asked.wait(10)
    ran = list[str]()
    executor.submit("scripted", "scripted:back", lambda: ran.append("back"), first=True)
    gate.answer.set()
    executor.idle()
    assert (again(attempt).answer, scripted.calls) == ("redirect", ["start", "start"])


def test_a_creation_that_was_announced_is_made_before_the_thread_is_given_away(
    people: People, scripted: Scripted, executor: Executor
) -> None:
    gate, attempt = Gate(Progress(doing="tenant")), begun(people)
    scripted.script.extend([gate, Redirect(url=LINK)])
    runner.hand_over(attempt, patience=0)
    assert gate.asked.wait(10)
    executor.submit("scripted", "scripted:back", lambda: None, first=True)
    gate.answer.set()
    executor.idle()
    assert again(attempt).connection.account.unsure == ""
    assert scripted.last.announced == "tenant"


def test_a_full_queue_leaves_the_row_to_the_sweep(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "QUEUED", 1)
    held = threading.Event()
    executor.submit("slow", "slow:1", lambda: wait_for(held))
    assert executor.submit("slow", "slow:2", lambda: None) is None
    held.set()
