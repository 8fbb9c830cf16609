"""Bounds on what one person or business may begin: said in a sentence, kept in parallel, told to staff."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from onboarding import bounds
from onboarding.background import schedule
from onboarding.bounds import Bound
from onboarding.models import Alert, Attempt, Connection, Merchant, SecurityEvent, User
from tests.support.at_once import at_once
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People, business, person
from tests.support.scripted import Scripted
from tests.support.visit import OPEN, browser, offer, url, visible_text
from vendors.contract import Done, text

pytestmark = [
    pytest.mark.both,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("inline_executor"),
]
STAFF = "staff@example.org"


def begin(client: Client, merchant: Merchant, name: str, scripted: Scripted) -> Any:
    scripted.script.append(OPEN)
    page = reverse("connect", args=[merchant.reference, offer().slug])
    return client.post(page, {"name": name, "another": "1"})


def shops_of(
    people: People, scripted: Scripted, count: int, merchant: Merchant | None = None
) -> None:
    for number in range(count):
        answer = begin(browser(people.alice), merchant or people.acme, f"{number}", scripted)
        assert answer.status_code == 303


def is_said(response: Any, status: int, sentence: str) -> None:
    assert response.status_code == status
    assert sentence in visible_text(response)


# -- shops -----------------------------------------------------------------------------------------


def test_a_business_with_too_many_unfinished_shops_begins_no_other(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    settings.MAX_OPEN_SHOPS = 3
    shops_of(people, scripted, 3)
    refused = begin(browser(people.bob), people.acme, "Bob's", scripted)
    is_said(refused, 409, "Your business has 3 unfinished shops. Finish or remove one first.")
    assert Connection.objects.count() == 3
    noted = SecurityEvent.objects.get(kind="refused")
    assert (noted.user, noted.detail) == (people.bob, "unfinished shops of a business")


def test_a_shop_that_is_removed_makes_room(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    settings.MAX_OPEN_SHOPS = 1
    shops_of(people, scripted, 1)
    browser(people.alice).post(url("remove", Connection.objects.get()))
    assert begin(browser(people.alice), people.acme, "Next", scripted).status_code == 303


def test_a_connected_shop_does_not_count(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    settings.MAX_OPEN_SHOPS = 1
    run_step(begin_attempt(people), scripted, CONNECTED)
    shops_of(people, scripted, 1)


def test_a_shop_that_was_begun_goes_on_at_the_bound(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    settings.MAX_OPEN_SHOPS = 1
    shops_of(people, scripted, 1)
    page = reverse("connect", args=[people.acme.reference, offer().slug])
    assert browser(people.alice).post(page, {"name": "0"}).status_code == 303
    assert Connection.objects.count() == 1


def test_a_person_is_bounded_over_all_businesses(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    settings.MAX_OPEN_SHOPS_PER_PERSON = 2
    second = business("Second", owner=people.alice)
    shops_of(people, scripted, 1)
    shops_of(people, scripted, 1, second)
    refused = begin(browser(people.alice), second, "Third", scripted)
    is_said(refused, 409, "You have 2 unfinished shops.")
    assert begin(browser(people.bob), people.acme, "Bob's", scripted).status_code == 303


@pytest.mark.parametrize("bound", ["MAX_OPEN_SHOPS", "MAX_OPEN_SHOPS_PER_PERSON"])
def test_shops_begun_at_the_same_moment_keep_the_bound(
    people: People, scripted: Scripted, settings: Settings, bound: str
) -> None:
    setattr(settings, bound, 3)
    merchants = [people.acme, business("Second", owner=people.alice)]
    alike = merchants if "PERSON" in bound else merchants[:1]
    scripted.script.extend([OPEN] * 12)
    offer()
    answers = at_once(*(partial(press, people.alice, alike[n % len(alike)], n) for n in range(12)))
    assert sorted(answers) == [303] * 3 + [409] * 9
    assert Connection.objects.count() == 3


def press(user: User, merchant: Merchant, number: int) -> int:
    page = reverse("connect", args=[merchant.reference, offer().slug])
    answer = browser(user).post(page, {"name": f"{number}", "another": "1"})
    return int(answer.status_code)


def test_zero_means_no_bound(people: People, scripted: Scripted, settings: Settings) -> None:
    settings.MAX_OPEN_SHOPS = settings.MAX_ATTEMPTS_PER_HOUR = 0
    settings.MAX_OPEN_SHOPS_PER_PERSON = 0
    shops_of(people, scripted, 5)
    assert not Alert.objects.exists()


# -- attempts --------------------------------------------------------------------------------------


def test_attempts_of_an_hour_are_bounded_whatever_they_are_for(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    settings.MAX_ATTEMPTS_PER_HOUR = 3
    shop = run_step(begin_attempt(people), scripted, CONNECTED).connection
    alice, done = browser(people.alice), Done(here=text("Here."), there=text("There."))
    for name in ("pause", "resume"):
        scripted.script.append(done)
        assert alice.post(url(name, shop)).status_code == 303
    refused = alice.post(url("pause", shop))
    is_said(refused, 429, "You have started connecting 3 times within an hour.")
    assert refused["Retry-After"] == "3600"
    assert Attempt.objects.count() == 3
    Attempt.objects.update(created=Attempt.objects.earliest("created").created - bounds.HOUR)
    scripted.script.append(done)
    assert alice.post(url("pause", shop)).status_code == 303


# -- businesses ------------------------------------------------------------------------------------


def add(client: Client, name: str) -> Any:
    return client.post(reverse("welcome"), {"name": name})


def test_new_businesses_of_a_day_and_in_all_are_bounded(settings: Settings) -> None:
    settings.MAX_BUSINESSES_PER_DAY, settings.MAX_BUSINESSES = 2, 3
    dora = browser(person("dora@example.org", "Dora"))
    for number in range(2):
        assert add(dora, f"Shop {number}").status_code == 302
    is_said(add(dora, "Third"), 429, "You have added 2 businesses within a day.")
    assert add(dora, "Shop 1").status_code == 302  # it is there
    Merchant.objects.update(created=Merchant.objects.earliest("created").created - bounds.DAY)
    assert add(dora, "Third").status_code == 302
    is_said(add(dora, "Fourth"), 409, "You own 3 businesses, the most that one person can have.")


def test_businesses_added_at_the_same_moment_keep_the_bound(settings: Settings) -> None:
    settings.MAX_BUSINESSES_PER_DAY = 3
    dora = person("dora@example.org", "Dora")
    acts = [partial(lambda name: add(browser(dora), name).status_code, f"{n}") for n in range(10)]
    assert sorted(at_once(*acts)) == [302] * 3 + [429] * 7
    assert Merchant.objects.count() == 3


# -- staff -----------------------------------------------------------------------------------------


def test_staff_are_told_at_four_fifths_once_and_again_after_a_day(
    people: People, scripted: Scripted, settings: Settings
) -> None:
    settings.MAX_OPEN_SHOPS, settings.STAFF_EMAIL = 5, [STAFF]
    shops_of(people, scripted, 3)
    assert not Alert.objects.exists()
    shops_of_more(people, scripted)
    schedule.mail()
    [told] = mail.outbox
    assert told.subject == "[Gangway] Limits: unfinished shops of a business"
    assert f"Business {people.acme.reference}: 4" in str(told.body)
    Alert.objects.update(opened=Alert.objects.get().opened - bounds.DAY)
    schedule.mail()
    assert Alert.objects.get().cleared


def shops_of_more(people: People, scripted: Scripted) -> None:
    assert begin(browser(people.alice), people.acme, "Fourth", scripted).status_code == 303


@pytest.mark.parametrize("bound", Bound)
def test_staff_read_who_it_is(
    people: People, scripted: Scripted, settings: Settings, bound: Bound
) -> None:
    for name in ("OPEN_SHOPS", "OPEN_SHOPS_PER_PERSON", "ATTEMPTS_PER_HOUR"):
        setattr(settings, f"MAX_{name}", 1)
    settings.MAX_BUSINESSES = settings.MAX_BUSINESSES_PER_DAY = 1
    scripted.script.append(OPEN)
    press(people.alice, people.acme, 1)
    settings.STAFF_EMAIL = [STAFF]
    Alert.objects.all().delete()
    Alert.open(bounds.ALERTS, bound)
    schedule.mail()
    who = people.acme.reference if bound == Bound.OPEN_SHOPS else people.alice.pk
    assert f" {who}: 1" in str(mail.outbox[-1].body)
