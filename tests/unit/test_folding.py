"""Folding: old calls that went well become hourly counts, and no call is lost or counted twice."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from django.db import connection as database
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding.background import folding, retention
from onboarding.models import Call, HourlyCalls, Slot
from tests.support.at_once import at_once
from tests.support.scripted import Scripted
from tests.support.sweep import sweep

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]

DAY, NOW = timedelta(days=1), timezone.now()
HOUR = (NOW - 9 * DAY).replace(minute=0, second=0, microsecond=0)
FAILURES = ("400", "404", "429", "500", "503", "time-out", "no answer", "")


@pytest.fixture(autouse=True)
def _small_batches(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CALL_DETAIL_DAYS = 7
    monkeypatch.setattr(folding, "BATCH", 7)
    monkeypatch.setattr(folding, "PAUSE", 0)


def call(at: datetime = HOUR, outcome: str = "200", call: str = "GET /x", ms: int = 5) -> Call:
    return Call(vendor="v", host="h.example", call=call, outcome=outcome, ms=ms, at=at)


def twenty() -> None:
    """Twenty calls of four kinds, in two hours."""
    kinds = [("204" if number % 5 == 0 else "200", f"GET /{number % 2}") for number in range(20)]
    Call.objects.bulk_create(
        call(HOUR + timedelta(minutes=6 * number + 1), *kind, ms=number)
        for number, kind in enumerate(kinds)
    )


def counted() -> Counter[tuple[object, ...]]:
    """How many calls of each kind there were in each hour, folded or not."""
    found: Counter[tuple[object, ...]] = Counter()
    for row in Call.objects.all():
        hour = row.at.replace(minute=0, second=0, microsecond=0)
        found[row.vendor, row.host, row.call, row.outcome, hour] += 1
    for each in HourlyCalls.objects.all():
        found[each.vendor, each.host, each.call, each.outcome, each.hour] += each.calls
    return found


def test_the_counts_are_those_of_the_calls() -> None:
    twenty()
    before = counted()
    folding.run()
    assert not Call.objects.exists()
    assert counted() == before


def test_how_long_they_took_is_added_up() -> None:
    for ms, minute in ((10, 0), (300, 59), (20, 30)):
        call(HOUR + timedelta(minutes=minute), ms=ms).save()
    folding.run()
    folded = HourlyCalls.objects.get()
    assert (folded.hour, folded.calls, folded.total_ms, folded.longest_ms) == (HOUR, 3, 330, 300)
    call(HOUR, ms=400).save()
    folding.run()
    folded.refresh_from_db()
    assert (folded.calls, folded.total_ms, folded.longest_ms) == (4, 730, 400)


def test_calls_of_the_last_seven_days_stay(settings: Settings) -> None:
    call(timezone.now() - 7 * DAY + timedelta(minutes=5)).save()
    folding.run()
    assert Call.objects.count() == 1
    settings.CALL_DETAIL_DAYS = 6
    folding.run()
    assert (Call.objects.count(), HourlyCalls.objects.count()) == (0, 1)


@pytest.mark.parametrize("outcome", FAILURES)
def test_a_failure_stays_as_it_is_until_it_is_too_old(settings: Settings, outcome: str) -> None:
    settings.RETENTION_DAYS = 400
    call(NOW - 399 * DAY, outcome).save()
    folding.run()
    retention.run()
    assert Call.objects.get().outcome == outcome
    assert not HourlyCalls.objects.exists()
    Call.objects.update(at=NOW - 401 * DAY)
    retention.run()
    assert not Call.objects.exists()


@pytest.mark.parametrize("outcome", ["200", "204", "302", "304"])
def test_a_status_that_is_no_error_is_folded(outcome: str) -> None:
    call(outcome=outcome).save()
    folding.run()
    assert HourlyCalls.objects.get().outcome == outcome


def test_folding_again_changes_nothing() -> None:
    twenty()
    folding.run()
    before = list(HourlyCalls.objects.order_by("pk").values())
    folding.run()
    assert list(HourlyCalls.objects.order_by("pk").values()) == before


def statements_of_a_batch(monkeypatch: pytest.MonkeyPatch) -> int:
    twenty()
    number = 0

    def count(execute, *args):  # type: ignore[no-untyped-def]
        nonlocal number
        number += 1
        return execute(*args)

    with database.execute_wrapper(count):
        folding.fold(NOW - 7 * DAY)
    return number


class Killed(BaseException):
    """The process ends here."""


def test_a_death_at_any_statement_neither_loses_nor_doubles_a_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for fatal in range(statements_of_a_batch(monkeypatch)):
        Call.objects.all().delete()
        HourlyCalls.objects.all().delete()
        twenty()
        before, left = counted(), fatal

        def die(execute, *args):  # type: ignore[no-untyped-def]
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed
            return execute(*args)

        with pytest.raises(Killed), database.execute_wrapper(die):
            folding.fold(NOW - 7 * DAY)
        assert counted() == before
        folding.run()
        assert counted() == before


def test_workers_that_fold_at_once_count_each_call_once() -> None:
    twenty()
    before = counted()
    at_once(folding.run, folding.run, folding.run)
    assert not Call.objects.exists()
    assert counted() == before


def test_counts_go_when_they_are_too_old(settings: Settings) -> None:
    settings.RETENTION_DAYS = 8
    call(HOUR).save()
    call(HOUR + 2 * DAY - timedelta(hours=1)).save()
    folding.run()
    retention.run()
    assert [row.hour for row in HourlyCalls.objects.all()] == [HOUR + 2 * DAY - timedelta(hours=1)]


def test_a_short_retention_time_holds_for_calls_that_went_well(settings: Settings) -> None:
    settings.RETENTION_DAYS = 2
    call(NOW - 3 * DAY).save()
    folding.run()
    retention.run()
    assert (Call.objects.count(), HourlyCalls.objects.count()) == (0, 0)


def test_the_worker_folds_once_an_hour(scripted: Scripted) -> None:
    call().save()
    sweep()
    call().save()
    sweep()
    assert (Call.objects.count(), HourlyCalls.objects.get().calls) == (1, 1)
    assert Slot.objects.filter(key__startswith="counts:").count() == 1
