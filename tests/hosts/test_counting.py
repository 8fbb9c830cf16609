"""How a run on several hosts is counted: what is lost, asked twice, excused and taken over."""

from __future__ import annotations

from tests.hosts.counting import (
    EPOCH,
    LICENCE,
    Asked,
    Shop,
    Trouble,
    asked,
    due_moments,
    taken_over_after,
)
from tests.support.recording import VendorCall

PERIOD = 120.0
SHOP = Shop(pk=0, key="licence", connected_at=EPOCH + 10)  # the slots of pk 0 begin with the epoch
DUE = EPOCH + PERIOD
ONE, TWO = "198.18.77.12", "198.18.77.13"


def call(after: float, peer: str = ONE, lasts: float | None = 1.0) -> VendorCall:
    began = DUE + after
    ended = None if lasts is None else began + lasts
    return VendorCall(0, peer, "celigo", LICENCE, "connector/licence", "", began, ended)


def trouble(begins: float, lasts: float, *, loses_answers: bool = True) -> Trouble:
    began = DUE + begins
    return Trouble("worker-1", ONE, "killed", loses_answers, began, ended=began + lasts)


def first(*calls: VendorCall, during: Trouble | None = None) -> Asked:
    troubles = [during] if during else []
    return asked([SHOP], list(calls), troubles, PERIOD, until=DUE + PERIOD)[0]


def test_a_shop_is_due_once_in_each_period_from_half_a_period_after_it_was_connected() -> None:
    assert list(due_moments(SHOP, PERIOD, until=DUE + 2.5 * PERIOD)) == [
        DUE,
        DUE + PERIOD,
        DUE + 240,
    ]
    late = Shop(pk=0, key="", connected_at=EPOCH + 61)
    assert next(due_moments(late, PERIOD, until=DUE + 240)) == DUE + PERIOD


def test_one_call_for_a_moment_is_right() -> None:
    found = first(call(3))
    assert (found.lost, found.twice, found.again) == (0, 0, 0)


def test_no_call_is_lost_and_two_are_twice() -> None:
    assert first().lost == 1
    assert first(call(3), call(9, TWO)).twice == 1


def test_a_call_before_its_moment_counts_for_the_one_before() -> None:
    assert first(call(-30)).lost == 1


def test_a_call_that_died_with_its_host_is_asked_again() -> None:
    found = first(call(3, lasts=None), call(45, TWO), during=trouble(4, 75))
    assert (found.lost, found.twice, found.again) == (0, 0, 1)


def test_a_call_of_another_host_is_no_excuse() -> None:
    assert first(call(3, TWO), call(45), during=trouble(4, 75)).twice == 1


def test_a_wrong_clock_is_no_excuse() -> None:
    during = trouble(4, 60, loses_answers=False)
    assert first(call(3, lasts=None), call(45, TWO), during=during).twice == 1


def test_a_second_call_after_the_answer_was_saved_is_twice() -> None:
    assert first(call(3), call(45, TWO), during=trouble(20, 75)).twice == 1


def test_a_row_is_taken_over_when_another_host_asks() -> None:
    calls = [call(3, lasts=None), call(44, TWO)]
    assert taken_over_after(trouble(4, 75), [SHOP], calls) == [40.0]
    assert taken_over_after(trouble(4, 75), [SHOP], calls[:1]) == [float("inf")]
    assert taken_over_after(trouble(20, 75), [SHOP], [call(3)]) == []
