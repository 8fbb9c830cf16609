"""The backlog: how much is due and since when, without reading all of it."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from onboarding.catalogue import uses
from onboarding.doctor import site
from onboarding.models import Account, Attempt, Connection, Connector
from onboarding.monitoring import gauges, heartbeat
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People, connector
from tests.support.scripted import Scripted

pytestmark = pytest.mark.both

MINUTE, DAY, NOW = timedelta(minutes=1), timedelta(days=1), timezone.now()


def shop(people: People, vendor: str, due_at: datetime, name: str = "shop") -> Connection:
    account, _ = Account.objects.get_or_create(merchant=people.acme, vendor=vendor)
    found = Connector.objects.filter(vendor=vendor).first() or connector(vendor)
    return Connection.objects.create(
        account=account, connector=found, vendor=vendor, name=f"{vendor} {name}", due_at=due_at
    )


def checks() -> heartbeat.Backlog:
    return heartbeat.backlog()["connection"]


def test_the_oldest_of_all_vendors_counts_also_of_one_that_is_switched_off(people: People) -> None:
    shop(people, "one", NOW - 2 * MINUTE)
    shop(people, "two", NOW - 9 * MINUTE)
    shop(people, "two", NOW + DAY, "later")
    assert (checks().rows, checks().oldest) == (2, NOW - 9 * MINUTE)
    assert heartbeat.backlog(most=1)["connection"].oldest == NOW - 9 * MINUTE


def test_a_row_that_a_worker_holds_is_no_backlog(people: People, scripted: Scripted) -> None:
    attempt = begin_attempt(people)
    for rows in (Attempt.objects, Connection.objects):
        rows.update(due_at=NOW - MINUTE, lease_until=NOW + DAY, lease_token="worker")
    assert [each.rows for each in heartbeat.backlog().values()] == [0, 0]
    for rows in (Attempt.objects, Connection.objects):
        rows.update(lease_until=NOW - MINUTE / 2)  # the worker has died
    assert [each.rows for each in heartbeat.backlog().values()] == [1, 1]
    Attempt.objects.filter(pk=attempt.pk).update(ended=NOW, ending="done")
    assert heartbeat.backlog()["attempt"].rows == 0


def test_a_long_backlog_is_not_counted_to_its_end(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        shop(people, "one", NOW - number * MINUTE, str(number))
    found = heartbeat.backlog(most=3)["connection"]
    assert (found.rows, found.oldest, found.is_longer) == (3, NOW - 4 * MINUTE, True)
    monkeypatch.setattr(heartbeat, "backlog", lambda: {"connection": found})
    assert site.backlog().message.startswith("At least 3 rows are due, the oldest since ")


def test_nothing_is_due_before_the_first_shop(db: None) -> None:
    assert heartbeat.backlog() == dict.fromkeys(
        ("attempt", "connection"), heartbeat.Backlog(0, None)
    )


def queries(states: gauges._States) -> int:
    """Of three looks at how many shops there are."""
    with CaptureQueriesContext(database) as asked:
        for _ in range(3):
            states.get()
    return len(asked)


def test_shops_are_counted_again_at_each_scrape_unless_that_takes_long(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = gauges._States()
    monkeypatch.setattr(gauges, "SLOW", 60.0)
    assert (queries(states), states.kept_until) == (3, 0.0)
    monkeypatch.setattr(gauges, "SLOW", 0.0)
    states.get()
    assert states.kept_until > 0
    states.kept_until = math.inf
    assert queries(states) == 0


def test_uses_are_counted_each_minute_only_where_shops_are_few(
    people: People, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_step(begin_attempt(people), scripted, CONNECTED)
    monkeypatch.setattr(uses, "FEW", 0)
    uses.refresh_few()
    assert Connector.objects.get().uses == 0
    monkeypatch.setattr(uses, "FEW", 1)
    uses.refresh_few()
    assert Connector.objects.get().uses == 1
