"""What repeats says nothing new, so it makes no entry of the timeline. What a merchant has to know does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from onboarding import journey
from onboarding.models import Attempt, Connection, Event
from onboarding.models.status import shown
from tests.support.attempts import CONNECTED, WAIT, begin_attempt, run_check, run_step
from tests.support.people import People
from tests.support.scripted import Scripted
from vendors.contract import Connected, NeedsMerchant, Unavailable, Why, text

pytestmark = pytest.mark.both

DOWN = Unavailable("503", why=Why.FAULT)
OUTAGE = "Scripted reports a problem on its side. We keep trying."
INSTALL = NeedsMerchant(code="install", note=text("Install it."), poll_every=timedelta(hours=1))


@pytest.fixture
def shop(people: People, scripted: Scripted) -> Connection:
    """Connected."""
    return run_step(begin_attempt(people), scripted, CONNECTED).connection


def said(row: Attempt | Connection) -> list[str]:
    """What the timeline says, the oldest first, without how it began."""
    rows = row.events.filter(user=None).order_by("pk")
    return [shown(event.note) for event in rows]


def asked_to_wait(hours: int) -> Unavailable:
    until = timezone.now() + timedelta(hours=hours)
    return Unavailable("429", why=Why.ASKED_TO_WAIT, retry_after=60, asked_until=until)


def test_a_check_that_confirms_again_is_no_news(shop: Connection, scripted: Scripted) -> None:
    before = said(shop)
    for _ in range(3):
        shop = run_check(shop, scripted, CONNECTED)
    assert said(shop) == before


def test_other_evidence_of_a_connected_shop_is_no_news(
    shop: Connection, scripted: Scripted
) -> None:
    before = said(shop)
    run_check(shop, scripted, Connected(shop_id="shop-1", evidence=text("Its key still works.")))
    assert said(shop) == before


def test_a_connected_shop_whose_vendor_is_away_each_night_says_nothing(
    shop: Connection, scripted: Scripted
) -> None:
    before = said(shop)
    for answer in (DOWN, CONNECTED, asked_to_wait(1), CONNECTED, DOWN, DOWN, CONNECTED):
        shop = run_check(shop, scripted, answer)
    assert said(shop) == before


def test_an_outage_is_told_once_to_a_shop_that_waits_for_its_merchant(
    shop: Connection, scripted: Scripted
) -> None:
    before = len(said(shop))
    for answer in (INSTALL, INSTALL, DOWN, DOWN, INSTALL, DOWN, INSTALL, DOWN, INSTALL):
        shop = run_check(shop, scripted, answer)
    assert said(shop)[before:] == ["Install it.", OUTAGE, "Install it."]


def test_each_kind_of_outage_is_told_once_whatever_time_it_names(
    shop: Connection, scripted: Scripted
) -> None:
    before = shop.events.count()
    for number in range(1, 4):
        for answer in (INSTALL, DOWN, INSTALL, asked_to_wait(number)):
            shop = run_check(shop, scripted, answer)
    run_check(shop, scripted, INSTALL)
    said = [event.note["id"] for event in shop.events.order_by("pk")[before:]]
    assert (said.count("Install it."), len({*said}), len(said)) == (3, 3, 5)


def test_an_attempt_tells_of_an_outage_once(people: People, scripted: Scripted) -> None:
    attempt = run_step(begin_attempt(people), scripted, WAIT)
    for answer in (DOWN, WAIT, DOWN, WAIT, DOWN):
        attempt = run_step(attempt, scripted, answer)
    assert said(attempt) == ["…", OUTAGE, "…"]


def test_the_next_attempt_tells_of_it_again(
    shop: Connection, people: People, scripted: Scripted
) -> None:
    for _ in range(2):
        attempt = run_step(journey.reconnect(shop, people.alice), scripted, DOWN)
        assert said(attempt) == [OUTAGE]
        run_step(attempt, scripted, CONNECTED)


def test_an_outage_that_lasts_a_day_is_told_although_it_was_told_before(
    people: People, scripted: Scripted
) -> None:
    attempt = run_step(begin_attempt(people), scripted, WAIT)
    for answer in (DOWN, WAIT, DOWN):
        attempt = run_step(attempt, scripted, answer)
    Attempt.objects.update(since=timezone.now() - timedelta(hours=25))
    attempt = run_step(attempt, scripted, DOWN)
    assert (said(attempt)[-1], attempt.status) == (OUTAGE, "on_it")
    assert attempt.events.order_by("-pk")[0].status == "on_it"


def test_a_week_later_an_outage_is_news_again(shop: Connection, scripted: Scripted) -> None:
    for answer in (INSTALL, DOWN, INSTALL):
        shop = run_check(shop, scripted, answer)
    Event.objects.update(at=timezone.now() - timedelta(days=8))
    assert said(run_check(shop, scripted, DOWN))[-1] == OUTAGE


def test_a_shop_that_needs_its_merchant_again_says_so_each_time(
    shop: Connection, scripted: Scripted
) -> None:
    before = len(said(shop))
    for answer in (INSTALL, CONNECTED, INSTALL, CONNECTED, INSTALL):
        shop = run_check(shop, scripted, answer)
    assert said(shop)[before:].count("Install it.") == 3
