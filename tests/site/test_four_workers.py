"""Four workers on one PostgreSQL, killed one after another while a backlog is worked off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection as database

from onboarding.journey import LEASE
from onboarding.models import Connection
from tests.hosts.counting import LICENCE
from tests.support.recording import Recording, VendorCall, read_calls
from tests.support.site import wait_until
from tests.support.workers import (
    Workers,
    connected_shops,
    each_was_made_once,
    have_licences,
    merchants,
    time_passes,
)

pytestmark = [
    pytest.mark.both,
    pytest.mark.skipif(database.vendor != "postgresql", reason="many workers need PostgreSQL"),
]
CHECKS, ATTEMPTS, BACKLOG = 200, 40, 500
SLOW = 0.4  # seconds for an answer of the vendor
AT_ONCE = 64  # calls: twice what a worker makes at once
LONG = 180.0  # seconds: a creation whose answer a kill lost is looked for again and again


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Recording]:
    (tmp_path / "sandbox").mkdir()
    running = Recording(tmp_path / "sandbox")
    running.thread.start()
    running.fault("celigo", kind="slow", times=None, seconds=SLOW)
    yield running
    running.stop()


@pytest.fixture
def workers(transactional_db: None, tmp_path: Path, stage: Recording) -> Iterator[Workers]:
    made = Workers(tmp_path, stage)
    yield made
    for name in list(made.processes):
        made.kill(name)


def checks(tmp_path: Path) -> list[VendorCall]:
    """The calls for shops that were connected before, in the order in which they came."""
    known = set(Connection.objects.filter(connected_at__isnull=False).values_list("key", flat=True))
    calls = read_calls(tmp_path / "sandbox")
    return [call for call in calls if call.route == LICENCE and licence(call) in known]


def unchecked() -> set[str]:
    """The shops of `connected_shops` for which no check was saved."""
    rows = Connection.objects.filter(connected_at__isnull=False, checked_at=None)
    return set(rows.values_list("key", flat=True))


def licence(call: VendorCall) -> str:
    return call.thing.rpartition("/")[2]


def wait_for_checks(tmp_path: Path, count: int) -> None:
    wait_until(f"{count} checks", lambda: len(checks(tmp_path)) >= count)


def unsaved(tmp_path: Path) -> set[str]:
    """The shops that the vendor was asked for, with an answer that is not saved: a kill may lose it."""
    return {licence(call) for call in checks(tmp_path)} & unchecked()


def test_four_workers_killed_in_turn_do_each_row_once(
    workers: Workers, stage: Recording, tmp_path: Path
) -> None:
    shops, attempts = connected_shops(stage, CHECKS), merchants(stage, *map(str, range(ATTEMPTS)))
    names = ("one", "two", "three", "four")
    workers.start(*names)
    excused: list[str] = []
    for number, name in enumerate(names, start=1):
        wait_for_checks(tmp_path, number * CHECKS // 6)
        workers.kill(name)
        excused += unsaved(tmp_path)
    time_passes(LEASE.total_seconds() + 1)
    workers.start("five")
    wait_until("all have a licence", lambda: have_licences(*attempts), LONG)
    wait_until("all are checked", lambda: not unchecked(), LONG)
    each_was_made_once(stage, ATTEMPTS, before=CHECKS)
    asked = [licence(call) for call in checks(tmp_path)]
    assert {shop.key for shop in shops} == set(asked)
    assert not {shop for shop in asked if asked.count(shop) > 1 + excused.count(shop)}


def test_a_killed_workers_rows_come_first_again(
    workers: Workers, stage: Recording, tmp_path: Path
) -> None:
    connected_shops(stage, BACKLOG)
    workers.start("one")
    wait_for_checks(tmp_path, 40)
    workers.kill("one")
    left, before = unsaved(tmp_path), len(checks(tmp_path))
    time_passes(LEASE.total_seconds() + 1)
    workers.start("two")
    wait_for_checks(tmp_path, before + AT_ONCE)
    next_ones = checks(tmp_path)[before : before + AT_ONCE]
    assert left
    assert left <= {licence(call) for call in next_ones}
