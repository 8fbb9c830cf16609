"""Slots for work at the database: so many threads work on rows, while others wait for vendors."""

from __future__ import annotations

import threading

import pytest
from django.db import connection as database

from onboarding import db_slots


class OneSlot:
    """Slots of a process on SQLite."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.acquire, self.release = self.lock.acquire, self.lock.release

    @property
    def is_free(self) -> bool:
        return not self.lock.locked()


@pytest.fixture(autouse=True)
def one_slot(monkeypatch: pytest.MonkeyPatch) -> OneSlot:
    made = OneSlot()
    monkeypatch.setattr(db_slots, "_slots", made)
    return made


def elsewhere(work: object) -> threading.Thread:
    thread = threading.Thread(target=work)  # type: ignore[arg-type]
    thread.start()
    return thread


def test_who_comes_second_waits_for_a_slot() -> None:
    took = threading.Event()

    def second() -> None:
        with db_slots.slot():
            took.set()

    with db_slots.slot():
        thread = elsewhere(second)
        assert not took.wait(0.05)  # only that it is not there too early
    thread.join(10)
    assert took.is_set()


def test_waiting_for_a_vendor_releases_the_slot_and_takes_one_again(one_slot: OneSlot) -> None:
    def second() -> None:
        with db_slots.slot():
            pass

    with db_slots.slot():
        with db_slots.released():
            elsewhere(second).join(10)
            assert one_slot.is_free
        assert not one_slot.is_free


def test_a_slot_within_a_slot_is_the_same_one(one_slot: OneSlot) -> None:
    with db_slots.slot(), db_slots.slot():
        pass
    assert one_slot.is_free


def test_without_a_slot_there_is_nothing_to_release(one_slot: OneSlot) -> None:
    with db_slots.released():
        pass
    assert one_slot.is_free


def test_a_bug_gives_the_slot_back(one_slot: OneSlot) -> None:
    with pytest.raises(ZeroDivisionError), db_slots.slot(), db_slots.released():
        raise ZeroDivisionError
    assert one_slot.is_free


@pytest.mark.parametrize(("options", "closed"), [({"pool": {}}, 1), ({"timeout": 20}, 0)])
def test_only_a_connection_of_a_pool_is_given_back(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, object], closed: int
) -> None:
    given: list[int] = []
    monkeypatch.setitem(database.settings_dict, "OPTIONS", options)
    monkeypatch.setattr(database, "close", lambda: given.append(1))
    db_slots.give_back_connection()
    assert len(given) == closed


@pytest.mark.both
def test_sqlite_has_one_slot_and_a_worker_on_postgresql_more_the_farther_that_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(db_slots, "_round_trip", lambda: 0.00099)
    db_slots.serve_a_worker()
    count = 1 if database.vendor == "sqlite" else db_slots.LEAST + 3
    free = db_slots._slots._semaphore()
    assert [free.acquire(blocking=False) for _ in range(count + 1)] == [True] * count + [False]
