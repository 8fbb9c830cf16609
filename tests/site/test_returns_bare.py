"""Returns without our state: from a page that has none, or from a flow that the vendor began."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from onboarding.models import Attempt, Membership
from tests.support.attempts import CONNECTED
from tests.support.people import People
from tests.support.returns import (
    BACK,
    LOST,
    NOT_KNOWN,
    NOT_YOURS,
    nothing_changes,
    open_again,
    page_after_return,
    reconnecting,
    state,
)
from tests.support.scripted import Scripted
from tests.support.visit import LINK, OPEN, browser, start_attempt
from vendors.contract import Redirect, Waiting, text

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]
BARE = Redirect(url=LINK, bare=True)
WAIT = Waiting(
    note=text("Wait."), poll_every=timedelta(minutes=1), give_up_after=timedelta(hours=1)
)
FOREIGN = [{}, {"code": "theirs"}, {"ibsstoken": "theirs"}, {"error": "x"}, {"code": "c", "a": "b"}]


@pytest.fixture
def attempt(people: People, scripted: Scripted) -> Attempt:
    """Alice has gone to a page of the vendor that sends her back without our state."""
    return start_attempt(people, scripted, BARE)


@pytest.fixture
def alice(people: People) -> Client:
    return browser(people.alice)


@pytest.mark.parametrize("foreign", FOREIGN)
def test_the_one_open_attempt_is_checked_and_the_parameters_are_ignored(
    scripted: Scripted, attempt: Attempt, alice: Client, foreign: dict[str, str]
) -> None:
    scripted.script.append(CONNECTED)
    assert "is connected" in page_after_return(alice, alice.get(BACK, foreign))
    assert scripted.asked[-1][::2] == ("returned", {})


def test_brought_twice_it_is_the_same_page_and_one_question(
    scripted: Scripted, attempt: Attempt, alice: Client
) -> None:
    scripted.script.append(WAIT)
    page_after_return(alice, alice.get(BACK))
    with nothing_changes():
        assert "still working" in page_after_return(alice, alice.get(BACK))


def test_two_tabs_of_one_attempt_are_one_question(
    people: People, scripted: Scripted, attempt: Attempt, alice: Client
) -> None:
    scripted.script.append(BARE)
    alice.post(f"{attempt.get_absolute_url()}continue/")
    scripted.script.append(WAIT)
    assert "still working" in page_after_return(alice, alice.get(BACK))
    with nothing_changes():
        assert "still working" in page_after_return(alice, alice.get(BACK))


def test_a_head_or_a_look_ahead_spends_nothing(attempt: Attempt, alice: Client) -> None:
    with nothing_changes():
        alice.head(BACK)
        alice.get(BACK, headers={"Sec-Purpose": "prefetch"})


def test_two_open_attempts_are_ambiguous(
    people: People, scripted: Scripted, attempt: Attempt, alice: Client
) -> None:
    start_attempt(people, scripted, BARE, name="My second shop")
    with nothing_changes():
        assert NOT_YOURS in page_after_return(alice, alice.get(BACK))


@pytest.mark.parametrize("foreign", ["made-up", "1"])
def test_with_a_foreign_state_it_is_another_attempt(
    attempt: Attempt, alice: Client, foreign: str
) -> None:
    with nothing_changes():
        assert NOT_YOURS in page_after_return(alice, alice.get(BACK, {"state": foreign}))


def test_without_a_login_nothing_is_checked(attempt: Attempt) -> None:
    client = browser()
    with nothing_changes():
        page = page_after_return(client, client.get(BACK))
    assert NOT_KNOWN in page
    assert "Sign in to continue where you left off" in page


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_another_user_checks_nothing(people: People, attempt: Attempt, who: str) -> None:
    client = browser(getattr(people, who))
    with nothing_changes():
        assert NOT_YOURS in page_after_return(client, client.get(BACK))


def test_who_left_the_business_checks_nothing(
    people: People, attempt: Attempt, alice: Client
) -> None:
    Membership.objects.filter(user=people.alice).delete()
    with nothing_changes():
        assert NOT_YOURS in page_after_return(alice, alice.get(BACK))


def test_at_another_vendor_it_is_nothing(attempt: Attempt, alice: Client) -> None:
    with nothing_changes():
        back = alice.get(reverse("return", args=["nobody"]))
        assert NOT_YOURS in page_after_return(alice, back)


def test_after_the_end_it_is_nothing(attempt: Attempt, alice: Client) -> None:
    Attempt.objects.update(ended=timezone.now(), ending="replaced")
    with nothing_changes():
        assert NOT_YOURS in page_after_return(alice, alice.get(BACK))


def test_after_seven_days_it_was_left_too_long(
    scripted: Scripted, attempt: Attempt, alice: Client
) -> None:
    Attempt.objects.update(deadline=timezone.now())
    assert "was not finished within 7 days" in page_after_return(alice, alice.get(BACK))
    assert scripted.calls == ["start"]


def test_an_attempt_with_a_state_does_not_return_without_it(
    people: People, scripted: Scripted, alice: Client
) -> None:
    start_attempt(people, scripted, OPEN)
    with nothing_changes():
        assert NOT_YOURS in page_after_return(alice, alice.get(BACK, {"code": "c"}))


@pytest.mark.parametrize("signed_in", [True, False])
def test_from_a_flow_that_the_vendor_began_one_may_begin_ours(
    people: People, scripted: Scripted, signed_in: bool
) -> None:
    """Its code is bound to no account: somebody else may have made it."""
    reconnecting(people, scripted)
    client = browser(people.alice if signed_in else None)
    with nothing_changes():
        response = client.get(BACK, {"code": "theirs"})
        page = page_after_return(client, response)
    assert "Connect a shop" in page
    assert reverse("catalogue") in client.get(LOST).content.decode()
    assert "theirs" not in scripted.asked.__repr__()


def test_a_state_takes_precedence_over_an_open_attempt_without_one(
    people: People, scripted: Scripted, attempt: Attempt, alice: Client
) -> None:
    second = start_attempt(people, scripted, OPEN, name="My second shop")
    open_again(people, scripted, second)
    scripted.script.append(WAIT)
    page = page_after_return(alice, alice.get(BACK, {"state": state(second)}))
    assert "My second shop" in page
