"""Ten days of thirty merchants: the bounds hold, and the simulation would see it if they did not."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from onboarding.models import Notice
from tests.bench.mails import Recorder, judge, simulate
from tests.support.attempts import begin_attempt
from tests.support.people import People
from tests.support.scripted import Scripted

UTC = ZoneInfo("UTC")


@pytest.mark.django_db(transaction=True)
def test_nobody_gets_too_many_mails() -> None:
    result = simulate(merchants=30, days=10, sweeps=1)
    assert result.faults == []
    assert {"broken", "unfinished", "ends", "action_needed"} <= result.kinds
    assert result.dropped["seen"]


def test_too_many_mails_would_be_seen(people: People, scripted: Scripted) -> None:
    attempt, recorder = begin_attempt(people), Recorder()
    night = timezone.now().replace(hour=23)
    for number in range(3):
        Notice.objects.create(
            kind="unfinished", user=people.alice, connection=attempt.connection, attempt=attempt,
            key=str(number), mailed=night + timedelta(minutes=number),
        )  # fmt: skip
    found = judge(recorder, UTC)
    assert "alice@example.org got 3 mails within 1 days" in found.faults
    assert "0 mails were sent for 3" in found.faults
    assert len(found.faults) == 5  # and three at night
