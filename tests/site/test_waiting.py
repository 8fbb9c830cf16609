"""What was left with us stands on the page of all shops, for every member: continue, or forget it."""

from __future__ import annotations

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from onboarding.models import Breaker, Connector, WaitlistEntry
from tests.support.outages import begin_outage, end_outage, join_waitlist, page
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.visit import OPEN, browser, visible_text

pytestmark = pytest.mark.usefixtures("inline_executor")
WAITING = "Waiting for Scripted."


def home(people: People, reader: str = "alice") -> str:
    response = browser(getattr(people, reader)).get(people.acme.get_absolute_url())
    return visible_text(response)


def test_it_waits_on_the_page_of_all_shops(people: People, scripted: Scripted) -> None:
    begin_outage()
    assert WAITING not in home(people)
    join_waitlist(people)
    shown = home(people)
    assert f"scripted shop {WAITING} We’ll email alice@example.org when it is back." in shown
    assert "Continue : scripted shop Remove : scripted shop" in shown
    assert "No shop yet" not in shown


def test_when_the_vendor_is_back_it_says_so(people: People, scripted: Scripted) -> None:
    begin_outage()
    join_waitlist(people)
    end_outage()
    WaitlistEntry.objects.update(mailed=timezone.now())
    assert "Scripted is back. You can continue now." in home(people)
    Breaker.objects.all().delete()
    begin_outage()
    assert "Scripted was back, and is down again." in home(people)


def test_a_colleague_sees_it_and_cannot_forget_it(people: People, scripted: Scripted) -> None:
    begin_outage()
    join_waitlist(people)
    shown = home(people, "bob")
    assert f"{WAITING} {people.alice.get_short_name()} gets an email when it is back." in shown
    assert "Remove" not in shown
    browser(people.bob).post(page(people, "forget-it"))
    assert WaitlistEntry.objects.exists()


def test_two_who_wait_for_the_same_are_one_row(people: People, scripted: Scripted) -> None:
    begin_outage()
    join_waitlist(people)
    join_waitlist(people, people.bob)
    assert home(people).count(WAITING) == home(people, "bob").count(WAITING) == 1
    assert "We’ll email bob@example.org" in home(people, "bob")


def test_forgotten_it_is_gone_and_no_mail_comes(people: People, scripted: Scripted) -> None:
    begin_outage()
    join_waitlist(people)
    response = browser(people.alice).post(page(people, "forget-it"), follow=True)
    assert "No shop yet" in visible_text(response)
    assert not WaitlistEntry.objects.exists()


def test_begun_it_is_a_shop_and_waits_no_more(people: People, scripted: Scripted) -> None:
    begin_outage()
    join_waitlist(people)
    end_outage()
    scripted.script.append(OPEN)
    browser(people.alice).post(page(people), {"name": "Mine"})
    assert "is back" not in home(people)
    assert "Mine" in home(people)


def test_what_is_no_longer_offered_can_only_be_forgotten(
    people: People, scripted: Scripted
) -> None:
    begin_outage()
    join_waitlist(people)
    Connector.objects.update(visible=False)
    shown = home(people)
    assert "This is no longer offered." in shown
    assert "Continue" not in shown
    assert "Remove" in shown


def test_strangers_and_signed_out_readers_forget_nothing(
    people: People, scripted: Scripted
) -> None:
    begin_outage()
    join_waitlist(people)
    there = page(people, "forget-it")
    assert browser(people.charlie).post(there).status_code == 404
    assert browser().post(there)["Location"].endswith(f"?next={there}")
    assert browser(people.alice).get(there)["Location"] == people.acme.get_absolute_url()
    assert WaitlistEntry.objects.exists()


def test_it_costs_the_page_few_queries(
    people: People, scripted: Scripted, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    begin_outage()
    join_waitlist(people)
    client = browser(people.alice)
    with django_assert_max_num_queries(11):
        client.get(people.acme.get_absolute_url())
