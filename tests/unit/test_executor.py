"""The executor: a bounded thread pool per vendor, in which a merchant who returns has priority."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.db import transaction

from onboarding import journey
from onboarding.background import executor as executors
from onboarding.background import runner
from onboarding.background.executor import Executor
from onboarding.journey import transitions
from onboarding.journey.vendor_call import Returned
from onboarding.models import Attempt
from onboarding.models.status import dumped
from tests.support.attempts import WAIT, begin_attempt, reloaded
from tests.support.people import People
from tests.support.scripted import Answer, Scripted
from tests.support.site import wait_until
from vendors.contract import Order, Progress, Redirect, Step, Unsure, VendorError, text

NOT_YET = replace(WAIT, note=text("too early"))
LINK = "https://vendor.example/go"


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Executor]:
    made = Executor(bound=1)
    monkeypatch.setattr(runner, "executor", made)
    yield made
    made.shutdown()


def wait_for(event: threading.Event) -> None:
    assert event.wait(10)


class Gate:
    """A vendor that answers when the test says so."""

    def __init__(self, step: Answer | None = None) -> None:
        self.asked, self.answer = threading.Event(), threading.Event()
        self.step = step or Redirect(url=LINK)

    def __call__(self, order: Order) -> Step:
        self.asked.set()
        assert self.answer.wait(10)
        if isinstance(self.step, VendorError):
            raise self.step
        assert isinstance(self.step, Step)
        return self.step


def test_a_quick_vendor_is_answered_within_the_request(
    people: People, scripted: Scripted, executor: Executor
) -> None:
    scripted.script.append(Redirect(url=LINK))
    attempt = begin_attempt(people)
    runner.hand_over(attempt, timeout=10)
    assert reloaded(attempt).answer == "redirect"
    assert scripted.last.present


def test_a_slow_vendor_goes_on_without_the_request(
    people: People, scripted: Scripted, executor: Executor
) -> None:
    gate, attempt = Gate(), begin_attempt(people)
    scripted.script.append(gate)
    runner.hand_over(attempt, timeout=0)
    assert gate.asked.wait(10)
    assert reloaded(attempt).answer == "progress"
    gate.answer.set()
    executor.idle()
    assert reloaded(attempt).answer == "redirect"


def test_only_so_many_web_threads_wait(
    people: People, scripted: Scripted, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_waiters", threading.BoundedSemaphore(1))
    runner._waiters.acquire()
    gate, attempt = Gate(), begin_attempt(people)
    scripted.script.append(gate)
    runner.hand_over(attempt, timeout=3600)  # would outlast the test if it waited
    gate.answer.set()
    executor.idle()
    assert reloaded(attempt).answer == "redirect"


def test_a_request_does_not_wait_behind_a_crowd(
    people: People, scripted: Scripted, executor: Executor
) -> None:
    held = threading.Event()
    executor.submit("scripted", "scripted:1", lambda: wait_for(held))
    attempt = begin_attempt(people)
    runner.hand_over(attempt, timeout=3600)  # would outlast the test if it waited
    assert reloaded(attempt).answer == "progress"
    scripted.script.append(Redirect(url=LINK))
    held.set()
    executor.idle()
    assert reloaded(attempt).answer == "redirect"


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


@pytest.fixture
def paused(people: People, scripted: Scripted, executor: Executor) -> Iterator[Paused]:
    """A talk that met Progress while somebody who goes first came, who still holds the only thread."""
    talk = Paused(begin_attempt(people), executor, scripted)
    yield talk
    talk.held.set()


class Paused:
    def __init__(self, attempt: Attempt, executor: Executor, scripted: Scripted) -> None:
        self.attempt, self.executor, self.scripted = attempt, executor, scripted
        self.there, self.held = threading.Event(), threading.Event()

    def by(self, *steps: Answer, then: Answer | None = None) -> Paused:
        """The last of these answers is given when the other waits already."""
        gate = Gate(steps[-1])
        self.scripted.script.extend([*steps[:-1], gate, *([then] if then else [])])
        runner.hand_over(self.attempt, timeout=0)
        assert gate.asked.wait(10)
        self.executor.submit("scripted", "scripted:other", self._other, first=True)
        gate.answer.set()
        return self

    def _other(self) -> None:
        self.there.set()
        wait_for(self.held)

    def go_on(self) -> Attempt:
        self.held.set()
        self.executor.idle()
        return reloaded(self.attempt)


def come_back(attempt: Attempt) -> None:
    """As the return address does it."""
    with transaction.atomic():
        row = transitions.locked_attempt(attempt.pk)
        transitions.remember_call(row, Returned())
    runner.hand_over(row, timeout=0, returned=True)


def test_long_work_lets_returning_merchants_go_first(paused: Paused) -> None:
    wait_for(paused.by(Progress()).there)
    assert paused.scripted.calls == ["start"]
    paused.scripted.script.append(Redirect(url=LINK))
    assert paused.go_on().answer == "redirect"


def test_the_remaining_work_is_done_for_a_merchant_who_returns_too(paused: Paused) -> None:
    wait_for(paused.by(Progress()).there)
    paused.scripted.script.append(Redirect(url=LINK))
    journey.advance(paused.attempt.pk)  # a worker was faster
    come_back(paused.attempt)
    paused.scripted.script.append(WAIT)
    assert paused.go_on().answer == "waiting"
    assert paused.scripted.calls == ["start", "start", "returned"]


def test_who_is_back_while_the_talk_goes_on_is_answered_by_it(
    people: People, scripted: Scripted, executor: Executor
) -> None:
    gate, attempt = Gate(Progress()), begin_attempt(people)
    scripted.script.extend([gate, WAIT])
    runner.hand_over(attempt, timeout=0)
    assert gate.asked.wait(10)
    executor.submit("scripted", "scripted:other", lambda: None, first=True)
    come_back(attempt)
    gate.answer.set()
    executor.idle()
    assert scripted.calls == ["start", "returned"]


@pytest.mark.parametrize(
    "steps", [[Progress(announce="tenant")], [Progress(announce="tenant"), Unsure("lost")]]
)
def test_a_creation_keeps_the_thread_until_it_is_known(paused: Paused, steps: list[Answer]) -> None:
    def made(order: Order) -> Step:
        assert (order.announced or order.unsure) == "tenant"
        return NOT_YET if paused.there.is_set() else WAIT

    paused.by(*steps, then=made)
    assert paused.go_on().note == dumped(WAIT.note)


def test_work_that_was_answered_in_the_meantime_is_not_repeated(
    people: People, scripted: Scripted, executor: Executor
) -> None:
    held, attempt = threading.Event(), begin_attempt(people)
    executor.submit("scripted", "scripted:other", lambda: wait_for(held))
    runner.hand_over(attempt, timeout=0)
    scripted.script.append(WAIT)
    journey.advance(attempt.pk)
    held.set()
    executor.idle()
    assert scripted.calls == ["start"]


def test_pressing_often_takes_one_place(executor: Executor) -> None:
    held = threading.Event()
    executor.submit("slow", "slow:1", lambda: wait_for(held))
    for _ in range(100):
        executor.submit("slow", "slow:2", lambda: None, first=True)
    assert len(executor._queues["slow"]) <= 2
    held.set()


def test_what_still_waits_at_the_end_is_dropped(executor: Executor) -> None:
    ran = list[str]()
    executor.submit("slow", "slow:1", lambda: wait_until("the end", lambda: executor._closed))
    dropped = executor.submit("slow", "slow:2", lambda: ran.append("dropped"))
    executor.shutdown()
    executor.idle()
    assert dropped
    assert (dropped.done(), ran) == (True, [])


def test_a_full_queue_leaves_the_row_to_the_sweep(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "QUEUE_LIMIT", 1)
    held = threading.Event()
    executor.submit("slow", "slow:1", lambda: wait_for(held))
    assert executor.submit("slow", "slow:2", lambda: None) is None
    held.set()
