"""A question for the person's own address: which are offered, how to add one, and the way back."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.http import HttpResponse
from django.urls import reverse

from onboarding.models import Attempt, User
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.visit import browser, url, visible_text
from vendors.contract import Ask, NeedsMerchant, Question, text

pytestmark = pytest.mark.usefixtures("inline_executor")
ALICE, NEW = "alice@example.org", "owner@example.org"
WHICH = Question(
    key="email",
    label=text("Which address do you use there?"),
    choices=((ALICE, text("%(email)s", email=ALICE)),),
    initial=ALICE,
    addresses=True,
)
SIGN_UP = NeedsMerchant(code="none", note=text("Nobody is called so."), questions=(WHICH,))
HINT = "Do you use another address at Scripted? Add it in your settings , confirm it, and come back"


@pytest.fixture
def attempt(people: People, scripted: Scripted) -> Attempt:
    """Alice is alone, and her address is not known there."""
    EmailAddress.objects.filter(user=people.bob).delete()
    return run_step(begin_attempt(people), scripted, SIGN_UP)


def page(people: People, attempt: Attempt) -> HttpResponse:
    response = browser(people.alice).get(attempt.get_absolute_url())
    assert isinstance(response, HttpResponse)
    return response


def confirmed(user: User, email: str = NEW) -> None:
    EmailAddress.objects.create(user=user, email=email, verified=True)


def test_a_person_with_one_address_sees_how_to_add_another(
    people: People, attempt: Attempt
) -> None:
    response = page(people, attempt)
    link = f"{reverse('account_email')}?next={attempt.get_absolute_url()}"
    assert HINT in visible_text(response)
    assert f'href="{link}"' in response.content.decode()
    assert "I have done it: check again" in visible_text(response)
    assert "answer_email" not in response.content.decode()


def test_where_there_is_no_choice_the_page_goes_on_looking(
    people: People, attempt: Attempt, scripted: Scripted
) -> None:
    again = run_step(attempt, scripted, replace(SIGN_UP, poll_every=timedelta(minutes=5)))
    assert "hx-get" in page(people, again).content.decode()
    confirmed(people.alice)
    assert "hx-get" not in page(people, again).content.decode()


def test_the_new_address_is_offered_chosen_and_goes_on_with_one_click(
    people: People, attempt: Attempt, scripted: Scripted
) -> None:
    confirmed(people.alice)
    body = page(people, attempt).content.decode()
    (chosen,) = re.findall(r'<input[^>]*value="([^"]+)"[^>]*checked', body)
    assert chosen == NEW
    assert f'value="{ALICE}"' in body
    scripted.script.append(CONNECTED)
    browser(people.alice).post(url("answer", attempt), {"answer_email": chosen})
    assert (scripted.calls[-1], scripted.asked[-1][2]) == ("answered", {"email": NEW})


def test_it_is_added_confirmed_and_its_owner_comes_back(people: People, attempt: Attempt) -> None:
    alice = browser(people.alice)
    there = alice.get(reverse("account_email"), {"next": attempt.get_absolute_url()})
    assert "Back to your shop" in visible_text(there)
    alice.post(reverse("account_email"), {"action_add": "", "email": NEW})
    found = re.search(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b", str(mail.outbox[-1].body))
    assert found
    back = alice.post(reverse("account_email_verification_sent"), {"code": found[0]})
    assert back["Location"] == attempt.get_absolute_url()
    assert NEW in visible_text(alice.get(back["Location"]))


def test_no_other_site_is_gone_back_to(people: People, attempt: Attempt) -> None:
    alice = browser(people.alice)
    said = alice.get(reverse("account_email"), {"next": "https://elsewhere.example/"})
    assert "Back to your shop" not in visible_text(said)
    # The form for a language leads back to this very page, which goes nowhere else.
    assert "://elsewhere.example" not in said.content.decode()


@pytest.mark.parametrize("stranger", ["charlie@example.org", "unconfirmed@example.org"])
def test_only_confirmed_addresses_of_members_are_taken(
    people: People, attempt: Attempt, scripted: Scripted, stranger: str
) -> None:
    confirmed(people.alice)
    EmailAddress.objects.create(user=people.alice, email="unconfirmed@example.org")
    response = browser(people.alice).post(url("answer", attempt), {"answer_email": stranger})
    assert "Choose an answer: Which address do you use there?" in visible_text(response)
    assert "answered" not in scripted.calls


def test_a_question_in_the_middle_is_asked_even_with_one_address(
    people: People, attempt: Attempt, scripted: Scripted
) -> None:
    run_step(attempt, scripted, Ask(note=text("Say it."), questions=(WHICH,)))
    body = page(people, attempt).content.decode()
    assert f'value="{ALICE}"' in body


def test_a_colleagues_address_is_offered_once_whatever_its_case(
    people: People, attempt: Attempt
) -> None:
    confirmed(people.bob, "Bob@Example.org")
    body = page(people, attempt).content.decode()
    assert re.findall(r'name="answer_email" value="([^"]+)"', body) == [ALICE, "Bob@Example.org"]
