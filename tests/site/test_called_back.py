"""The pages of an attempt call somebody back: what they note, promise and show in the tab, and the way in."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from onboarding import journey
from onboarding.models import Attempt, Notice
from tests.support.attempts import CONNECTED, WAIT, begin_attempt, reloaded, run_step
from tests.support.notices import told
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.visit import browser, url, visible_text
from vendors.contract import Done, NeedsMerchant, text

pytestmark = pytest.mark.both
TO_DO = NeedsMerchant(code="app", note=text("Install the app."))


@pytest.fixture
def waiting(people: People, scripted: Scripted) -> Attempt:
    """Alice’s attempt, for which the vendor is working."""
    return run_step(begin_attempt(people), scripted, WAIT)


def poll(client: Client, attempt: Attempt) -> str:
    page = url("attempt-status", attempt)
    return client.get(page, {"look": 1, "version": 0}, headers={"HX-Request": "true"}).text


def title(html: str) -> str:
    found = re.search(r"<title>(.*?)</title>", html, re.DOTALL)
    assert found
    return " ".join(found[1].split())


@pytest.mark.parametrize("way", ["page", "poll"])
def test_who_has_the_page_open_gets_no_mail(
    people: People, waiting: Attempt, scripted: Scripted, way: str
) -> None:
    attempt, alice = run_step(waiting, scripted, TO_DO), browser(people.alice)
    if way == "page":
        alice.get(attempt.get_absolute_url())
    else:
        poll(alice, attempt)
    assert told() == []


def test_a_page_that_was_closed_in_time_is_mailed_about(
    people: People, waiting: Attempt, scripted: Scripted
) -> None:
    browser(people.alice).get(waiting.get_absolute_url())
    run_step(waiting, scripted, TO_DO)
    browser(people.bob).get(waiting.get_absolute_url())
    assert told() == ["“My shop”: it is your turn"]


def test_a_head_request_sees_nothing(people: People, waiting: Attempt) -> None:
    browser(people.alice).head(waiting.get_absolute_url())
    assert reloaded(waiting).seen_at is None


def test_the_page_promises_the_mail_that_comes(
    people: People, waiting: Attempt, scripted: Scripted
) -> None:
    said = visible_text(browser(people.alice).get(waiting.get_absolute_url()))
    assert "we’ll email alice@example.org when it’s your turn or when it is done" in said
    run_step(waiting, scripted, CONNECTED)
    assert told() == ["“My shop” is connected"]


def test_it_promises_nothing_to_a_colleague_and_nothing_without_a_row(
    people: People, waiting: Attempt
) -> None:
    assert "email" not in visible_text(browser(people.bob).get(waiting.get_absolute_url()))
    Notice.objects.all().delete()
    assert "email" not in visible_text(browser(people.alice).get(waiting.get_absolute_url()))


@pytest.mark.parametrize("confirmed", [True, False])
def test_the_page_of_a_shop_promises_the_mail_about_a_task_of_staff(
    people: People, waiting: Attempt, scripted: Scripted, confirmed: bool
) -> None:
    shop = run_step(waiting, scripted, replace(CONNECTED, confirmed=confirmed)).connection
    by_hand = Done(here=text("We pause."), there=text("It flows."), staff_task="Switch it off.")
    run_step(journey.pause(shop, people.alice), scripted, by_hand)
    promise = "We’ll email alice@example.org when it is done."
    alice, bob = (browser(person) for person in (people.alice, people.bob))
    assert promise in visible_text(alice.get(shop.get_absolute_url()))
    assert "We’ll email" not in visible_text(bob.get(shop.get_absolute_url()))
    journey.complete_task(shop.pk)
    assert "We’ll email" not in visible_text(alice.get(shop.get_absolute_url()))
    assert "“My shop”: it is done" in told()


def test_the_tab_says_whose_turn_it_is(
    people: People, waiting: Attempt, scripted: Scripted
) -> None:
    alice = browser(people.alice)
    page = waiting.get_absolute_url()
    assert title(alice.get(page).text).startswith("Scripted is still working")
    run_step(waiting, scripted, TO_DO)
    one_more = "(1) Your turn · One more step at Scripted"
    assert title(poll(alice, waiting)).startswith(one_more)
    assert title(alice.get(page).text).startswith(one_more)
    run_step(waiting, scripted, CONNECTED)
    assert title(alice.get(page).text).startswith("“My shop” is connected")


def test_the_button_of_the_mail_leads_there_from_another_device(
    people: People, waiting: Attempt, scripted: Scripted
) -> None:
    run_step(waiting, scripted, TO_DO)
    told()
    [link] = re.findall(r"http://localhost(/m/\S+)", str(mail.outbox[0].body))
    elsewhere = Client()
    response = elsewhere.get(link)
    assert response.headers["Location"] == f"{reverse('account_login')}?next={link}"
    elsewhere.force_login(people.alice, "allauth.account.auth_backends.AuthenticationBackend")
    assert "One more step at Scripted" in visible_text(elsewhere.get(link))
