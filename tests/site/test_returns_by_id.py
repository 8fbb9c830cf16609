"""Returns that bring the vendor's own id instead of our state, and the parameters of a bare return."""

from __future__ import annotations

import pytest
from django.db import connection as database
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from onboarding.journey import hops
from onboarding.models import Attempt, Hop, Membership
from onboarding.models.memo import readable
from tests.support.attempts import CONNECTED, WAIT
from tests.support.people import People
from tests.support.returns import (
    BACK,
    NOT_KNOWN,
    NOT_YOURS,
    left_with,
    nothing_changes,
    page_after_return,
    state,
)
from tests.support.scripted import Scripted
from tests.support.visit import LINK, browser, start_attempt
from vendors.contract import Redirect

pytestmark = pytest.mark.usefixtures("inline_executor")
OURS = {"session": "abc"}
NAMED = Redirect(url=LINK, returned_by=("session", "abc"))
HINTED = Redirect(url=LINK, bare=True, keep_params=True)


@pytest.fixture
def attempt(people: People, scripted: Scripted) -> Attempt:
    """Alice has gone to a page that sends her back with the vendor's id."""
    return start_attempt(people, scripted, NAMED)


@pytest.fixture
def alice(people: People) -> Client:
    return browser(people.alice)


def test_the_vendors_id_finds_the_attempt_and_passes_on_the_parameters(
    scripted: Scripted, attempt: Attempt, alice: Client
) -> None:
    scripted.script.append(CONNECTED)
    assert "is connected" in page_after_return(alice, alice.get(BACK, OURS | {"error": "no"}))
    assert scripted.asked[-1][::2] == ("returned", OURS | {"error": "no"})


def test_it_is_spent_once(scripted: Scripted, attempt: Attempt, alice: Client) -> None:
    scripted.script.append(WAIT)
    page_after_return(alice, alice.get(BACK, OURS))
    with nothing_changes():
        assert "still working" in page_after_return(alice, alice.get(BACK, OURS | {"error": "no"}))
    assert scripted.calls == ["start", "returned"]


def test_of_two_attempts_it_finds_its_own(
    people: People, scripted: Scripted, attempt: Attempt, alice: Client
) -> None:
    other = Redirect(url=LINK, returned_by=("session", "xyz"))
    second = start_attempt(people, scripted, other, name="My second shop")
    scripted.script.append(WAIT)
    back = alice.get(BACK, {"session": "xyz"})
    assert back["Location"] == second.get_absolute_url()
    assert Hop.objects.get(attempt=attempt).spent is None


def test_our_state_finds_it_too(scripted: Scripted, attempt: Attempt, alice: Client) -> None:
    scripted.script.append(WAIT)
    page_after_return(alice, alice.get(BACK, {"state": state(attempt), "code": "c"}))
    assert scripted.asked[-1][2]["code"] == "c"
    with nothing_changes():
        assert "still working" in page_after_return(alice, alice.get(BACK, OURS))


@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"session": ""}, {"session": "ABC"}, {"Session": "abc"}, {"session": "abcd"},
        {"other": "abc"}, {"session=abc": ""}, {"session": "abc", "state": "made-up"},
        {"state": "session=abc"}, {"error": "denied"},
    ],
)  # fmt: skip
def test_another_id_finds_nothing(attempt: Attempt, alice: Client, wrong: dict[str, str]) -> None:
    with nothing_changes():
        assert NOT_YOURS in page_after_return(alice, alice.get(BACK, wrong))


@pytest.mark.parametrize(
    "bent",
    [
        "?session=abc",
        "session=abc?more=1",
        "session=abc%3Fmore%3D1",
        "session=abc.",
        "session=abc%20",
    ],
)
def test_what_was_appended_to_the_id_does_not_hide_it(
    scripted: Scripted, attempt: Attempt, alice: Client, bent: str
) -> None:
    scripted.script.append(CONNECTED)
    assert "is connected" in page_after_return(alice, alice.get(BACK, QUERY_STRING=bent))


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_another_user_with_the_id_changes_nothing(
    people: People, attempt: Attempt, who: str
) -> None:
    client = browser(getattr(people, who))
    with nothing_changes():
        assert NOT_YOURS in page_after_return(client, client.get(BACK, OURS))


def test_without_a_login_the_id_spends_nothing(attempt: Attempt) -> None:
    """A state cannot be guessed; an id of the vendor's may be a number."""
    client = browser()
    with nothing_changes():
        assert NOT_KNOWN in page_after_return(client, client.get(BACK, OURS))


def test_who_left_the_business_brings_nothing(
    people: People, attempt: Attempt, alice: Client
) -> None:
    Membership.objects.filter(user=people.alice).delete()
    with nothing_changes():
        assert NOT_YOURS in page_after_return(alice, alice.get(BACK, OURS))


def test_at_another_vendor_the_id_is_nothing(attempt: Attempt, alice: Client) -> None:
    with nothing_changes():
        back = alice.get(reverse("return", args=["nobody"]), OURS)
        assert NOT_YOURS in page_after_return(alice, back)


def test_a_link_that_was_not_used_finds_no_attempt(
    people: People, attempt: Attempt, alice: Client
) -> None:
    Hop.objects.update(taken=None)
    with nothing_changes():
        assert NOT_YOURS in page_after_return(alice, alice.get(BACK, OURS))


def test_one_id_for_two_attempts_is_ambiguous(
    people: People, scripted: Scripted, attempt: Attempt, alice: Client
) -> None:
    start_attempt(people, scripted, NAMED, name="My second shop")
    with nothing_changes():
        assert NOT_YOURS in page_after_return(alice, alice.get(BACK, OURS))


def test_a_reused_id_belongs_to_the_open_attempt(
    people: People, scripted: Scripted, attempt: Attempt, alice: Client
) -> None:
    Attempt.objects.update(ended=timezone.now(), ending="replaced")
    second = start_attempt(people, scripted, NAMED, name="My second shop")
    scripted.script.append(WAIT)
    assert alice.get(BACK, OURS)["Location"] == second.get_absolute_url()
    assert scripted.calls[-1] == "returned"


def test_one_id_for_two_people_is_each_ones_own(
    people: People, scripted: Scripted, attempt: Attempt, alice: Client
) -> None:
    theirs = start_attempt(people, scripted, NAMED, name="Bob's shop")
    left_with(theirs, people.bob)
    for client, page in ((alice, attempt), (browser(people.bob), theirs)):
        scripted.script.append(WAIT)
        assert client.get(BACK, OURS)["Location"] == page.get_absolute_url()


def test_a_head_or_a_look_ahead_spends_no_id(attempt: Attempt, alice: Client) -> None:
    with nothing_changes():
        alice.head(BACK, OURS)
        alice.get(BACK, OURS, headers={"Sec-Purpose": "prefetch"})


def test_after_the_end_the_id_changes_no_attempt(attempt: Attempt, alice: Client) -> None:
    Attempt.objects.update(ended=timezone.now(), ending="replaced")
    response = alice.get(BACK, OURS)
    assert response["Location"] == attempt.get_absolute_url()
    assert readable(Attempt.objects.get(pk=attempt.pk).call)["name"] == "start"


def test_only_a_digest_of_the_id_is_stored(attempt: Attempt) -> None:
    with database.cursor() as cursor:
        cursor.execute("SELECT * FROM onboarding_hop")
        assert "abc'" not in str(cursor.fetchall())
    assert Hop.objects.get().returned_by == hops.digest("session=abc")


# -- bare returns --------------------------------------------------------------------------------


def test_a_bare_return_hands_over_what_came_along_where_the_flow_asked_for_it(
    people: People, scripted: Scripted, alice: Client
) -> None:
    start_attempt(people, scripted, HINTED)
    scripted.script.append(WAIT)
    page_after_return(alice, alice.get(BACK, {"error": "denied", "flood": "x" * 9999}))
    call, _, params = scripted.asked[-1]
    assert (call, params["error"], len(params["flood"])) == ("returned", "denied", 8190)


def test_a_bare_return_hands_over_nothing_to_a_flow_that_did_not_ask(
    people: People, scripted: Scripted, alice: Client
) -> None:
    start_attempt(people, scripted, Redirect(url=LINK, bare=True))
    scripted.script.append(WAIT)
    page_after_return(alice, alice.get(BACK, {"error": "denied"}))
    assert scripted.asked[-1][::2] == ("returned", {})
    assert Hop.objects.exclude(spent=None).get().params == {}


def test_what_a_bare_return_brings_is_bound_to_its_user(people: People, scripted: Scripted) -> None:
    start_attempt(people, scripted, HINTED)
    for client in (browser(), browser(people.bob), browser(people.charlie)):
        with nothing_changes():
            page_after_return(client, client.get(BACK, {"error": "denied"}))


def test_a_named_attempt_takes_precedence_over_a_bare_one(
    people: People, scripted: Scripted, attempt: Attempt, alice: Client
) -> None:
    second = start_attempt(people, scripted, HINTED, name="My second shop")
    scripted.script.append(WAIT)
    assert alice.get(BACK, OURS)["Location"] == attempt.get_absolute_url()
    scripted.script.append(WAIT)
    assert alice.get(BACK, {"error": "x"})["Location"] == second.get_absolute_url()
