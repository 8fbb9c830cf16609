"""Returns in the wrong hands: nothing is consumed, nothing is disclosed, and there is a way on.

In the browser that left; other browsers are in tests/security/test_returns.py.
"""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from onboarding.models import Attempt, Hop, Membership, User
from tests.support.attempts import CONNECTED
from tests.support.people import People, person
from tests.support.returns import (
    BACK,
    LOST,
    NOT_KNOWN,
    NOT_YOURS,
    come_back,
    nothing_changes,
    page_after_return,
    state,
)
from tests.support.scripted import Scripted
from tests.support.visit import OPEN, browser, other_browser, start_attempt, visible_text
from vendors.contract import Refused, text

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]


@pytest.fixture
def attempt(people: People, scripted: Scripted) -> Attempt:
    """Alice has gone to the vendor."""
    return start_attempt(people, scripted, OPEN)


def sign_in(client: Client, user: User) -> None:
    client.force_login(user)


# -- without a login -----------------------------------------------------------------------------


def test_without_a_login_it_waits_for_its_user(
    people: People, scripted: Scripted, attempt: Attempt
) -> None:
    client = browser(of=people.alice)
    response = come_back(client, attempt, code="geheim")
    assert response["Location"] == f"{reverse('account_login')}?next={attempt.get_absolute_url()}"
    assert "Email address" in page_after_return(client, response)
    assert scripted.calls == ["start"]
    scripted.script.append(CONNECTED)
    sign_in(client, people.alice)
    assert "is connected" in visible_text(client.get(attempt.get_absolute_url()))
    assert scripted.asked[-1][2]["code"] == "geheim"


def test_its_parameters_are_in_no_url_and_on_no_page(people: People, attempt: Attempt) -> None:
    client, params = browser(of=people.alice), {"state": state(attempt), "code": "geheim"}
    response = client.get(BACK, params)
    page = client.get(response["Location"])
    for secret in params.values():
        assert secret not in response["Location"]
        assert secret not in page.content.decode()
    assert not client.session.items()


def test_brought_signed_out_it_is_claimed_wherever_its_user_signs_in(
    people: People, scripted: Scripted, attempt: Attempt
) -> None:
    come_back(browser(of=people.alice), attempt, code="c")
    scripted.script.append(CONNECTED)
    phone = other_browser(people.alice)
    assert "is connected" in visible_text(phone.get(attempt.get_absolute_url()))


def test_brought_again_after_signing_in_it_is_worked_on_once(
    people: People, scripted: Scripted, attempt: Attempt
) -> None:
    client, params = browser(of=people.alice), {"state": state(attempt), "code": "c"}
    client.get(BACK, params)
    sign_in(client, people.alice)
    scripted.script.append(CONNECTED)
    for _ in range(2):
        assert "is connected" in page_after_return(client, client.get(BACK, params))
    assert scripted.calls == ["start", "returned"]


def test_signing_in_as_a_colleague_claims_nothing(people: People, attempt: Attempt) -> None:
    client = browser(of=people.alice)
    come_back(client, attempt, code="c")
    sign_in(client, people.bob)
    with nothing_changes():
        assert "Alice is at Scripted" in visible_text(client.get(attempt.get_absolute_url()))


def test_signing_in_as_somebody_else_shows_nothing(people: People, attempt: Attempt) -> None:
    client = browser(of=people.alice)
    come_back(client, attempt, code="c")
    sign_in(client, people.charlie)
    with nothing_changes():
        assert client.get(attempt.get_absolute_url()).status_code == 404


# -- as somebody else ----------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_another_user_changes_nothing(people: People, attempt: Attempt, who: str) -> None:
    """A colleague, or somebody of another business."""
    client = browser(getattr(people, who))
    with nothing_changes():
        page = page_after_return(client, come_back(client, attempt, code="c"))
    assert NOT_YOURS in page
    assert "Go to your shops" in page


def test_a_user_without_a_business_changes_nothing(people: People, attempt: Attempt) -> None:
    client = browser(person("dora@example.org", "Dora"))
    with nothing_changes():
        page = page_after_return(client, come_back(client, attempt))
    assert NOT_YOURS in page
    assert "Connect a shop" in page


def test_afterwards_its_own_user_still_comes_back(
    people: People, scripted: Scripted, attempt: Attempt
) -> None:
    bob, alice = browser(people.bob), browser(people.alice)
    come_back(bob, attempt, code="c")
    scripted.script.append(CONNECTED)
    assert "is connected" in page_after_return(alice, come_back(alice, attempt, code="c"))


@pytest.mark.parametrize("signed_in", [True, False])
def test_who_left_the_business_changes_nothing(
    people: People, attempt: Attempt, signed_in: bool
) -> None:
    Membership.objects.filter(user=people.alice).delete()
    client = browser(people.alice if signed_in else None)
    with nothing_changes():
        assert "Nothing was changed" in page_after_return(
            client, come_back(client, attempt, code="c")
        )


def test_removed_while_signing_in_one_finds_nothing(people: People, attempt: Attempt) -> None:
    client = browser(of=people.alice)
    come_back(client, attempt, code="c")
    Membership.objects.filter(user=people.alice).delete()
    sign_in(client, people.alice)
    with nothing_changes():
        assert client.get(attempt.get_absolute_url()).status_code == 404


# -- with a state that is not theirs ----------------------------------------------------------------


@pytest.mark.parametrize("signed_in", [True, False])
@pytest.mark.parametrize(
    "query", [{}, {"state": ""}, {"state": "made-up"}, {"error": "access_denied"}, {"code": "c"}]
)
def test_an_unknown_return_changes_nothing(
    people: People, attempt: Attempt, query: dict[str, str], signed_in: bool
) -> None:
    client = browser(people.alice if signed_in else None)
    with nothing_changes():
        response = client.get(BACK, query)
        page = page_after_return(client, response)
    assert response["Location"] == LOST
    assert (NOT_YOURS if signed_in else NOT_KNOWN) in page
    assert "Connect a shop" in page


def test_the_database_stores_no_state_in_plain_text(people: People, attempt: Attempt) -> None:
    """Its digest finds the hop for us; it opens nothing for who has read it."""
    alice, hop = browser(people.alice), Hop.objects.exclude(taken=None).get()
    for known in (hop.digest, str(hop.pk), str(hop.state)[:-1], str(hop.state).swapcase()):
        with nothing_changes():
            assert NOT_YOURS in page_after_return(alice, alice.get(BACK, {"state": known}))


def test_a_spent_state_leads_back_and_spends_nothing(
    people: People, scripted: Scripted, attempt: Attempt
) -> None:
    alice, params = browser(people.alice), {"state": state(attempt)}
    scripted.script.append(Refused(who="merchant", note=text("Not this way.")))
    assert "Not this way." in page_after_return(alice, alice.get(BACK, params))
    with nothing_changes():
        assert "Not this way." in page_after_return(
            alice, alice.get(BACK, {**params, "code": "new"})
        )


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_a_spent_state_is_nothing_to_others(
    people: People, scripted: Scripted, attempt: Attempt, who: str
) -> None:
    params = {"state": state(attempt)}
    scripted.script.append(CONNECTED)
    browser(people.alice).get(BACK, params)
    client = browser(getattr(people, who))
    with nothing_changes():
        assert NOT_YOURS in page_after_return(client, client.get(BACK, params))


def test_the_state_says_which_attempt_is_meant(
    people: People, scripted: Scripted, attempt: Attempt
) -> None:
    """Two shops, two attempts: a return with the state of the second does not affect the first."""
    second = start_attempt(people, scripted, OPEN, name="My second shop")
    alice = browser(people.alice)
    scripted.script.append(Refused(who="merchant", note=text("That was for another one.")))
    first = Attempt.objects.filter(pk=attempt.pk).values()
    before = list(first)
    page = page_after_return(alice, come_back(alice, second, ibsstoken="of-the-first"))
    assert "My second shop" in page
    assert "That was for another one." in page
    assert list(first.all()) == before


def test_another_vendors_return_address_knows_no_state_of_ours(
    people: People, attempt: Attempt
) -> None:
    alice = browser(people.alice)
    elsewhere = reverse("return", args=["nobody"])
    with nothing_changes():
        back = alice.get(elsewhere, {"state": state(attempt)})
        assert NOT_YOURS in page_after_return(alice, back)
