"""One thread ends all calls of a process that take too long."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import pytest

from tests.support.site import wait_until
from vendors.http.deadlines import Deadlines

LONG = 3600.0  # seconds; no test waits for it


@pytest.fixture
def deadlines() -> Deadlines:
    return Deadlines()


def nothing() -> Callable[[], None]:
    return lambda: None


def names_of_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate()]


def test_what_takes_too_long_is_ended(deadlines: Deadlines) -> None:
    ended = threading.Event()
    with deadlines.after(0.01, ended.set):
        assert ended.wait(30)


def test_a_nearer_deadline_does_not_wait_for_one_that_is_further_away(deadlines: Deadlines) -> None:
    ended, late = threading.Event(), threading.Event()
    with deadlines.after(LONG, late.set):
        wait_until("the thread sleeps", lambda: deadlines._wakes_at < float("inf"))
        with deadlines.after(0.01, ended.set):
            assert ended.wait(30)
    assert not late.is_set()


def test_what_was_in_time_is_not_ended(deadlines: Deadlines) -> None:
    ended, later = threading.Event(), threading.Event()
    with deadlines.after(0.05, ended.set):
        pass
    with deadlines.after(0.1, later.set):
        assert later.wait(30)
    assert not ended.is_set()


def test_each_of_many_is_ended_once(deadlines: Deadlines) -> None:
    ended = list[int]()
    with ExitStack() as calls:
        for number in range(20):
            calls.enter_context(deadlines.after(0.01, partial(ended.append, number)))
        wait_until("all are ended", lambda: len(ended) >= 20)
    assert sorted(ended) == list(range(20))


def test_many_calls_take_one_thread(deadlines: Deadlines) -> None:
    before = names_of_threads().count("deadlines")
    with ExitStack() as calls:
        for _ in range(20):
            calls.enter_context(deadlines.after(LONG, nothing()))
        assert names_of_threads().count("deadlines") == before + 1


def test_a_block_that_fails_has_no_deadline_any_more(deadlines: Deadlines) -> None:
    with pytest.raises(ValueError, match="as it is"), deadlines.after(LONG, nothing()):
        raise ValueError("as it is")
    assert not deadlines._at


def test_a_thread_that_is_gone_after_a_fork_is_replaced(deadlines: Deadlines) -> None:
    gone = threading.Thread(target=nothing())
    gone.start()
    gone.join()
    deadlines._thread = gone
    ended = threading.Event()
    with deadlines.after(0.01, ended.set):
        assert ended.wait(30)
