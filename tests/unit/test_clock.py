"""The site's clock: the database's, whatever our own shows; and what is said of clocks that are off."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

import allauth.account
import pytest
import time_machine
from django.db import connection as database
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from onboarding import clock
from onboarding.background import clock_guard
from onboarding.background.clock_guard import ClockGuard
from vendors.http import call_context

pytestmark = [
    pytest.mark.both,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("database_clock"),
]
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
only_postgresql = pytest.mark.skipif(
    database.vendor != "postgresql", reason="SQLite shares our clock"
)


@pytest.fixture
def right() -> datetime:
    """The time by the database's clock; the test takes a few milliseconds."""
    return timezone.now()


def travel(by: timedelta) -> time_machine.travel:
    return time_machine.travel(datetime.now(UTC) + by, tick=True)


@pytest.fixture
def hour_ahead(right: datetime) -> Iterator[None]:
    with travel(HOUR):
        yield


def near(at: datetime, expected: datetime) -> bool:
    return abs(at - expected) < timedelta(seconds=30)


@only_postgresql
@pytest.mark.parametrize("by", [HOUR, -HOUR])
def test_the_time_is_the_databases_whatever_ours_shows(right: datetime, by: timedelta) -> None:
    with travel(by):
        assert near(clock.now(), right)
        assert near(datetime.fromtimestamp(clock.timestamp(), UTC), right)
        assert near(right + clock.skew(), right + by)


@pytest.mark.skipif(database.vendor != "sqlite", reason="PostgreSQL has its own")
def test_sqlite_shares_our_clock(
    right: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with travel(HOUR), django_assert_num_queries(0):
        assert near(clock.now(), right + HOUR)
        clock.read()
        assert clock.skew() == timedelta(0)


@only_postgresql
def test_it_runs_on_without_the_database_for_some_seconds(
    right: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with travel(HOUR), django_assert_num_queries(1):
        assert near(clock.now(), right)
        for _ in range(3):
            before = clock.now()
            time.sleep(0.01)
            assert clock.now() > before


@only_postgresql
def test_it_is_read_again_after_a_while_and_when_our_own_was_set(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    clock.read()
    monkeypatch.setattr(clock, "RETRY_AFTER", 0)
    with travel(HOUR), django_assert_num_queries(1):
        clock.now()
        assert clock.now() < timezone.now() - HOUR / 2
    monkeypatch.setattr(clock, "READ_EVERY", -1)
    with django_assert_num_queries(2):
        clock.now()
        clock.now()
    assert clock.skew() < SECOND


@only_postgresql
def test_a_database_that_does_not_answer_changes_nothing(
    right: datetime, monkeypatch: pytest.MonkeyPatch, hour_ahead: None
) -> None:
    clock.read()
    monkeypatch.setattr(clock, "READ_EVERY", -1)
    monkeypatch.setattr(clock, "RETRY_AFTER", 0)
    database.connection.close()  # Django does not know it
    assert near(clock.now(), right)
    database.close()


@only_postgresql
def test_a_transaction_is_left_alone_unless_nothing_is_known(
    right: datetime,
    monkeypatch: pytest.MonkeyPatch,
    hour_ahead: None,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(clock, "READ_EVERY", -1)
    monkeypatch.setattr(clock, "RETRY_AFTER", 0)
    with transaction.atomic(), django_assert_num_queries(1):
        assert near(clock.now(), right)
        assert near(clock.now(), right)


@only_postgresql
def test_a_thread_without_a_connection_opens_one_only_for_the_first_reading(
    right: datetime, monkeypatch: pytest.MonkeyPatch, hour_ahead: None
) -> None:
    database.close()
    assert near(clock.now(), right)
    assert database.connection
    database.close()
    monkeypatch.setattr(clock, "READ_EVERY", -1)
    assert near(clock.now(), right)
    assert not database.connection


def test_an_answer_that_was_long_under_way_counts_only_as_the_first(right: datetime) -> None:
    """As in a process that is stopped while it asks: half a minute could be missing."""
    clock.learn(right, time.monotonic() - 60)
    assert near(clock.now(), right + timedelta(seconds=30))
    clock.learn(right, time.monotonic())
    clock.learn(right + HOUR, time.monotonic() - 60)
    assert near(clock.now(), right)


# -- clocks that are off -------------------------------------------------------------------------


def our_clock_is(ahead: float) -> None:
    clock.learn(timezone.now() - timedelta(seconds=ahead), time.monotonic())


def test_a_clock_that_is_off_is_said_once_and_that_it_is_right_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    for ahead in (4, 10, 9, 4, -3600, 0, 1):
        our_clock_is(ahead)
    assert [record.getMessage() for record in caplog.records] == [
        "this machine’s clock is 10 s ahead of the database’s: synchronise both (NTP)",
        "this machine’s clock is right again",
    ]


def test_a_worker_takes_no_rows_beyond_a_minute_says_so_once_and_goes_on(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "refresh", lambda: None)
    guard, allowed = ClockGuard(), []
    for ahead in (0, 59, 61, -3600, 10):
        our_clock_is(ahead)
        allowed.append(guard.allows())
    assert allowed == [True, True, False, False, True]
    said = [each for each in caplog.records if each.name == clock_guard.__name__]
    assert [each.levelname for each in said] == ["CRITICAL", "WARNING"]
    assert "its clock is 61 s ahead of the database’s" in said[0].getMessage()


@only_postgresql
def test_a_worker_asks_for_the_time_before_it_takes_rows(hour_ahead: None) -> None:
    database.close()
    assert not ClockGuard().allows()


# -- libraries -----------------------------------------------------------------------------------


def test_all_that_allauth_remembers_in_a_session_is_by_the_sites_clock() -> None:
    folder = Path(allauth.account.__file__).parent
    paths = [path for path in folder.rglob("*.py") if "time.time()" in path.read_text()]
    names = [".".join(path.relative_to(folder).with_suffix("").parts) for path in paths]
    modules = [import_module(f"allauth.account.{name}") for name in names]
    assert len(modules) >= 6
    assert {module.time.time for module in modules} == {clock.timestamp}


def test_calls_to_vendors_are_dated_by_the_sites_clock() -> None:
    assert call_context._clock == clock.now
