"""How long connecting a shop usually takes: counted from what merchants did, or not said at all."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from onboarding.catalogue import durations
from onboarding.models import Connection, Connector
from onboarding.templatetags.pages import usual_time
from tests.support.attempts import begin_attempt
from tests.support.people import People, connector
from tests.support.scripted import Scripted
from tests.support.sweep import sweep
from tests.support.visit import browser, visible_text

pytestmark = pytest.mark.both
NOW = timezone.now()


def connect(shop: Connection, took: Iterable[int], connector: Connector | None = None) -> None:
    """Shops like this one that took so many seconds; the first was connected first."""
    for number, seconds in enumerate(took):
        at = NOW + timedelta(minutes=number)
        Connection.objects.create(
            account=shop.account,
            connector=connector or shop.connector,
            vendor=shop.vendor,
            name=f"{connector or ''} {number}",
            created=at - timedelta(seconds=seconds),
            connected_at=at,
        )


@pytest.fixture
def shop(people: People, scripted: Scripted) -> Connection:
    """It was begun and never connected."""
    return begin_attempt(people).connection


def counted(shop: Connection) -> int | None:
    durations.refresh()
    return Connector.objects.get(pk=shop.connector_id).usual_seconds


def test_nine_shops_say_nothing_and_ten_do(shop: Connection) -> None:
    connect(shop, [200] * 9)
    assert counted(shop) is None
    Connection.objects.filter(pk=shop.pk).update(
        created=NOW - timedelta(seconds=200), connected_at=NOW
    )
    assert counted(shop) == 200


def test_who_left_for_days_does_not_change_what_is_usual(shop: Connection) -> None:
    connect(shop, [100, 200, 300, 400, 500, 600, 700, 86_400, 172_800, 500_000])
    assert counted(shop) == 550


def test_only_the_last_fifty_count(shop: Connection) -> None:
    connect(shop, [9000] * 60 + [60] * 50)
    assert counted(shop) == 60


def test_each_connector_has_its_own(shop: Connection) -> None:
    other = connector("scripted", "other")
    connect(shop, [120] * 10)
    connect(shop, [600] * 10, other)
    durations.refresh()
    assert dict(Connector.objects.values_list("key", "usual_seconds")) == {
        "shop": 120,
        "other": 600,
    }


def test_the_sweep_counts_and_writes_only_what_has_changed(shop: Connection) -> None:
    connect(shop, [61] * 10)
    sweep()
    assert Connector.objects.get().usual_seconds == 61
    with CaptureQueriesContext(database) as queries:
        durations.refresh()
    assert {query["sql"].split()[0] for query in queries} == {"SELECT"}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (0, "Usually about a minute"),
        (60, "Usually about a minute"),
        (61, "Usually 2 minutes"),
        (240, "Usually 4 minutes"),
    ],
)
def test_minutes_are_rounded_up(seconds: int | None, words: str) -> None:
    assert usual_time(Connector(usual_seconds=seconds)) == words


def test_the_pages_say_it_before_a_shop_is_begun(people: People, shop: Connection) -> None:
    pages = [
        "/connectors/",
        f"/connect/{shop.connector.platform}/",
        f"/m/{people.acme.reference}/connect/{shop.connector.slug}/",
    ]
    for seconds, said in ((None, False), (200, True)):
        Connector.objects.update(usual_seconds=seconds)
        for page in pages:
            response = browser(people.alice).get(page, follow=True)
            assert ("Usually 4 minutes" in visible_text(response)) == said
