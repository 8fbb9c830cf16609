"""The page of an ended attempt says why it has ended, whatever its last answer was."""

from __future__ import annotations

import pytest
from django.db import IntegrityError
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding import journey
from onboarding.models import Attempt, Connection
from onboarding.models.status import Ending
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.visit import OPEN, browser, start_attempt, url, visible_text
from tests.unit.test_memo import lose_keys
from vendors.contract import Done, text

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]
GONE = Done(here=text("The shops are disconnected."), there=text("It is gone."), ends=True)
DONE = Done(here=text("Done here."), there=text("Done there."))
UNTRUE = "Something newer was started after this"


def said(people: People, attempt: Attempt) -> str:
    return visible_text(browser(people.alice).get(attempt.get_absolute_url()))


@pytest.fixture
def shop(people: People, scripted: Scripted) -> Connection:
    return run_step(begin_attempt(people), scripted, CONNECTED).connection


def test_a_pause_with_lost_keys_says_to_connect_once_more(
    people: People, scripted: Scripted, shop: Connection, settings: Settings
) -> None:
    lose_keys(settings)
    alice = browser(people.alice)
    alice.post(url("pause", shop))
    attempt = shop.attempts.get(purpose="pause")
    page = said(people, attempt)
    assert "We can no longer use the access that Scripted gave us for this shop." in page
    assert UNTRUE not in page
    scripted.script.append(OPEN)
    assert alice.post(url("reconnect", shop)).status_code == 303


def test_after_staff_deleted_the_account_the_attempt_says_so(
    people: People, scripted: Scripted
) -> None:
    attempt = start_attempt(people, scripted, OPEN)
    scripted.script.append(GONE)
    journey.act(attempt.connection_id, "burn", {"code": "1"})
    page = said(people, attempt)
    assert "Your account at Scripted was deleted" in page
    assert UNTRUE not in page


def test_what_was_replaced_says_so(people: People, scripted: Scripted) -> None:
    attempt = start_attempt(people, scripted, OPEN)
    scripted.script.append(DONE)
    browser(people.alice).post(url("disconnect", attempt.connection))
    assert UNTRUE in said(people, attempt)
    assert Attempt.objects.get(pk=attempt.pk).ending == Ending.REPLACED


def test_what_was_reached_and_has_changed_since_is_told_in_the_past(
    people: People, scripted: Scripted, shop: Connection
) -> None:
    connecting = shop.attempts.get()
    assert "“My shop” is connected" in said(people, connecting)
    scripted.script.append(DONE)
    browser(people.alice).post(url("disconnect", shop))
    assert "“My shop” was connected" in said(people, connecting)
    assert "“My shop” is disconnected" in said(people, shop.attempts.get(purpose="end"))


@pytest.mark.parametrize("ending", list(Ending))
def test_every_ending_has_a_page(people: People, shop: Connection, ending: Ending) -> None:
    Attempt.objects.update(ending=ending)
    for purpose in Attempt.Purpose:
        Attempt.objects.update(purpose=purpose)
        assert browser(people.alice).get(shop.attempts.get().get_absolute_url()).status_code == 200


def test_an_attempt_cannot_end_without_a_reason(people: People, scripted: Scripted) -> None:
    attempt = begin_attempt(people)
    with pytest.raises(IntegrityError):
        Attempt.objects.filter(pk=attempt.pk).update(ended=timezone.now())
