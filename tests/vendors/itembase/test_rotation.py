"""itembase: two shops of one account, played through the site: a sign-in is renewed once for both."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connections
from django.utils import timezone
from pytest_django.fixtures import Settings

import vendors
from onboarding import journey
from onboarding.catalogue import refresh
from onboarding.models import Account, Connection, Connector
from onboarding.models.memo import readable
from tests.support.merchant import Browser, wait_until_idle
from tests.support.people import People
from tests.vendors.itembase.contract import at_the_desk, first_shop
from vendors import sandbox

TOKEN = "GET /accounts/oauth/v2/token"


@pytest.fixture
def stage(tmp_path: Path, settings: Settings, people: People) -> Iterator[sandbox.Running]:
    """A merchant with two shops, whose access token has expired."""
    running = sandbox.start(tmp_path, vendors=["itembase"])
    settings.VENDORS = vendors.load(sandbox.environ(running.url, "itembase"))
    refresh.refresh_catalogue(settings.VENDORS.offered["itembase"])
    browser = Browser(people.alice, people.acme)
    first_shop(running, browser)
    browser.travel(browser.connect(Connector.objects.get(slug="itembase-ebay"), "My second shop"))
    at_the_desk(running, do="expire")
    yield running
    wait_until_idle()
    running.stop()


def check(shop: Connection) -> None:
    Connection.objects.filter(pk=shop.pk).update(due_at=timezone.now(), confirmed_at=None)
    try:
        journey.check(shop.pk)
    finally:
        connections.close_all()


def test_two_checks_at_once_renew_the_sign_in_once(stage: sandbox.Running) -> None:
    one, two = Connection.objects.order_by("pk")
    before = stage.counts("itembase")["calls"][TOKEN]
    stage.fault("itembase", TOKEN, kind="hold")
    with ThreadPoolExecutor(1) as pool:
        going = pool.submit(check, one)
        stage.wait_until_held("itembase", TOKEN)
        check(two)  # the account's other conversation goes on: this one is put off
        stage.release("itembase", TOKEN)
        going.result(timeout=10)
    check(two)
    assert stage.counts("itembase")["calls"][TOKEN] == before + 1
    assert not Connection.objects.filter(confirmed_at=None).exists()


def test_a_renewal_whose_answer_was_lost_asks_for_a_sign_in(stage: sandbox.Running) -> None:
    shop = Connection.objects.order_by("pk").first()
    assert shop
    stage.play("itembase", "lost", TOKEN)
    for _ in range(2):
        check(shop)
    shop.refresh_from_db()
    assert (shop.status, shop.sentence) == ("action_needed", "Sign in at itembase again.")
    assert "access" in readable(Account.objects.get().memo)


def test_signing_in_again_heals_both_shops(stage: sandbox.Running, people: People) -> None:
    at_the_desk(stage, do="revoke")
    one, two = Connection.objects.order_by("pk")
    check(one)
    check(two)
    browser = Browser(people.alice, people.acme)
    browser.travel(browser.press(f"{one.get_absolute_url()}reconnect/"))
    check(two)
    assert set(Connection.objects.values_list("status", flat=True)) == {"connected"}
    assert stage.counts("itembase")["made"]["connections"] == 2
