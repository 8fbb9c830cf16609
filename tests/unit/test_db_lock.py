"""The process-wide database lock: one thread works on a row, while others wait for vendors."""

from __future__ import annotations

import threading

import pytest
from django.db import connection as database

from onboarding import db_lock


@pytest.fixture(autouse=True)
def one_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db_lock, "_lock", threading.Lock())


def elsewhere(work: object) -> threading.Thread:
    thread = threading.Thread(target=work)  # type: ignore[arg-type]
    thread.start()
    return thread


def test_who_comes_second_waits_for_the_turn() -> None:
    took = threading.Event()

    def second() -> None:
        with db_lock.exclusive():
            took.set()

    with db_lock.exclusive():
        thread = elsewhere(second)
        assert not took.wait(0.05)  # only that it is not there too early
    thread.join(10)
    assert took.is_set()


def test_waiting_for_a_vendor_releases_the_lock_and_acquires_it_again() -> None:
    def second() -> None:
        with db_lock.exclusive():
            pass

    with db_lock.exclusive():
        with db_lock.released():
            elsewhere(second).join(10)
            assert db_lock._lock.acquire(blocking=False)
            db_lock._lock.release()
        assert not db_lock._lock.acquire(blocking=False)


def test_a_turn_within_a_turn_is_the_same_one() -> None:
    with db_lock.exclusive(), db_lock.exclusive():
        pass
    assert db_lock._lock.acquire(blocking=False)


def test_without_the_lock_there_is_nothing_to_release() -> None:
    with db_lock.released():
        pass
    assert db_lock._lock.acquire(blocking=False)


def test_a_bug_gives_the_turn_back() -> None:
    with pytest.raises(ZeroDivisionError), db_lock.exclusive(), db_lock.released():
        raise ZeroDivisionError
    assert db_lock._lock.acquire(blocking=False)


@pytest.mark.parametrize(("options", "closed"), [({"pool": {}}, 1), ({"timeout": 20}, 0)])
def test_only_a_connection_of_a_pool_is_given_back(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, object], closed: int
) -> None:
    given: list[int] = []
    monkeypatch.setitem(database.settings_dict, "OPTIONS", options)
    monkeypatch.setattr(database, "close", lambda: given.append(1))
    db_lock.give_back_connection()
    assert len(given) == closed
