"""Odd returns from itembase's own pages, over real HTTP: states, tokens and codes of its two hops."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from pytest_django.fixtures import Settings

import vendors
from onboarding.catalogue import refresh
from onboarding.models import Account, Attempt, Connection, Connector
from tests.support.merchant import Browser
from tests.support.people import People
from tests.support.returns import NOT_YOURS, nothing_changes, page_after_return
from tests.support.visit import visible_text
from vendors import sandbox

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]
BACK = "/return/itembase/"
TOKENS = "GET /accounts/oauth/v2/token"


@pytest.fixture
def stage(tmp_path: Path, settings: Settings) -> Iterator[sandbox.Running]:
    running = sandbox.start(tmp_path)
    settings.VENDORS = vendors.load(sandbox.environ(running.url, "itembase"))
    refresh.refresh_catalogue(settings.VENDORS.offered["itembase"])
    yield running
    running.stop()


@pytest.fixture
def alice(people: People, stage: sandbox.Running) -> Browser:
    return Browser(people.alice, people.acme)


def set_out(browser: Browser, name: str = "My shop") -> str:
    """To itembase's process page."""
    return browser.connect(Connector.objects.get(slug="itembase-ebay"), name)


def processed(browser: Browser, name: str = "My shop", case: str = "approve") -> dict[str, str]:
    """What itembase's process page sends back."""
    return query(browser.at_vendor(set_out(browser, name), case))


def signed_in(browser: Browser, name: str = "My shop", case: str = "approve") -> dict[str, str]:
    """What itembase's sign-in sends back, after the process page."""
    further = bring(browser, processed(browser, name))
    return query(browser.at_vendor(further, case))


def approved(browser: Browser, url: str) -> dict[str, str]:
    """What the page behind this link sends back."""
    return query(browser.at_vendor(url, "approve"))


def query(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    assert parts.path == BACK
    return dict(parse_qsl(parts.query))


def bring(browser: Browser, params: dict[str, str]) -> str:
    """Come back with these; where it leads."""
    return browser.come_back(f"{BACK}?{urlencode(params)}")


def read(browser: Browser, params: dict[str, str]) -> str:
    """Come back with these; what one reads then."""
    return page_after_return(browser.client, browser.client.get(BACK, params))


def test_the_token_of_another_attempt_is_refused_and_both_go_on(alice: Browser) -> None:
    first, second = processed(alice), processed(alice, "My second shop")
    page = read(alice, {"state": first["state"], "ibsstoken": second["ibsstoken"]})
    assert "a link for another shop, so nothing was changed." in page
    assert not Connection.objects.exclude(shop_id="").exists()
    assert Account.objects.get().memo == {}
    assert "accounts/oauth/v2/auth" in bring(alice, second)


def test_a_token_without_our_state_belongs_to_no_attempt(alice: Browser) -> None:
    mine = processed(alice)
    for odd in ({}, {"state": "made-up"}, {"state": mine["ibsstoken"]}):
        with nothing_changes():
            assert NOT_YOURS in read(alice, {"ibsstoken": mine["ibsstoken"], **odd})


def test_a_made_up_token_is_refused(alice: Browser) -> None:
    page = read(alice, {**processed(alice), "ibsstoken": "made-up"})
    assert "That link was for another shop" in page
    assert "Try again" in page


def test_with_neither_token_nor_error_itembase_is_asked_all_the_same(alice: Browser) -> None:
    """A return proves nothing, so it needs no parameters."""
    mine = processed(alice)
    assert "accounts/oauth/v2/auth" in bring(alice, {"state": mine["state"]})


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ("access_denied", "You cancelled at itembase"),
        ("The user has cancelled.", "You cancelled at itembase"),
        ("The token has expired.", "Your link has expired"),
        ("invalid_scope", "Our staff know"),
        ("\0\ufffd<b>", "Not connected yet: itembase reported an error"),
    ],
)
def test_an_error_says_what_happened_and_connects_nothing(
    alice: Browser, error: str, says: str
) -> None:
    page = read(alice, {**processed(alice), "error": error})
    assert says in page
    assert Connection.objects.get().shop_id == ""
    assert Account.objects.get().memo == {}


def test_an_error_at_the_sign_in_is_a_stop_half_way(alice: Browser) -> None:
    page = read(alice, signed_in(alice, case="decline"))
    assert "Not connected yet: you cancelled at itembase" in page
    assert Account.objects.get().memo == {}


def test_a_sign_in_without_a_code_is_a_stop_half_way(alice: Browser) -> None:
    mine = signed_in(alice)
    page = read(alice, {"state": mine["state"]})
    assert "You came back from itembase before you signed in there." in page


def test_the_code_of_a_flow_that_itembase_began_is_bound_to_no_one(
    alice: Browser, stage: sandbox.Running
) -> None:
    code = signed_in(alice)["code"]
    with nothing_changes():
        page = read(alice, {"code": code})
    assert NOT_YOURS in page
    assert "Connect a shop" in page
    assert TOKENS not in stage.counts("itembase")["calls"]


def test_somebody_elses_code_and_state_sign_no_one_in(
    alice: Browser, people: People, stage: sandbox.Running
) -> None:
    theirs = signed_in(Browser(people.charlie, people.other), "Charlie's")
    with nothing_changes():
        assert NOT_YOURS in read(alice, theirs)
    assert TOKENS not in stage.counts("itembase")["calls"]


def test_a_state_of_the_first_hop_takes_no_code(alice: Browser, stage: sandbox.Running) -> None:
    code = signed_in(alice, "My second shop")["code"]
    first = processed(alice)
    assert "accounts/oauth/v2/auth" in bring(alice, {**first, "code": code})
    assert TOKENS not in stage.counts("itembase")["calls"]
    assert Account.objects.get().memo == {}


def test_a_code_gone_stale_while_signing_in_is_one_button_and_a_fresh_hop(
    alice: Browser, people: People, stage: sandbox.Running
) -> None:
    mine = signed_in(alice)
    alice.press("/accounts/logout/")
    assert "/accounts/login/" in bring(alice, mine)
    stage.change("itembase", "codes", {}, expires_at=0)
    alice.client.force_login(people.alice)
    attempt = Attempt.objects.get()
    assert "Continue to itembase" in visible_text(alice.client.get(attempt.get_absolute_url()))
    fresh = alice.press(f"{attempt.get_absolute_url()}continue/")
    assert "accounts/oauth/v2/auth" in fresh
    assert "is connected" in read(alice, approved(alice, fresh))


def test_a_stale_code_causes_no_redirect_loop(alice: Browser) -> None:
    mine = signed_in(alice, case="expired")
    assert "Continue to itembase" in read(alice, mine)
    with nothing_changes():
        assert "Continue to itembase" in read(alice, mine)


def test_a_code_is_spent_once_however_often_it_is_brought(
    alice: Browser, stage: sandbox.Running
) -> None:
    mine = signed_in(alice)
    for _ in range(3):
        assert "is connected" in read(alice, mine)
    assert stage.counts("itembase")["calls"][TOKENS] == 1


def test_from_the_activation_one_returns_without_a_state_and_is_checked(alice: Browser) -> None:
    further = bring(alice, processed(alice, case="unactivated"))
    activation = bring(alice, approved(alice, further))
    assert "/solution/finish/" in activation
    assert alice.at_vendor(activation, "approve").endswith(BACK)
    assert "is connected" in read(alice, {"code": "theirs", "error": "theirs"})


def test_a_look_at_the_activation_that_ended_nothing_says_what_is_missing(alice: Browser) -> None:
    further = bring(alice, processed(alice, case="unactivated"))
    activation = bring(alice, approved(alice, further))
    alice.at_vendor(activation, "decline")
    assert "Allow itembase to share your eBay shop" in read(alice, {})
    with nothing_changes():
        assert "Allow itembase to share your eBay shop" in read(alice, {})
