"""Returns that come late, twice, in two tabs, or after the attempt has ended: each finds its page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding.models import Attempt, Hop
from tests.support.attempts import CONNECTED
from tests.support.people import People
from tests.support.returns import (
    BACK,
    come_back,
    connected,
    connection_of,
    no_shop_changes,
    nothing_changes,
    open_again,
    page_after_return,
    reconnecting,
    state,
)
from tests.support.scripted import Scripted, offered
from tests.support.sweep import sweep
from tests.support.visit import OPEN, browser, start_attempt, url
from vendors.contract import Declined, Done, Order, Step, Waiting, text

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]
WAIT = Waiting(
    note=text("Wait."), poll_every=timedelta(minutes=1), give_up_after=timedelta(hours=1)
)
DONE = Done(here=text("We no longer use it."), there=text("It stays there."))
AGO = timedelta(days=3)


@pytest.fixture
def attempt(people: People, scripted: Scripted) -> Attempt:
    """Alice has gone to the vendor."""
    return start_attempt(people, scripted, OPEN)


def over(attempt: Attempt) -> None:
    Attempt.objects.filter(pk=attempt.pk).update(deadline=timezone.now())


# -- late ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("expires_at", [None, timezone.now() - AGO, timezone.now() + AGO])
def test_within_seven_days_the_vendor_is_asked_before_anything_is_called_expired(
    people: People, scripted: Scripted, attempt: Attempt, expires_at: Any
) -> None:
    Hop.objects.update(
        expires_at=expires_at, minted=timezone.now() - AGO, taken=timezone.now() - AGO
    )
    scripted.script.append(CONNECTED)
    alice = browser(people.alice)
    assert "is connected" in page_after_return(alice, come_back(alice, attempt))
    assert scripted.calls == ["start", "returned"]


def test_after_seven_days_it_was_left_too_long(
    people: People, scripted: Scripted, attempt: Attempt
) -> None:
    over(attempt)
    alice = browser(people.alice)
    page = page_after_return(alice, come_back(alice, attempt, code="c"))
    assert "was not finished within 7 days" in page
    assert "Start again" in page
    assert scripted.calls == ["start"]


def test_after_the_sweep_has_ended_it_the_page_is_the_same(
    people: People, scripted: Scripted, attempt: Attempt
) -> None:
    over(attempt)
    sweep()
    alice = browser(people.alice)
    with no_shop_changes():
        assert "was not finished within 7 days" in page_after_return(
            alice, come_back(alice, attempt)
        )
    assert scripted.calls == ["start"]


def test_left_too_long_a_repair_lowers_no_working_shop(people: People, scripted: Scripted) -> None:
    attempt = reconnecting(people, scripted)
    over(attempt)
    alice = browser(people.alice)
    with no_shop_changes():
        assert "was not finished within 7 days" in page_after_return(
            alice, come_back(alice, attempt)
        )
    assert connection_of(attempt).status == "connected"


def test_signed_in_too_late_it_was_left_too_long(
    people: People, scripted: Scripted, attempt: Attempt
) -> None:
    come_back(browser(of=people.alice), attempt, code="c")
    over(attempt)
    page = browser(people.alice).get(attempt.get_absolute_url())
    assert "was not finished within 7 days" in page.content.decode()
    assert scripted.calls == ["start"]


# -- twice ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("odd", [{"error": "access_denied"}, {"code": "another"}, {}])
def test_repeated_it_is_the_same_page_whatever_it_brings(
    people: People, scripted: Scripted, odd: dict[str, str]
) -> None:
    alice, attempt = browser(people.alice), start_attempt(people, scripted, OPEN)
    params = {"state": state(attempt), "code": "c"}
    scripted.script.append(CONNECTED)
    alice.get(BACK, params)
    with nothing_changes():
        assert "is connected" in page_after_return(alice, alice.get(BACK, {**params, **odd}))


def test_a_second_tab_that_returns_later_changes_nothing(
    people: People, scripted: Scripted, attempt: Attempt
) -> None:
    alice, first = browser(people.alice), state(attempt)
    open_again(people, scripted, attempt)
    scripted.script.append(CONNECTED)
    assert "is connected" in page_after_return(alice, alice.get(BACK, {"state": first}))
    with no_shop_changes():
        again = come_back(alice, attempt, error="access_denied")
        assert "is connected" in page_after_return(alice, again)
    assert scripted.calls == ["start", "start", "returned"]


def test_two_tabs_that_return_at_once_end_on_one_page(
    people: People, scripted: Scripted, attempt: Attempt
) -> None:
    alice, first = browser(people.alice), state(attempt)
    open_again(people, scripted, attempt)
    second = state(attempt)

    def meanwhile(order: Order) -> Step:
        twin = alice.get(BACK, {"state": second})
        assert "Checking with Scripted" in page_after_return(alice, twin)
        return WAIT

    scripted.script.extend([meanwhile, CONNECTED])
    assert "is connected" in page_after_return(alice, alice.get(BACK, {"state": first}))
    assert scripted.calls == ["start", "start", "returned", "returned"]


def test_the_same_return_in_two_tabs_at_once_is_asked_about_once(
    people: People, scripted: Scripted, attempt: Attempt
) -> None:
    alice, params = browser(people.alice), {"state": state(attempt)}

    def meanwhile(order: Order) -> Step:
        twin = alice.get(BACK, params)
        assert "Checking with Scripted" in page_after_return(alice, twin)
        return CONNECTED

    scripted.script.append(meanwhile)
    assert "is connected" in page_after_return(alice, alice.get(BACK, params))
    assert scripted.calls == ["start", "returned"]


# -- after something else happened ------------------------------------------------------------------


def test_a_no_during_a_repair_lowers_no_working_shop(people: People, scripted: Scripted) -> None:
    attempt, alice = reconnecting(people, scripted), browser(people.alice)
    scripted.script.append(Declined())
    with no_shop_changes():
        page = page_after_return(alice, come_back(alice, attempt, error="access_denied"))
    assert "You cancelled at Scripted" in page
    assert connection_of(attempt).status == "connected"


def test_after_disconnecting_a_return_brings_nothing_back(
    people: People, scripted: Scripted
) -> None:
    attempt, alice = reconnecting(people, scripted), browser(people.alice)
    scripted.script.append(DONE)
    alice.post(url("disconnect", attempt.connection))
    assert connection_of(attempt).status == "disconnected"
    with no_shop_changes():
        assert "This page is out of date" in page_after_return(
            alice, come_back(alice, attempt, code="c")
        )
    assert scripted.calls[-1] == "end"


def test_a_return_to_a_disabled_vendor_waits_until_it_is_enabled(
    people: People, scripted: Scripted, attempt: Attempt, settings: Settings
) -> None:
    settings.VENDORS = offered()
    alice = browser(people.alice)
    page = page_after_return(alice, come_back(alice, attempt, code="c"))
    assert "Scripted is not available at the moment" in page
    assert "Nothing is lost" in page
    settings.VENDORS = offered(scripted)
    scripted.script.append(CONNECTED)
    Attempt.objects.update(due_at=timezone.now())
    sweep()
    assert scripted.asked[-1][2]["code"] == "c"


def test_switched_off_a_working_shop_stays_connected(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    attempt, alice = reconnecting(people, scripted), browser(people.alice)
    settings.VENDORS = offered()
    with no_shop_changes():
        assert "is not available at the moment" in page_after_return(
            alice, come_back(alice, attempt)
        )


def test_a_return_to_an_unknown_vendor_changes_nothing(people: People, scripted: Scripted) -> None:
    connection, alice = connected(people, scripted), browser(people.alice)
    with nothing_changes():
        back = alice.get(reverse("return", args=["nobody"]), {"code": "c", "state": "s"})
        assert "Nothing was changed" in page_after_return(alice, back)
    assert connection.status == "connected"


def test_a_late_first_tab_does_not_undo_what_the_vendor_still_does(
    people: People, scripted: Scripted, attempt: Attempt
) -> None:
    alice, first = browser(people.alice), state(attempt)
    open_again(people, scripted, attempt)
    scripted.script.append(WAIT)
    assert "still working" in page_after_return(alice, come_back(alice, attempt))
    scripted.script.append(WAIT)
    with no_shop_changes():
        assert "still working" in page_after_return(alice, alice.get(BACK, {"state": first}))
