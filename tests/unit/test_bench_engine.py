"""The parts of the engine's bench that count: its figures would be wrong without a word if these were."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.bench.far_database import Line
from tests.bench.meter import Calls, Spent, by_text
from tests.bench.quick_vendor import Counts
from tests.bench.rates import Cell, Figures, missed

TRY = """UPDATE "onboarding_account" SET "lease_until" = $1, "lease_token" = $2
    WHERE (("onboarding_account"."lease_until" IS NULL OR "onboarding_account"."lease_until" < $3))"""
RENEW = """UPDATE "onboarding_account" SET "lease_until" = $1 WHERE "lease_token" = $2"""
CLAIM = """WITH due AS (SELECT id FROM onboarding_connection LIMIT $1 FOR UPDATE SKIP LOCKED)
    UPDATE onboarding_connection SET lease_until = $2, lease_token = $3 FROM due"""
FOREIGN_KEY = """SELECT $2 FROM ONLY "public"."onboarding_connection" x
    WHERE "id" OPERATOR(pg_catalog.=) $1 FOR KEY SHARE OF x"""


class Clock:
    """asyncio's loop without a wait: `run` goes from one timer to the next."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None]) -> None:
        self.timers.append((when, callback))

    def run(self, until: float) -> None:
        while soon := [timer for timer in self.timers if timer[0] <= until]:
            timer = min(soon, key=lambda each: each[0])
            self.timers.remove(timer)
            self.now = timer[0]
            timer[1]()
        self.now = until


class Arrived:
    """The far end of a line: what arrived, and when."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.pieces = clock, list[tuple[float, bytes]]()

    def write(self, data: bytes) -> None:
        self.pieces.append((self.clock.now, data))

    def close(self) -> None:
        self.write(b"closed")


def test_the_far_database_delays_in_order_and_lets_pieces_travel_together() -> None:
    clock = Clock()
    line, end = Line(5, clock), Arrived(clock)
    line.send(b"before it is open")
    line.open(end)
    clock.run(until=1)
    line.send(b"second")
    clock.run(until=2)
    line.send(b"third")
    line.send(b"")
    clock.run(until=20)
    assert end.pieces == [(5, b"before it is open"), (6, b"second"), (7, b"third"), (7, b"closed")]


def test_the_vendor_knows_who_was_asked_twice() -> None:
    counts = Counts()
    for key in ("one", "two", "one", "one"):
        counts.count(key)
    assert counts.asked() == {"calls": 4, "shops": 2, "twice": 1}
    counts.begin(delay=0)
    assert counts.asked() == {"calls": 0, "shops": 0, "twice": 0}


def spent(**calls: tuple[str, int, int]) -> Spent:
    rows = [(text, times, rows, 1.0) for text, times, rows in calls.values()]
    return Spent(10, 10, 1, 1, 30, 40, 1000, by_text(rows))


def test_tries_are_those_to_take_a_lease_and_not_its_renewals() -> None:
    assert spent(a=(TRY, 21, 10), b=(RENEW, 40, 40)).tries == 21


def test_rows_that_are_claimed_in_a_look_are_tries() -> None:
    assert spent(a=(CLAIM, 2, 12), b=(RENEW, 40, 40)).tries == 12
    assert spent(a=(CLAIM, 2, 12), b=(TRY, 15, 10)).tries == 15


def test_an_engine_whose_tries_are_not_known_has_not_made_none() -> None:
    with pytest.raises(LookupError):
        _ = spent(a=(RENEW, 40, 40)).tries


def test_what_idle_workers_do_is_taken_off_once() -> None:
    idle = replace(spent(a=("SELECT 1", 5, 5), b=("SELECT 2", 9, 9)), seconds=5, commits=5)
    busy = spent(a=("SELECT 1", 40, 40), b=("SELECT 2", 1, 1), c=("COMMIT", 30, 0), d=(TRY, 10, 9))
    own = busy.without(idle)
    assert own.statement_count == 40 - 2 * 5 + 0 + 10
    assert own.commits == 30 - 2 * 5


def test_what_postgresql_asks_itself_is_no_statement_of_ours() -> None:
    found = by_text([(FOREIGN_KEY, 10, 10, 1.0), ("BEGIN", 9, 0, 1.0), ("SELECT 1", 8, 8, 1.0)])
    assert found["select 1"] == Calls(8, 8, 1.0)
    assert replace(spent(), statements=found).statement_count == 8


GOOD = Figures("x", Cell(0, "near", 1), 900, 100.0, 1.1, 7, 3, 12.0, 3.0, 9.0, 2000, 1.0, 0, 0, 2.0)


@pytest.mark.parametrize(
    ("worse", "word"),
    [
        ({"rate": 99.0}, "checks a second"),
        ({"tries": 1.2}, "tries"),
        ({"statements": 12.5}, "statements"),
        ({"commits": 3.5}, "commits"),
        ({"twice": 1}, "twice"),
        ({"faults": 1}, "errors"),
    ],
)
def test_a_bound_that_is_missed_is_named(worse: dict[str, float], word: str) -> None:
    assert not list(missed([GOOD]))
    [said] = missed([replace(GOOD, **worse)])  # type: ignore[arg-type]
    assert word in said


def test_a_check_may_not_become_dearer_with_more_workers() -> None:
    more = replace(GOOD, cell=Cell(0, "near", 8), rate=20.0)
    assert not list(missed([GOOD, replace(more, cpu=8.5)]))
    [said] = missed([GOOD, replace(more, cpu=8.6)])
    assert "1.16×" in said


def test_a_slower_machine_makes_no_dearer_check() -> None:
    slower = replace(GOOD, cell=Cell(0, "near", 8), cpu=14, postgres=6, loop=4.0)
    assert not list(missed([GOOD, slower]))
    [said] = missed([GOOD, replace(slower, loop=2.0)])
    assert "2.00×" in said
