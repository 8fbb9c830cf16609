"""Replies that can be read, and neither stored nor sent: unreadable at once, by the name of the field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection as database
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

import vendors
from onboarding import journey
from onboarding.catalogue import refresh
from onboarding.models import Account, Alert, Attempt, Connection, Connector
from onboarding.models.memo import readable
from tests.contract.fixtures import resolve
from tests.support.attempts import CONNECTED, begin_attempt, reloaded, run_check, run_step
from tests.support.merchant import Browser
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.staff import page_text, staff_client
from vendors import sandbox
from vendors.contract import Connected, Done, Progress, text

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]
INSTANCES = "GET /api/v1/users/{user}/instances"
TOKENS = "GET /accounts/oauth/v2/token"


@pytest.fixture
def stage(tmp_path: Path, settings: Settings) -> Iterator[sandbox.Running]:
    running = sandbox.start(tmp_path)
    settings.VENDORS = vendors.load(sandbox.environ(running.url, "itembase", "sharespine"))
    for vendor in settings.VENDORS.offered.values():
        refresh.refresh_catalogue(vendor)
    yield running
    running.stop()


@pytest.fixture
def alice(people: People, stage: sandbox.Running) -> Browser:
    return Browser(people.alice, people.acme)


def connect(browser: Browser, slug: str = "itembase-ebay") -> Attempt:
    browser.travel(browser.connect(Connector.objects.get(slug=slug), "My shop"))
    return Attempt.objects.get()


def ask_again(attempt: Attempt) -> Attempt:
    """It is due again, as it would be a minute later."""
    Attempt.objects.filter(pk=attempt.pk).update(due_at=timezone.now())
    journey.advance(attempt.pk)
    return reloaded(attempt)


def seen_by_staff(attempt: Attempt) -> str:
    return page_text(
        staff_client().get(reverse("admin:onboarding_attempt_change", args=[attempt.pk]))
    )


@pytest.mark.parametrize("before", ["\0", "ł", "x" * 201, "\u2028", "\ud800"], ids=ascii)
def test_an_id_that_no_column_takes_is_garbled_until_it_is_well_again(
    alice: Browser, stage: sandbox.Running, before: str
) -> None:
    stage.fault("itembase", INSTANCES, kind="texts", times=None, before=before)
    attempt = connect(alice)
    for _ in range(6):  # more often than a bug would be tried
        assert (attempt.answer, attempt.crashes) == ("garbled", 0)
        assert "answered 200, unreadable: " in attempt.detail
        attempt = ask_again(attempt)
    assert "Our staff know" in alice.page(attempt.get_absolute_url())
    assert "unreadable: " in seen_by_staff(attempt)
    stage.clear()
    assert ask_again(attempt).answer == "connected"


@pytest.mark.parametrize("before", ["\0", "ł", "x" * 5000], ids=["nul", "l", "long"])
def test_a_token_that_no_header_takes_is_garbled_and_not_kept(
    alice: Browser, stage: sandbox.Running, before: str
) -> None:
    stage.fault("itembase", TOKENS, kind="texts", before=before)
    attempt = connect(alice)
    assert attempt.answer == "garbled"
    assert "unreadable: access_token(" in attempt.detail
    assert before not in attempt.detail
    assert Account.objects.get().memo == {}


def test_a_stored_token_that_cannot_be_sent_is_named_and_is_no_poison(
    alice: Browser, stage: sandbox.Running
) -> None:
    """It came before replies were checked."""
    connect(alice)
    account, shop = Account.objects.get(), Connection.objects.get()
    account.memo = {**readable(account.memo), "access": "ł"}
    account.save()
    for _ in range(6):
        Connection.objects.update(due_at=timezone.now())
        journey.check(shop.pk)
        shop.refresh_from_db()
        assert (shop.status, shop.answer, shop.crashes) == ("connected", "garbled", 0)
    assert shop.detail.endswith("/instances cannot be sent: Authorization(not_ascii)")


@pytest.mark.parametrize("before", ["\0", "ł", "x" * 201], ids=["nul", "l", "long"])
def test_a_creation_with_an_odd_id_is_unsure_and_the_field_stays_named(
    alice: Browser, stage: sandbox.Running, before: str
) -> None:
    stage.fault("sharespine", "POST /reseller/tenant", kind="texts", before=before)
    attempt = connect(alice, "sharespine-shop")
    for _ in range(2):
        assert (attempt.answer, attempt.connection.account.unsure) == ("unsure", "tenant")
        assert "answered 201, unreadable: codeName(" in attempt.detail
        assert "a tenant for the customer reference" in attempt.detail
        assert "unreadable: codeName(" in seen_by_staff(attempt)
        journey.ask_now(attempt.connection)
        attempt = ask_again(attempt)
    assert stage.counts("sharespine")["made"] == {"tenants": 1}
    resolve(stage, attempt.connection.account)
    assert ask_again(attempt).answer == "redirect"


def test_a_byte_order_mark_before_every_answer_changes_nothing(
    alice: Browser, stage: sandbox.Running
) -> None:
    for vendor in ("itembase", "sharespine"):
        stage.fault(vendor, kind="bom", times=None)
    assert connect(alice).answer == "connected"
    alice.connect(Connector.objects.get(slug="sharespine-shop"), "My other shop")
    assert Attempt.objects.latest("pk").answer == "redirect"
    assert not Alert.objects.exists()


# -- the last defence: what a vendor's module hands on without looking -----------------------------

UNSTORABLE = "\udcff"  # on both databases; PostgreSQL refuses U+0000 and 251 letters, too


@pytest.mark.parametrize("shop_id", [UNSTORABLE, "\0", "x" * 251], ids=ascii)
def test_an_answer_that_cannot_be_stored_is_garbled(
    people: People, scripted: Scripted, shop_id: str
) -> None:
    refused = shop_id == UNSTORABLE or database.vendor == "postgresql"
    attempt = run_step(
        begin_attempt(people), scripted, Connected(shop_id=shop_id, evidence=text("…"))
    )
    if refused:
        assert (attempt.answer, attempt.crashes) == ("garbled", 0)
        assert "what the vendor answered cannot be stored (Connected, " in attempt.detail
        attempt = run_step(attempt, scripted, CONNECTED)
    assert attempt.answer == "connected"


def test_a_check_that_cannot_be_stored_leaves_the_shop_connected(
    people: People, scripted: Scripted
) -> None:
    shop = run_step(begin_attempt(people), scripted, CONNECTED).connection
    never = datetime.max.replace(tzinfo=UTC)
    shop = run_check(shop, scripted, replace(CONNECTED, expires_at=never))
    assert (shop.status, shop.answer, shop.crashes) == ("connected", "garbled", 0)
    assert "cannot be stored (Connected, OverflowError)" in shop.detail


def test_a_creation_whose_answer_cannot_be_stored_is_looked_for(
    people: People, scripted: Scripted
) -> None:
    attempt = begin_attempt(people)
    made = Progress(account_key=UNSTORABLE, promote=True, account={}, done=("room",))
    attempt = run_step(attempt, scripted, Progress(announce="room"), made, CONNECTED)
    assert [order.unsure for _, order, _ in scripted.asked] == ["", "", "room"]
    assert attempt.answer == "connected"


def test_staff_are_told_that_what_their_action_answered_cannot_be_stored(
    people: People, scripted: Scripted
) -> None:
    shop = run_step(begin_attempt(people), scripted, CONNECTED).connection
    scripted.script.append(Done(here=text("…"), there=text("…"), staff_task=UNSTORABLE))
    outcome = journey.act(shop.pk, "tidy", {})
    assert "cannot be stored" in str(outcome)
