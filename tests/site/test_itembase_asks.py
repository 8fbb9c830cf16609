"""itembase through the site: when a merchant is asked which shop it is, and why they sign in again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

import vendors
from onboarding import journey
from onboarding.catalogue import refresh
from onboarding.models import Alert, Attempt, Breaker, Connection, Connector
from onboarding.models.status import shown
from tests.contract.fixtures import answers
from tests.support.merchant import Browser
from tests.support.people import People
from tests.vendors.itembase.contract import at_the_desk
from vendors import sandbox

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]
TOKENS, API = "GET /accounts/oauth/v2/token", "GET /api/v1/users/{user}/instances"
EMAIL = "agency@shop.example"  # one itembase user for both businesses
LOST = "We did not receive itembase’s answer. Please allow access again."
OVER = "The permission from itembase expired before we could use it"


@pytest.fixture
def stage(tmp_path: Path, settings: Settings) -> Iterator[sandbox.Running]:
    running = sandbox.start(tmp_path, vendors=["itembase"])
    settings.VENDORS = vendors.load(sandbox.environ(running.url, "itembase"))
    refresh.refresh_catalogue(settings.VENDORS.offered["itembase"])
    yield running
    running.stop()


@pytest.fixture
def alice(people: People, stage: sandbox.Running) -> Browser:
    return Browser(people.alice, people.acme)


@pytest.fixture
def charlie(people: People, stage: sandbox.Running) -> Browser:
    return Browser(people.charlie, people.other)


def leave(browser: Browser, name: str = "My shop") -> str:
    return browser.connect(Connector.objects.get(slug="itembase-ebay"), name)


def connect(browser: Browser, name: str = "My shop") -> Attempt:
    browser.travel(leave(browser, name), email=EMAIL)
    return Attempt.objects.latest("pk")


def connect_adding_nothing(browser: Browser, stage: sandbox.Running) -> Attempt:
    """itembase's process page sends the merchant back, and no shop was added."""
    back = browser.at_vendor(leave(browser), "approve", email=EMAIL)
    newest = stage.state("itembase")["connections"][-1]["id"]
    stage.change("itembase", "connections", {"id": newest}, removed=True)
    browser.travel(back, email=EMAIL)
    return Attempt.objects.latest("pk")


def disconnect(browser: Browser) -> None:
    shop = Connection.objects.exclude(status="disconnected").get()
    browser.press(f"{shop.get_absolute_url()}disconnect/")


def labels(attempt: Attempt) -> list[str]:
    return [shown(label) for _, label in attempt.questions[0]["choices"]]


# -- which shop it is ------------------------------------------------------------------------------


def test_a_first_shop_is_taken_without_a_question(alice: Browser) -> None:
    assert connect(alice).answer == "connected"


def test_a_shop_that_another_business_gave_up_is_not_taken_without_a_question(
    alice: Browser, charlie: Browser, stage: sandbox.Running
) -> None:
    connect(alice)
    disconnect(alice)
    attempt = connect_adding_nothing(charlie, stage)
    page = charlie.page(attempt.get_absolute_url())
    assert (attempt.answer, attempt.connection.shop_id) == ("ask", "")
    assert "Is this the shop?" in page
    used, none = labels(attempt)
    assert used.startswith("eBay shop with the itembase ID …")
    assert ", connected to us until today " in used
    assert none == "No, add another eBay shop"


@pytest.mark.parametrize("choose", ["eBay shop with the itembase ID", "No, add another"])
def test_the_answer_connects_that_shop_or_a_new_one(
    alice: Browser, charlie: Browser, stage: sandbox.Running, choose: str
) -> None:
    old = connect(alice).connection.shop_id
    disconnect(alice)
    attempt = connect_adding_nothing(charlie, stage)
    page = attempt.get_absolute_url()
    charlie.travel(charlie.press(f"{page}answer/", **answers(attempt, choose)), email=EMAIL)
    attempt.refresh_from_db()
    shop = Connection.objects.get(pk=attempt.connection_id)
    assert attempt.answer == "connected"
    assert (shop.shop_id == old) == choose.startswith("eBay shop")


def test_a_shop_that_was_at_itembase_before_is_asked_about_too(
    alice: Browser, charlie: Browser, stage: sandbox.Running
) -> None:
    """Its user is known here, and nobody has connected it."""
    connect(alice)
    at_the_desk(stage, do="add", component="6", store="An older store")
    attempt = connect_adding_nothing(charlie, stage)
    assert attempt.answer == "ask"
    shop, none = labels(attempt)
    assert shop.startswith("eBay shop first seen today ")
    assert none == "No, add another eBay shop"


def test_a_business_that_comes_back_is_asked_about_its_own_former_shop(
    alice: Browser, stage: sandbox.Running
) -> None:
    connect(alice)
    disconnect(alice)
    attempt = connect_adding_nothing(alice, stage)
    assert (attempt.answer, len(labels(attempt))) == ("ask", 2)


def test_of_several_shops_none_may_be_meant(
    alice: Browser, charlie: Browser, stage: sandbox.Running
) -> None:
    connect(alice)
    disconnect(alice)
    attempt = connect(charlie)
    assert "Which eBay shop do you want to connect?" in charlie.page(attempt.get_absolute_url())
    assert labels(attempt)[-1] == "No, add another eBay shop"
    assert len(labels(attempt)) == 3


def test_a_shop_that_is_new_since_the_last_list_is_taken_without_a_question(
    alice: Browser, stage: sandbox.Running
) -> None:
    connect(alice)
    disconnect_at = Connection.objects.get()
    attempt = connect(alice, "My second shop")
    assert attempt.answer == "connected"
    assert attempt.connection.shop_id != disconnect_at.shop_id


# -- why they sign in again ------------------------------------------------------------------------


def with_a_code(browser: Browser) -> str:
    """The address with which itembase's sign-in sends the merchant back."""
    further = browser.come_back(browser.at_vendor(leave(browser), "approve"))
    return browser.at_vendor(further, "approve")


def test_after_a_lost_answer_the_page_says_why_access_is_asked_for_again(
    alice: Browser, stage: sandbox.Running
) -> None:
    back = with_a_code(alice)
    stage.fault("itembase", TOKENS, kind="reset", when="after")
    alice.travel(back)
    attempt = Attempt.objects.get()
    assert attempt.answer == "unavailable"
    page = attempt.get_absolute_url()
    alice.press(f"{page}continue/")
    for _ in range(2):
        assert LOST in alice.page(page)
        journey.advance(attempt.pk)
    alice.travel(alice.press(f"{page}continue/"))
    attempt.refresh_from_db()
    assert attempt.answer == "connected"


@pytest.mark.parametrize(
    "kind", [{"kind": "status", "status": 503}, {"kind": "status", "status": 429}]
)
def test_an_answer_that_was_not_lost_is_not_called_lost(
    alice: Browser, stage: sandbox.Running, kind: dict[str, object]
) -> None:
    back = with_a_code(alice)
    stage.fault("itembase", TOKENS, **kind)  # type: ignore[arg-type]
    stage.change("itembase", "codes", {}, expires_at=0)
    alice.travel(back)
    attempt = Attempt.objects.get()
    alice.press(f"{attempt.get_absolute_url()}continue/")
    page = alice.page(attempt.get_absolute_url())
    assert OVER in page
    assert LOST not in page


def test_reconnecting_at_once_after_access_was_revoked_leads_to_a_new_sign_in(
    alice: Browser, stage: sandbox.Running
) -> None:
    connect(alice)
    at_the_desk(stage, do="revoke")
    shop = Connection.objects.get()
    link = alice.press(f"{shop.get_absolute_url()}reconnect/")
    assert "/accounts/oauth/v2/auth?" in link
    assert not Alert.objects.exists()
    alice.travel(link, email=EMAIL)
    assert Attempt.objects.latest("pk").answer == "connected"


def test_a_check_at_once_after_access_was_revoked_asks_for_a_sign_in(
    alice: Browser, stage: sandbox.Running
) -> None:
    connect(alice)
    at_the_desk(stage, do="revoke")
    Connection.objects.update(due_at=timezone.now())
    journey.check(Connection.objects.get().pk)
    shop = Connection.objects.get()
    assert (shop.status, shop.sentence) == ("action_needed", "Sign in at itembase again.")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_merchants_token_is_no_refusal_of_our_credentials(
    alice: Browser, stage: sandbox.Running, status: int
) -> None:
    """Neither a renewal nor a new sign-in helps: staff look, and nobody is sent round for ever."""
    stage.fault("itembase", API, kind="status", status=status, times=None)
    attempt = connect(alice)
    assert (attempt.turn, attempt.cause) == ("staff", f"refused-{status}")
    assert [alert.cause for alert in Alert.objects.all()] == [f"refused-{status}"]
    assert not Breaker.objects.filter(cause="credentials").exists()
    stage.clear()
    Attempt.objects.update(due_at=timezone.now())
    journey.advance(attempt.pk)
    assert Attempt.objects.get().answer == "connected"
