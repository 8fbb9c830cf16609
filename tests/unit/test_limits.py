"""Rate limits in the database: as many uses as they allow, however many come at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from onboarding.models import RateLimit
from onboarding.people.limits import Limit, give_back, take_each
from tests.support.crowd import at_once

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]
HOUR = Limit("hour", 3, timedelta(hours=1))
DAY = Limit("day", 5, timedelta(days=1))


def test_it_allows_so_many_uses_and_says_how_long_to_wait() -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert [HOUR.take() for _ in range(5)] == [True, True, True, False, False]
        clock.shift(600)
        assert HOUR.seconds_left() == 3000
        assert DAY.seconds_left() == 0


def test_its_period_begins_with_the_first_use_and_then_anew() -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert [HOUR.take() for _ in range(3)] == [True] * 3
        clock.shift(3600)
        assert HOUR.seconds_left() == 0
        assert [HOUR.take() for _ in range(4)] == [True, True, True, False]
        assert HOUR.seconds_left() == 3600


def test_of_many_uses_at_once_it_allows_no_more() -> None:
    assert sum(at_once([HOUR.take] * 20)) == 3


def test_of_many_uses_at_once_after_its_period_it_allows_no_more() -> None:
    RateLimit.objects.create(key="hour", used=3, ends_at=timezone.now() - timedelta(seconds=1))
    assert sum(at_once([HOUR.take] * 20)) == 3


def test_a_use_that_another_limit_refuses_is_not_counted() -> None:
    for _ in range(3):
        assert take_each([DAY, HOUR]) is None
    assert take_each([DAY, HOUR]) is HOUR
    assert RateLimit.objects.get(key="day").used == 3


def test_a_use_that_is_given_back_may_be_used_again_and_never_more() -> None:
    assert take_each([HOUR]) is None
    give_back([HOUR, HOUR])
    assert [HOUR.take() for _ in range(4)] == [True, True, True, False]
